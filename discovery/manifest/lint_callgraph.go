package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// callGraph are the hops by who calls; "" is anybody.
type callGraph struct {
	from map[string]map[string]Hop
	best map[string]*Amplification // from each caller on, as far as it is known
	busy map[string]bool           // callers on the way to which the search is
}

func newCallGraph() *callGraph {
	return &callGraph{from: map[string]map[string]Hop{}, best: map[string]*Amplification{}, busy: map[string]bool{}}
}

// callGraph goes through all routes.
func (l *linter) callGraph() *callGraph {
	g := newCallGraph()
	who, settings := l.callers(), l.wholes()
	for i := range l.state.Policy.Routes {
		r, at := &l.state.Policy.Routes[i], l.state.routes[i]
		if at.Object == nil || r.Redirect != nil || r.Respond != nil {
			continue
		}
		for j := range max(1, len(r.Match)) {
			callers := []string{""}
			if len(r.Match) > 0 && len(r.Match[j].Source) > 0 {
				callers = who.of(r.Match[j].Source)
			}
			for _, to := range l.goesTo(r) {
				for _, from := range callers {
					g.add(Hop{from, to, l.attempts(r, settings[to]), at})
				}
			}
		}
	}
	return g
}

// goesTo are the services that get requests of a route.
func (l *linter) goesTo(r *traffic.Route) (names []string) {
	for _, b := range r.To {
		switch {
		case b.Respond != nil || b.Weight == 0 && len(r.To) > 1:
		case b.Service != "":
			names = append(names, l.nodeOf(b.Service))
		default:
			names = append(names, l.called(r)...)
		}
	}
	if len(r.To) == 0 {
		names = l.called(r)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// called are the services that were called, where names and not patterns say it.
func (l *linter) called(r *traffic.Route) (names []string) {
	for _, host := range r.Hosts {
		if name, _, _ := splitPort(host); !strings.Contains(name, "*") {
			names = append(names, l.nodeOf(name))
		}
	}
	return names
}

// nodeOf is the one name of a service that chains use.
func (l *linter) nodeOf(name string) string {
	if s, _, _, _ := l.state.services.find(name); s != nil && !strings.HasPrefix(s.host, "*") {
		return l.canonical(s.host)
	}
	return name
}

// wholes are the settings of services as a whole, by name.
func (l *linter) wholes() map[string]*traffic.Settings {
	all := map[string]*traffic.Settings{}
	for i := range l.state.Policy.Destinations {
		if d := &l.state.Policy.Destinations[i]; d.Port == 0 {
			all[d.Service] = &d.Settings
		}
	}
	return all
}

// add keeps the worst of the routes from one service to another.
func (g *callGraph) add(h Hop) {
	if g.from[h.From] == nil {
		g.from[h.From] = map[string]Hop{}
	}
	if h.From != h.To && g.from[h.From][h.To].Attempts < h.Attempts {
		g.from[h.From][h.To] = h
	}
}

// worst is the worst chain from any caller on.
func (g *callGraph) worst() (worst *Amplification) {
	for _, from := range slices.Sorted(maps.Keys(g.from)) {
		if a := g.onward(from); a != nil && worse(a, worst) {
			worst = a
		}
	}
	return worst
}

// worse prefers more attempts, of chains with as many the shorter one, and of these one whose caller is known.
func worse(a, b *Amplification) bool {
	switch {
	case b == nil || a.Attempts != b.Attempts:
		return b == nil || a.Attempts > b.Attempts
	case len(a.Hops) != len(b.Hops):
		return len(a.Hops) < len(b.Hops)
	}
	return b.Hops[0].From == "" && a.Hops[0].From != ""
}

// mostAttempts is where counting ends.
const mostAttempts = 1 << 40

// onward is the worst chain that begins at a caller. Callers that are on the way already are not gone to again.
func (g *callGraph) onward(from string) (worst *Amplification) {
	if a, known := g.best[from]; known {
		return a
	}
	g.busy[from] = true
	for _, to := range slices.Sorted(maps.Keys(g.from[from])) {
		h := g.from[from][to]
		a := &Amplification{Attempts: h.Attempts, Hops: []Hop{h}}
		if !g.busy[to] {
			if rest := g.onward(to); rest != nil && rest.Attempts > 1 {
				a.Attempts = min(mostAttempts, a.Attempts*rest.Attempts)
				a.Hops = append(a.Hops, rest.Hops...)
			}
		}
		if worse(a, worst) {
			worst = a
		}
	}
	g.busy[from] = false
	g.best[from] = worst
	return worst
}
