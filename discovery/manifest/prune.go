package manifest

import (
	"errors"
	"slices"

	"github.com/intramesh/intramesh/client/traffic"
)

// maxPrune bounds how often routes are taken out and the rest is checked again.
const maxPrune = 8

// validate checks the policy. Routes and matches that can never match are taken out of it with a warning, since Istio and
// the Gateway API allow them, and a client does not. It reports whether the policy is that of good, which may be nil: that
// one was checked, and a change of endpoints alone need not wait for it.
func (t *translation) validate(good *State) (same bool) {
	for range maxPrune {
		if good != nil && good.Policy.Equal(t.state.Policy) {
			return true
		}
		errs := split(t.state.Policy.Validate())
		var never []error
		for _, err := range errs {
			t.blame(err)
			if errors.Is(err, traffic.ErrNeverMatches) {
				never = append(never, err)
			}
		}
		if len(never) == 0 || len(never) < len(errs) {
			return false
		}
		t.prune(never)
	}
	return false
}

// split takes joined errors apart.
func split(err error) []error {
	if err == nil {
		return nil
	}
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		return many.Unwrap()
	}
	return []error{err}
}

// prune takes out what never matches. It makes new lists: the routes of the policy are not changed.
func (t *translation) prune(never []error) {
	dead := map[[2]int]bool{} // route and match; match -1 is the whole route
	for _, err := range never {
		var f *traffic.FieldError
		if !errors.As(err, &f) {
			continue
		}
		route, match := numbers(f.Path)
		dead[[2]int{route, match}] = true
	}
	var routes []traffic.Route
	var origins []Origin
	for i, r := range t.state.Policy.Routes {
		match := slices.Clone(r.Match)
		for j := len(match) - 1; j >= 0; j-- {
			if dead[[2]int{i, j}] {
				match = slices.Delete(match, j, j+1)
			}
		}
		if dead[[2]int{i, -1}] || len(match) == 0 && len(r.Match) > 0 {
			continue
		}
		r.Match = match
		routes, origins = append(routes, r), append(origins, t.state.routes[i])
	}
	t.state.Policy.Routes, t.state.routes = routes, origins
}

// numbers are those of the route and the match in "Routes[3].Match[0].Path"; -1 where there is none.
func numbers(path string) (route, match int) {
	route, match = -1, -1
	for key := ""; path != ""; {
		before := key
		key, path = step(path)
		n, ok := number(key)
		switch {
		case ok && before == "Routes":
			route = n
		case ok && before == "Match" && match < 0:
			match = n
		}
	}
	return route, match
}
