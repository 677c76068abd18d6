package manifest

import (
	"fmt"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// at is the place of a field that is written down; nil where it is not.
func (o *Object) at(field string) *place {
	p := &o.places
	for field != "" {
		var key string
		key, field = step(field)
		if p = p.child(key); p == nil {
			return nil
		}
	}
	return p
}

// has says whether a field is written down.
func (o *Object) has(field string) bool { return o.at(field) != nil }

// spot is a place as findings name it: "VirtualService/orders spec.http[0] (mesh/orders.yaml:12)".
func (at Origin) spot() string {
	if at.Object == nil {
		return "what follows from the services themselves"
	}
	line, _ := at.Object.Position(at.Field)
	return fmt.Sprintf("%v %s (%s:%d)", at.Object, at.Field, at.Object.File, line)
}

// ofMatch is the place of a match of a route, where the resource has as many matches as the route; else that of the route.
func (at Origin) ofMatch(r *traffic.Route, i int) Origin {
	if at.Object == nil || strings.Contains(at.Field, ".match[") || strings.Contains(at.Field, ".matches[") {
		return at
	}
	for _, list := range []string{at.Field + ".match", at.Field + ".matches"} {
		if p := at.Object.at(list); p != nil && len(p.sub) == len(r.Match) && i >= 0 {
			at.Field = index(list, i)
		}
	}
	return at
}
