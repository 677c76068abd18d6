package stack

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What is done at the end comes after all servers and before the drain's end, hooks side by side; who cuts the grace is heard.
func TestServeDrainOnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(4*time.Second, 30*time.Second)
		a := &recorder{hold: make(chan struct{})}
		close(a.hold)
		s.Add(a)
		start := time.Now()
		for range 2 {
			s.OnEnd(func(ctx context.Context) {
				time.Sleep(time.Second)
				a.note("end")
				if ctx.Err() != nil {
					t.Error("the grace is cut, and nobody did it")
				}
				<-ctx.Done()
			})
		}
		time.AfterFunc(7*time.Second, func() { _ = s.Close() })
		if err := s.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("took %v", took)
		}
		if want := []string{"shutdown", "close", "end", "end"}; !slices.Equal(a.notes, want) {
			t.Errorf("%q, want %q", a.notes, want)
		}
	})
}
