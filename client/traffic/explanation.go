package traffic

import (
	"time"

	"github.com/intramesh/intramesh/resilience"
)

// Explanation is what a table makes of a request, and why. It is data: as JSON, or readable as a String.
type Explanation struct {
	// Service is what was called.
	Service string `json:"service"`
	// Skipped are the rules before the one that matched, each with why it did not.
	Skipped []Skipped `json:"skipped,omitempty"`
	// Rule is the name of the one that matched, Match the name of its match or "match[1]". Empty: none did, and the
	// request goes to the service that was called.
	Rule  string `json:"rule,omitempty"`
	Match string `json:"match,omitempty"`

	// Destinations are where the request may go. There is none where the mesh itself answers.
	Destinations []Choice `json:"destinations,omitempty"`
	// Sticky is by what one of several destinations is chosen. Nil: each request is drawn on its own.
	Sticky *Key `json:"sticky,omitempty"`
	// Status and Location are the redirection, or Status that of the answer that the mesh itself gives.
	Status   int    `json:"status,omitempty"`
	Location string `json:"location,omitempty"`
	// Path and Authority are what the server sees, where that is not what the caller wrote.
	Path      string `json:"path,omitempty"`
	Authority string `json:"authority,omitempty"`

	// Timeout, Retry and NoRetry are the route's own.
	Timeout time.Duration     `json:"timeout,omitempty"`
	Retry   *resilience.Retry `json:"retry,omitempty"`
	NoRetry bool              `json:"noRetry,omitempty"`
	// Faults are those that the request may get.
	Faults []Fault `json:"faults,omitempty"`
	// Mirrors are who may get copies.
	Mirrors []Copy `json:"mirrors,omitempty"`
}

// Skipped is a rule that did not match.
type Skipped struct {
	Rule  string `json:"rule"`
	Match string `json:"match,omitempty"`
	// OtherHost is set where the rule is for other services than the one that was called.
	OtherHost bool `json:"otherHost,omitempty"`
	// Why is the first condition that does not hold.
	Why string `json:"why"`
}

// Choice is a destination that a request may go to.
type Choice struct {
	Service string `json:"service,omitempty"`
	Subset  string `json:"subset,omitempty"`
	// Percent is its share of the requests.
	Percent float64 `json:"percent"`
	// Labels are those of the subset.
	Labels map[string]string `json:"labels,omitempty"`
	// Settings are how it is treated. Nil: as the client has it.
	Settings *Settings `json:"settings,omitempty"`
	// RequestHeaders and ResponseHeaders are what is changed, in this order.
	RequestHeaders  []string `json:"requestHeaders,omitempty"`
	ResponseHeaders []string `json:"responseHeaders,omitempty"`
	// Status is that of the answer where this share of the requests goes nowhere.
	Status int `json:"status,omitempty"`
	// Err says that the request would fail there.
	Err string `json:"err,omitempty"`
}

// Copy is a mirror of a request.
type Copy struct {
	Service string  `json:"service"`
	Subset  string  `json:"subset,omitempty"`
	Percent float64 `json:"percent"`
}
