package manifest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// shadows finds matches that never decide. Routes of which no match does are found, and taken out, when manifests are
// loaded; what is left is looked at match by match, as if each were a route of its own.
func (l *linter) shadows() {
	policy, from := matchByMatch(l.state.Policy)
	for _, err := range split(policy.Validate()) {
		var f *traffic.FieldError
		if !errors.Is(err, traffic.ErrNeverMatches) || !errors.As(err, &f) {
			continue
		}
		dead, _ := numbers(f.Path)
		by, _ := numbers(inPolicy.FindString(f.Why))
		at := l.ofMatch(from[dead].route, from[dead].match)
		if at.Object == nil || !strings.HasSuffix(at.Field, "]") {
			continue // it answers what is left over, and is no one's match
		}
		why := strings.TrimPrefix(f.Error(), "traffic: "+f.Path+": ")
		if by >= 0 {
			why = fmt.Sprintf("never decides: %s takes all its requests", l.ofMatch(from[by].route, from[by].match).spot())
		}
		l.find(at.Object, at.Field, why, "")
	}
}

// routePart is a match of a route of the policy; -1 is the whole route.
type routePart struct{ route, match int }

// matchByMatch is the policy with a route for each match, and where each comes from.
func matchByMatch(p traffic.Policy) (traffic.Policy, []routePart) {
	var routes []traffic.Route
	var from []routePart
	for i, r := range p.Routes {
		if len(r.Match) < 2 {
			routes, from = append(routes, r), append(from, routePart{i, len(r.Match) - 1})
			continue
		}
		name, matches := r.Name, r.Match
		for j := range matches {
			r.Name, r.Match = fmt.Sprintf("%s match %d of %d", name, j, i), matches[j:j+1]
			routes, from = append(routes, r), append(from, routePart{i, j})
		}
	}
	p.Routes = routes
	return p, from
}
