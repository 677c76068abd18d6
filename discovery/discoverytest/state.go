package discoverytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/discovery"
)

// state is what a client knows of a service.
type state struct {
	answered, absent bool
	set              []discovery.Endpoint
}

func (st state) String() string {
	switch {
	case !st.answered:
		return "no answer"
	case st.absent:
		return "absent"
	}
	return fmt.Sprintf("%d endpoints %+v", len(st.set), st.set)
}

// apply follows the update and returns what is wrong with it.
func (st *state) apply(u discovery.Update) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	switch u.Kind {
	case discovery.Failed:
		if u.Err == nil {
			problem("a failed update without Err")
		}
		return problems
	case discovery.Diff:
		if !st.answered || st.absent {
			problem("a diff without a set before it")
		}
	case discovery.Set, discovery.Absent:
	default:
		problem("an update of unknown %v", u.Kind)
	}
	if u.Kind == discovery.Absent && len(u.Endpoints) > 0 {
		problem("endpoints of an absent service")
	}
	if u.Kind != discovery.Diff && len(u.Removed) > 0 {
		problem("Removed in a %v", u.Kind)
	}
	seen := map[string]bool{}
	for _, e := range u.Endpoints {
		if err := e.Validate(); err != nil {
			problem("endpoint %+v: %v", e, err)
		}
		if seen[e.Addr] {
			problem("address %s is there twice", e.Addr)
		}
		seen[e.Addr] = true
	}
	st.answered, st.absent, st.set = true, u.Kind == discovery.Absent, u.Apply(st.set)
	return problems
}

func sameUpdate(a, b discovery.Update) bool {
	return a.Kind == b.Kind && slices.Equal(a.Removed, b.Removed) && slices.EqualFunc(a.Endpoints, b.Endpoints, same)
}

func deepCopy(u discovery.Update) discovery.Update {
	u.Endpoints, u.Removed = slices.Clone(u.Endpoints), slices.Clone(u.Removed)
	for i := range u.Endpoints {
		u.Endpoints[i].Metadata = maps.Clone(u.Endpoints[i].Metadata)
	}
	return u
}

// alike compares two sets whatever their order.
func alike(a, b []discovery.Endpoint) bool {
	return slices.EqualFunc(byAddr(a), byAddr(b), same)
}

func byAddr(endpoints []discovery.Endpoint) []discovery.Endpoint {
	sorted := slices.Clone(endpoints)
	slices.SortFunc(sorted, func(a, b discovery.Endpoint) int { return strings.Compare(a.Addr, b.Addr) })
	return sorted
}

func same(a, b discovery.Endpoint) bool {
	return a.Addr == b.Addr && a.Zone == b.Zone && a.Region == b.Region && a.SubZone == b.SubZone &&
		a.Share() == b.Share() && a.ID == b.ID && maps.Equal(a.Metadata, b.Metadata)
}
