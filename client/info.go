package client

import (
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// Info is what happened to one call; ask for it by [Options].
type Info struct {
	Service     string    // the destination's name
	Method      string    // the HTTP method, or the full gRPC method
	Rule        string    // the route that it matched; empty where none did
	Destination string    // the one that the route chose, as "orders" or "orders/v2"; without a route it is Service
	Endpoint    string    // the address that answered; empty where none did or the choice was not the mesh's
	Attempts    []Attempt // in their order; the last brought the answer, if there is one
	// Faults are what the route injected into the call on purpose, above its attempts or at any of them: "delay", "abort",
	// "corrupt", "truncate", "reset", "slow". Those of a body are there once they are in force. Mostly nil.
	Faults []string
}

// Attempt is one try of a call.
type Attempt struct {
	Endpoint string        // its address
	Took     time.Duration // until its outcome was known: the response's headers, the reply, the open stream
	Status   int           // the HTTP status; 0 over gRPC and where there was no response
	Code     uint32        // the gRPC code; over HTTP the one that stands for Status or Err
	Outcome  string        // "success", "failure", "busy", "refused" (certainly not executed) or "canceled"
	Err      error         // why there was no response, or the status over gRPC; nil on success
	Faults   []string      // what was injected into this attempt on purpose
}

// fill is called by the call path when the call has its answer.
func (i *Info) fill(c *stack.Call) {
	*i = Info{Service: c.Service, Method: c.Method, Destination: c.Went(), Faults: c.Faults.Names()}
	if r := c.Rule(); r != nil {
		i.Rule = r.Name
	}
	for _, a := range c.History() {
		i.Attempts = append(i.Attempts, Attempt{
			Endpoint: a.Addr, Took: a.Took, Status: a.Outcome.Status, Code: uint32(a.Outcome.Code), Err: a.Outcome.Err,
			Outcome: call.Classify(a.Outcome).String(), Faults: a.Faults.Names(),
		})
	}
	if last := c.Last(); last != nil && c.Wire.Answered(last) {
		i.Endpoint = last.Addr
	}
}
