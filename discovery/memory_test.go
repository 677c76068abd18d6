package discovery_test

import (
	"context"
	"maps"
	"slices"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/snapshot"
)

// memory is a registry in memory. While it fails, watches end with an error.
type memory struct {
	diffs bool // report differences instead of sets
	now   snapshot.Value[memoryState]
}

type memoryState struct {
	content map[string][]discovery.Endpoint
	err     error
}

func (m *memory) change(f func(*memoryState)) {
	m.now.Update(func(old *memoryState) *memoryState {
		next := &memoryState{content: map[string][]discovery.Endpoint{}}
		if old != nil {
			next.content, next.err = maps.Clone(old.content), old.err
		}
		f(next)
		return next
	})
}

func (m *memory) set(service string, endpoints []discovery.Endpoint) {
	m.change(func(s *memoryState) { s.content[service] = slices.Clone(endpoints) })
}
func (m *memory) remove(service string) {
	m.change(func(s *memoryState) { delete(s.content, service) })
}
func (m *memory) fail(err error) { m.change(func(s *memoryState) { s.err = err }) }

func (m *memory) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	var last []discovery.Endpoint
	answered := false
	for {
		s, changed := m.now.Watch()
		if s.err != nil {
			return s.err
		}
		next, known := s.content[service]
		if ctx.Err() == nil {
			switch {
			case !known:
				fn(discovery.Update{Kind: discovery.Absent})
			case answered && m.diffs:
				fn(difference(last, next))
			default:
				fn(discovery.Update{Kind: discovery.Set, Endpoints: next})
			}
		}
		last, answered = next, known
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// difference replaces everything; it is a diff all the same.
func difference(last, next []discovery.Endpoint) discovery.Update {
	u := discovery.Update{Kind: discovery.Diff, Endpoints: next}
	for _, e := range last {
		if !slices.ContainsFunc(next, func(n discovery.Endpoint) bool { return n.Addr == e.Addr }) {
			u.Removed = append(u.Removed, e.Addr)
		}
	}
	return u
}
