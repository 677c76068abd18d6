package stack

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

func newTestServer(delay, timeout time.Duration) *Server {
	return NewServer(ServerConfig{Logger: slog.New(slog.DiscardHandler), DrainDelay: delay, DrainTimeout: timeout})
}

func TestServeRefusesWhatHasExpired(t *testing.T) {
	s := newTestServer(0, time.Second)
	passed, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	for name, c := range map[string]*Serve{
		"told by a header":    {Served: call.Served{Ctx: t.Context()}, Timed: true},
		"told by the context": {Served: call.Served{Ctx: passed}},
		"told by both":        {Served: call.Served{Ctx: passed}, Timed: true, Left: time.Hour},
	} {
		err := s.Begin(c)
		var refused *call.Error
		if !errors.As(err, &refused) || refused.Reason != call.Deadline || refused.Code != call.DeadlineExceeded {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServeAddsNothingUntold(t *testing.T) {
	s := newTestServer(0, time.Second)
	ctx := t.Context()
	c := &Serve{Served: call.Served{Ctx: ctx}, Attempt: 1}
	if n := testing.AllocsPerRun(100, func() {
		if err := s.Begin(c); err != nil {
			t.Fatal(err)
		}
		s.End(c)
	}); n != 0 || c.Ctx != ctx {
		t.Errorf("%v allocations, context replaced: %v", n, c.Ctx != ctx)
	}
}

func TestServeLogsAPanicOnce(t *testing.T) {
	var log strings.Builder
	s := NewServer(ServerConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	c := &Serve{Served: call.Served{Ctx: t.Context(), Method: "GET"}, Path: "/x"}
	if err := s.Begin(c); err != nil {
		t.Fatal(err)
	}
	c.Panic = "boom"
	s.End(c)
	if strings.Count(log.String(), "boom") != 1 || !strings.Contains(log.String(), "serve_test.go") {
		t.Errorf("log: %s", log.String())
	}
}

// recorder is a stopper that notes what is asked of it.
type recorder struct {
	mu    sync.Mutex
	notes []string
	hold  chan struct{} // Shutdown waits for it
}

func (r *recorder) note(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, s)
}

func (r *recorder) Shutdown(ctx context.Context) error {
	r.note("shutdown")
	select {
	case <-r.hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *recorder) Close() error {
	r.note("close")
	return nil
}

func TestServeDrainOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(4*time.Second, 30*time.Second)
		a, b := &recorder{hold: make(chan struct{})}, &recorder{hold: make(chan struct{})}
		close(b.hold)
		s.Add(a)
		s.Add(b)
		s.OnDrain(func() { a.note("not ready") })
		start := time.Now()
		go func() {
			<-s.Stopping()
			if at := time.Since(start); at != 4*time.Second {
				t.Errorf("stopping after %v", at)
			}
			time.Sleep(time.Second)
			close(a.hold)
		}()
		if err := s.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
		if want := []string{"not ready", "shutdown", "close"}; !slices.Equal(a.notes, want) {
			t.Errorf("%q, want %q", a.notes, want)
		}
		late := &recorder{}
		s.Add(late)
		s.OnDrain(func() { late.note("hook") })
		if want := []string{"close", "hook"}; !slices.Equal(late.notes, want) {
			t.Errorf("late: %q, want %q", late.notes, want)
		}
	})
}

func TestServeDrainIsBounded(t *testing.T) {
	for _, tc := range []struct {
		name string
		cut  func(context.CancelFunc, *Server)
		took time.Duration
	}{
		{"by DrainTimeout", func(context.CancelFunc, *Server) {}, 35 * time.Second},
		{"by its context, serving", func(cancel context.CancelFunc, _ *Server) { time.Sleep(time.Second); cancel() }, time.Second},
		{"by its context, stopping", func(cancel context.CancelFunc, _ *Server) { time.Sleep(9 * time.Second); cancel() }, 9 * time.Second},
		{"by Close", func(_ context.CancelFunc, s *Server) { time.Sleep(2 * time.Second); _ = s.Close() }, 2 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(5*time.Second, 30*time.Second)
				s.Add(&recorder{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				start := time.Now()
				go tc.cut(cancel, s)
				if err := s.Drain(ctx); err == nil {
					t.Error("no error")
				}
				if took := time.Since(start); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
			})
		})
	}
}

// Whoever joins a drain may also end its grace.
func TestServeDrainJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(5*time.Second, 30*time.Second)
		s.Add(&recorder{})
		short, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		start := time.Now()
		var wg sync.WaitGroup
		for _, ctx := range []context.Context{t.Context(), short, t.Context()} {
			wg.Go(func() {
				if err := s.Drain(ctx); err == nil || time.Since(start) != 7*time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		}
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
