package traffic

import (
	"time"

	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
)

// Destination says how a service is treated. Of several entries the most particular counts, whole: a name before the
// longest "*.suffix" and that before "*"; of two for the same one that names the port that was called before one that names
// none.
type Destination struct {
	// Service is the name without a port, "*.suffix" for every name below, or "*" for all. Case makes no difference.
	Service string `json:"service"`
	// Port narrows it to one of the service's ports, where that is named: http://orders and http://orders:80 alike name none, and
	// neither does https with 443. 0: calls that name none, and all ports that have no entry of their own.
	Port uint16 `json:"port,omitempty"`
	// Settings are how it is treated.
	Settings
	// Subsets are parts of its endpoints, for a [Backend] to name.
	Subsets []Subset `json:"subsets,omitempty"`
}

// Subset is the endpoints of a service that have all of the labels. It is a destination of its own, with its own load
// balancing, ejections, breaker, budget and limits.
type Subset struct {
	Name string `json:"name"`
	// Labels are compared with [discovery.Endpoint.Metadata]. None: every endpoint.
	Labels map[string]string `json:"labels,omitempty"`
	// Settings that are given here replace those of the service, each one whole.
	Settings
}

// Settings are how a destination is treated. What is nil is as the client's configuration has it.
type Settings struct {
	// Balance is how an endpoint is picked.
	Balance *Balance `json:"balance,omitempty"`
	// Locality prefers endpoints by where they are.
	Locality *Locality `json:"locality,omitempty"`
	// Connections bounds and tunes connections.
	Connections *Connections `json:"connections,omitempty"`
	// Resilience are timeouts, retries, budget, breaker, outlier detection and limits. Each part that is given replaces
	// that of the client's own policy.
	Resilience resilience.Policy `json:"resilience,omitzero"`
	// TLS is how connections are secured.
	TLS *TLS `json:"tls,omitempty"`
}

// Balance is how an endpoint is picked.
type Balance struct {
	// Algorithm is one of package balance's. Empty: the client's.
	Algorithm balance.Algorithm `json:"algorithm,omitempty"`
	// Choices is how many endpoints least_request compares. 0: 2.
	Choices int `json:"choices,omitempty"`
	// Hash is what ring_hash and maglev place requests by; they need it.
	Hash *Key `json:"hash,omitempty"`
	// RingMin and RingMax bound the entries of a ring. 0: 1024 and 8 Mi (Envoy's).
	RingMin int `json:"ringMin,omitempty"`
	RingMax int `json:"ringMax,omitempty"`
	// TableSize is the size of Maglev's table, a prime. 0: 65537 (Envoy's).
	TableSize int `json:"tableSize,omitempty"`
	// BoundedLoad is how many times the mean load an endpoint may have before requests that hash there go elsewhere: 1.2
	// to 2.0 are usual. 0: no bound; otherwise at least 1.
	BoundedLoad float64 `json:"boundedLoad,omitempty"`
	// SlowStart lets new endpoints warm up.
	SlowStart *SlowStart `json:"slowStart,omitempty"`
}

// SlowStart sends a new endpoint fewer requests at first. It acts with round_robin and least_request, as in Envoy.
type SlowStart struct {
	// Window is how long an endpoint is new. It is needed.
	Window time.Duration `json:"window"`
	// MinPercent is the share of its weight that an endpoint has at once. 0: 10.
	MinPercent float64 `json:"minPercent,omitempty"`
	// Aggression bends the way to the full weight: 1 is a straight line, more is faster at first. 0: 1.
	Aggression float64 `json:"aggression,omitempty"`
}

