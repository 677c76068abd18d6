package shop

import (
	"strings"
	"time"
)

// Event is something that has happened some number of times.
type Event struct {
	Times int       `json:"times"`
	Last  time.Time `json:"last"`
}

// Events are counted by what happened to whom: "opened reviews", "ejected inventory 127.0.0.1:1234",
// "stranger payments unknown_authority".
type Events map[string]Event

// What happens. The first seven are records of the mesh's log, those after them what the
// guard of a server saw.
const (
	Opened     = "opened"     // a breaker
	Closed     = "closed"     // it
	ejected    = "ejected"    // an endpoint
	readmitted = "readmitted" // it
	Stranger   = "stranger"   // a connection was refused
	known      = "known"      // the endpoints of a service, by their number
	misrouted  = "misrouted"  // the routes are not what their source says now
	Refused    = "refused"    // a change of what is configured, with the reason; for Config.Records
	denied     = "denied"     // a request of somebody who may not
	served     = "served"     // a request, by the serial number of its caller's certificate
)

// merge adds o.
func (s Events) merge(o Events) {
	for key, e := range o {
		if e.Last.Before(s[key].Last) {
			e.Last = s[key].Last
		}
		e.Times += s[key].Times
		s[key] = e
	}
}

// since is s without what had happened at the time of o.
func (s Events) since(o Events) Events {
	d := Events{}
	for key, e := range s {
		if e.Times -= o[key].Times; e.Times > 0 {
			d[key] = e
		}
	}
	return d
}

// Count is how often something happened to a service, whichever its endpoint.
func (s Events) Count(what, service string) int {
	n := 0
	for key, e := range s {
		if key == what+" "+service || strings.HasPrefix(key, what+" "+service+" ") {
			n += e.Times
		}
	}
	return n
}
