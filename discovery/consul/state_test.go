package consul

import (
	"context"
	"errors"
	"testing"

	"github.com/intramesh/intramesh/discovery"
)

// TestTellEnds checks that who ends its Watch while it is told something is told nothing more.
func TestTellEnds(t *testing.T) {
	first := new(state).answer([]discovery.Endpoint{at("10.0.0.1:80")}, false)
	for name, s := range map[string]*state{
		"what is known, and that it is old": first.failure(errors.New("away")),
		"what is known":                     first,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var heard []discovery.Kind
		hear := func(u discovery.Update) { heard = append(heard, u.Kind); cancel() }
		s.tell(ctx, new(state), hear)
		s.answer(nil, true).tell(ctx, s, hear)
		if len(heard) != 1 || heard[0] != discovery.Set {
			t.Errorf("%s: %v", name, heard)
		}
		cancel()
	}
}
