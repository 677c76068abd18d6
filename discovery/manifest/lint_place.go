package manifest

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
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

// ofMatch is the place of a match of a route of the policy, where the resource has as many matches for this process as the
// policy has of it; else that of the route. What a resource calls one route may be several in a row, which share its matches.
func (l *linter) ofMatch(route, match int) Origin {
	s := l.state
	at := s.routes[route]
	if at.Object == nil || match < 0 || strings.Contains(at.Field, ".match") {
		return at
	}
	first, all := route, 0
	for s.ofOne(first-1, route) {
		first--
		match += len(s.Policy.Routes[first].Match)
	}
	for i := first; s.ofOne(i, route); i++ {
		all += len(s.Policy.Routes[i].Match)
	}
	if list, name := l.matchesOf(at); len(list) == all {
		at.Field = index(at.Field+name, list[match])
	}
	return at
}

// ofOne says whether two routes of the policy were made of the same one, for the same hosts.
func (s *State) ofOne(i, j int) bool {
	return i >= 0 && i < len(s.routes) && s.routes[i] == s.routes[j] && slices.Equal(s.Policy.Routes[i].Hosts, s.Policy.Routes[j].Hosts)
}

// matchesOf are the numbers of the matches that a route has for this process, and the name of their list.
func (l *linter) matchesOf(at Origin) (list []int, name string) {
	spec, is := at.Object.Spec.(*networking.VirtualService)
	if !is {
		if p := at.Object.at(at.Field + ".matches"); p != nil {
			for i := range p.sub {
				list = append(list, i)
			}
		}
		return list, ".matches"
	}
	i, ok := number(strings.TrimSuffix(strings.TrimPrefix(at.Field, "spec.http["), "]"))
	if !ok || i >= len(spec.GetHttp()) {
		return nil, ""
	}
	x := &istio{translation: l.translation}
	for j, m := range spec.GetHttp()[i].GetMatch() {
		if x.forMesh(m) {
			list = append(list, j)
		}
	}
	return list, ".match"
}