// Locality prefers endpoints by where they are. At most one of the three is set. A place is "region", "region/zone" or
// "region/zone/subzone", with "*" at its end for all below, as in Istio. Endpoints of a lower priority get requests when
// those of the higher ones are less than 1/1.4 (72 %) well, as in Envoy. Where nothing is known of this process's own place,
// see [Local], all places are alike.
type Locality struct {
	// Distribute sends requests from a place to places in the given shares.
	Distribute []Distribute `json:"distribute,omitempty"`
	// Failover names the region to go to before others when the own one fails. Without any of the three the order is: the
	// same subzone, zone, region, then all others.
	Failover []Failover `json:"failover,omitempty"`
	// FailoverPriority are labels, as "name" for the value that this process has, or "name=value". Endpoints that agree
	// with the longer beginning of the list come first.
	FailoverPriority []string `json:"failoverPriority,omitempty"`
}

// Distribute are the shares for requests from one place.
type Distribute struct {
	From string            `json:"from"`
	To   map[string]uint32 `json:"to"`
}

// Failover is the region to go to when another fails.
type Failover struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Connections bounds and tunes the connections to a destination. A zero field is as the client has it.
type Connections struct {
	// ConnectTimeout bounds the making of a connection, and the handshake after it. Over gRPC it is at most 2 minutes.
	ConnectTimeout time.Duration `json:"connectTimeout,omitempty"`
	// IdleTimeout closes connections that nobody has used for that long, or for MaxAge where that is less. Over gRPC it closes
	// also those that client.Config.WarmConns has made ahead of calls.
	IdleTimeout time.Duration `json:"idleTimeout,omitempty"`
	// MaxAge closes connections that are older, when they are idle or, gracefully, when they are not. Over gRPC the next one
	// takes over when it is ready; until then the old one serves.
	MaxAge time.Duration `json:"maxAge,omitempty"`
	// MaxRequests is the number of requests after which a connection is replaced. Requests that begin together on a
	// connection of HTTP/2 may be a few more for HTTP; over gRPC, where the next connection takes over a little before, never.
	MaxRequests int `json:"maxRequests,omitempty"`
	// HTTP2 has HTTP requests travel over HTTP/2 alone, also without TLS (h2c), or over HTTP/1.1 alone. gRPC always travels
	// over HTTP/2, and calls of it fail (client.Invalid) where this is false. Nil: over what both sides agree on where there is TLS, else HTTP/1.1.
	HTTP2 *bool `json:"http2,omitempty"`
	// Keepalive is TCP's.
	Keepalive *Keepalive `json:"keepalive,omitempty"`
}

// Keepalive are TCP's keep-alive probes. A zero field is as the connection was dialled: net.Dialer's own is 15 s, 15 s, 9.
type Keepalive struct {
	Idle     time.Duration `json:"idle,omitempty"`     // before the first probe
	Interval time.Duration `json:"interval,omitempty"` // between probes
	Count    int           `json:"count,omitempty"`    // unanswered probes that end the connection
}

// TLS is how connections to a destination are secured. Over gRPC it acts with the client's identity or clientgrpc.Credentials;
// with transport credentials of the caller's own, calls to a destination that is to be secured fail (client.Invalid).
type TLS struct {
	// Mode is one of the modes below. Empty: TLSMesh with an identity, else as the URL's scheme says, and over gRPC plain text.
	Mode TLSMode `json:"mode,omitempty"`
	// ServerName is sent in the handshake and is what the certificate must be for. Empty: the service's name. With TLSMesh it
	// is sent alone: who the server must be is its identity.
	ServerName string `json:"serverName,omitempty"`
	// Names are names or URIs of which the certificate must have one, in the place of ServerName. With TLSMesh they are
	// identities ("spiffe://shop/orders"), of which the one that is expected must be one.
	Names []string `json:"names,omitempty"`
	// CA, Cert and Key are PEM files, read for every connection: while they cannot be, what they said last holds. CA empty:
	// the system's.
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
}

// TLSMode says who proves what.
type TLSMode string

// The modes of TLS.
const (
	TLSDisable TLSMode = "disable" // plain text
	TLSSimple  TLSMode = "simple"  // the server proves its name by CA
	TLSMutual  TLSMode = "mutual"  // both do, by Cert, Key and CA
	TLSMesh    TLSMode = "mesh"    // both prove mesh identities; needs client.Config.Identity
)
