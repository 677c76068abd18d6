package manifest

import (
	"slices"

	"github.com/intramesh/intramesh/client/traffic"
)

// scope is for whom and at which port a route is there at all, in the labels of the caller and in the port that it calls. To
// Istio a resource that has no route for a caller and a port is not there, so that the next one for the host counts, or the
// service itself; one that has is all there is: what no route matches is answered with 404.
type scope struct {
	source   map[string]string
	port     uint16
	catchAll bool // and it takes every request of these
}

// within says whether all that is in s is in o as well.
func (s scope) within(o scope) bool {
	if o.port != 0 && o.port != s.port {
		return false
	}
	for label, value := range o.source {
		if have, ok := s.source[label]; !ok || have != value {
			return false
		}
	}
	return true
}

// everything says that a scope holds for all callers and ports.
func (s scope) everything() bool { return len(s.source) == 0 && s.port == 0 }

// match is the scope as a condition.
func (s scope) match() traffic.Match { return traffic.Match{Source: s.source, Port: s.port} }

// scopesOf are those of routes, without those that others contain.
func scopesOf(routes []*httpRoute) (scopes []scope) {
	for _, r := range routes {
		if len(r.matches) == 0 {
			scopes = addScope(scopes, scope{catchAll: true})
		}
		for _, m := range r.matches {
			s := scope{source: source(m.HTTPMatchRequest), port: uint16(m.GetPort()), catchAll: isCatchAll(m.HTTPMatchRequest)}
			scopes = addScope(scopes, s)
		}
	}
	return scopes
}

// addScope adds a scope where no other contains it. One that takes every request stands for those that it contains.
func addScope(scopes []scope, s scope) []scope {
	for _, have := range scopes {
		if s.within(have) && (have.catchAll || !s.catchAll) {
			return scopes
		}
	}
	scopes = slices.DeleteFunc(scopes, func(have scope) bool { return have.within(s) && (s.catchAll || !have.catchAll) })
	return append(scopes, s)
}

// unmatched are the scopes in which a request may be left that no route matches.
func unmatched(scopes []scope) (left []scope) {
	for _, s := range scopes {
		if !s.catchAll {
			left = append(left, s)
		}
	}
	return left
}

// all says whether scopes contain every caller and port.
func all(scopes []scope) bool { return slices.ContainsFunc(scopes, scope.everything) }
