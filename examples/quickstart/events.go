package main

import (
	"strings"
	"time"
)

// event is something that has happened some number of times.
type event struct {
	Times int       `json:"times"`
	Last  time.Time `json:"last"`
}

// events are counted by what happened to whom: "opened reviews", "ejected inventory 127.0.0.1:1234",
// "stranger payments unknown_authority".
type events map[string]event

// What happens. The first five are records of the mesh's log, the others what the guard of a server saw.
const (
	opened     = "opened"     // a breaker
	closed     = "closed"     // it
	ejected    = "ejected"    // an endpoint
	readmitted = "readmitted" // it
	stranger   = "stranger"   // a connection was refused
	denied     = "denied"     // a request of somebody who may not
	served     = "served"     // a request, by the serial number of its caller's certificate
)

// merge adds o.
func (s events) merge(o events) {
	for key, e := range o {
		if e.Last.Before(s[key].Last) {
			e.Last = s[key].Last
		}
		e.Times += s[key].Times
		s[key] = e
	}
}

// since is s without what had happened at the time of o.
func (s events) since(o events) events {
	d := events{}
	for key, e := range s {
		if e.Times -= o[key].Times; e.Times > 0 {
			d[key] = e
		}
	}
	return d
}

// count is how often something happened to a service, whichever its endpoint.
func (s events) count(what, service string) int {
	n := 0
	for key, e := range s {
		if key == what+" "+service || strings.HasPrefix(key, what+" "+service+" ") {
			n += e.Times
		}
	}
	return n
}
