package manifest

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/intramesh/intramesh/client/traffic"
)

// candidate is a match of a rule among all that may decide a request.
type candidate struct {
	route       *boundRoute
	rule, match int
}

func (c candidate) rank() rank { return c.route.rules[c.rule].matches[c.match].rank }

// candidates are the matches of all rules in the order in which they are asked: by rank, then those of the older route, then in
// the order of the rules.
func candidates(routes []*boundRoute) (all []candidate) {
	for _, r := range routes {
		for i := range r.rules {
			for j := range r.rules[i].matches {
				all = append(all, candidate{r, i, j})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(a.rank().compare(b.rank()), older(a.route, b.route), cmp.Compare(a.rule, b.rule), cmp.Compare(a.match, b.match))
	})
	return all
}

// emitRules adds the rules of a list. Matches of a rule that follow each other make one route. It reports whether every request
// has one, and every gRPC call.
func (g *gatewayRoutes) emitRules(l *routeList, at string, hosts []string) (all, calls bool) {
	list := candidates(l.routes)
	pieces := map[*boundRule]int{}
	runs(list, func(run []candidate) { pieces[run[0].of()]++ })
	runs(list, func(run []candidate) {
		rule := run[0].of()
		route, field := rule.route, rule.field
		route.Name, route.Hosts = rule.name, hosts
		if pieces[rule] > 1 {
			route.Name += "/matches[" + strconv.Itoa(run[0].match) + "]"
		}
		if run[0].route.lists > 1 {
			route.Name += " for " + at
		}
		for _, c := range run {
			m := &rule.matches[c.match]
			all = all || m.all() || m.is.Path == traffic.PathPrefix("/") && onlyPath(m)
			calls = calls || m.calls()
			route.Match = append(route.Match, m.is)
		}
		if len(run) == 1 {
			field = rule.matches[run[0].match].field
		}
		if slices.ContainsFunc(run, func(c candidate) bool { return rule.matches[c.match].all() }) {
			route.Match = nil
		}
		g.route(run[0].route.o, field, route)
	})
	return all, calls
}

// calls says whether every gRPC call meets a match.
func (m *boundMatch) calls() bool {
	rest := *m
	rest.is.GRPC = nil
	return m.is.GRPC != nil && *m.is.GRPC == traffic.GRPCMatch{} && rest.all()
}

// onlyPath says whether a match has no condition beside that on the path.
func onlyPath(m *boundMatch) bool {
	rest := *m
	rest.is.Path = traffic.Value{}
	return rest.all()
}

func (c candidate) of() *boundRule { return &c.route.rules[c.rule] }

// runs takes a list apart into runs of the same rule.
func runs(list []candidate, each func(run []candidate)) {
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j].route == list[i].route && list[j].rule == list[i].rule {
			j++
		}
		each(list[i:j])
		i = j
	}
}
