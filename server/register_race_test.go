package server

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// While a registry is away Register goes on, until the server drains; then it is given up and holds nothing up.
func TestRegisterIsGivenUpByDrain(t *testing.T) {
	for name, end := range map[string]func(*Server) error{
		"drain": func(s *Server) error { return s.Drain(context.Background()) },
		"close": (*Server).Close,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := mustNew(t, Config{DrainDelay: 5 * time.Second})
				r := &registry{journal: &journal{start: time.Now()}, register: hang}
				result := make(chan error)
				go func() { result <- s.Register(t.Context(), r, orders) }()
				time.Sleep(time.Hour)
				go end(s)
				err := <-result
				if !errors.Is(err, errDraining) || !errors.Is(err, context.Canceled) ||
					!strings.HasPrefix(err.Error(), "server: register orders: ") {
					t.Errorf("Register returned %v", err)
				}
				if err := end(s); err != nil {
					t.Error(err)
				}
				r.is(t, "0s register", "1h0m0s register failed")
			})
		})
	}
}

// A registry may take an instance although it was told to stop. Then the instance leaves at once.
func TestRegisterLate(t *testing.T) {
	for _, c := range []struct {
		name     string
		answers  time.Duration // after the beginning of the drain
		returned time.Duration // when Drain is
		leave    func(context.Context) error
		want     []string
	}{
		{"while the server serves", 3 * time.Second, 5 * time.Second, nil, []string{"0s register", "3s leave"}},
		{"and hangs then", 3 * time.Second, 5 * time.Second, hang, []string{
			"0s register", "3s leave", "4s leave failed",
			`4s log: an instance was not deregistered" service=orders address=10.0.0.7:80 error="context deadline exceeded"`,
		}},
		{"while others leave", 8 * time.Second, 8 * time.Second, nil, []string{"0s register", "8s leave"}},
		{"after all", time.Minute, 11 * time.Second, nil, []string{
			"0s register", `11s log: a registry does not let go; it is not waited for any more"`, "1m0s leave",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &registry{journal: &journal{start: time.Now()}, leave: c.leave}
				r.register = func(context.Context) error { time.Sleep(c.answers); return nil }
				s, err := New(Config{Logger: r.logger()})
				if err != nil {
					t.Fatal(err)
				}
				result := make(chan error, 1)
				go func() { result <- s.Register(t.Context(), r, orders) }()
				synctest.Wait()
				if err := s.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				if at := time.Since(r.start); at != c.returned {
					t.Errorf("Drain returned after %v, want %v", at, c.returned)
				}
				if err := <-result; !errors.Is(err, errDraining) {
					t.Errorf("Register returned %v", err)
				}
				r.is(t, c.want...)
			})
		})
	}
}

// Errors of Register leave nothing to do for the drain.
func TestRegisterErrors(t *testing.T) {
	failed := []string{"0s register", "0s register failed"}
	drained := func(s *Server) { _ = s.Drain(context.Background()) }
	for _, c := range []struct {
		name     string
		limit    time.Duration // of Register's context; 0: none
		registry *registry
		before   func(*Server)
		want     error
		text     string
		asked    []string
	}{
		{"refused", 0, &registry{register: fail}, nil, nil, "server: register orders: no", failed},
		{
			"its context ends", time.Minute, &registry{register: hang}, nil, context.DeadlineExceeded, "",
			[]string{"0s register", "1m0s register failed"},
		},
		{"drained", 0, &registry{}, drained, errDraining, "server: register orders: the server is draining", nil},
		{"closed", 0, &registry{}, func(s *Server) { _ = s.Close() }, errDraining, "", nil},
		{"no registrar", 0, nil, nil, nil, "server: register orders: there is no registrar", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := mustNew(t, Config{})
				if c.before != nil {
					c.before(s)
				}
				var r discovery.Registrar
				if c.registry != nil {
					c.registry.journal = &journal{start: time.Now()}
					r = c.registry
				}
				ctx := t.Context()
				if c.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.limit)
					defer cancel()
				}
				err := s.Register(ctx, r, orders)
				if err == nil || c.want != nil && !errors.Is(err, c.want) || c.text != "" && err.Error() != c.text {
					t.Errorf("Register returned %v", err)
				}
				if n := len(s.leases.all); n != 0 {
					t.Errorf("%d instances are kept", n)
				}
				if err := s.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				if c.registry != nil {
					c.registry.is(t, c.asked...)
				}
			})
		})
	}
}

// Registries do not wait for each other, and the time to leave in is one for all.
func TestRegisterSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := mustNew(t, Config{DrainDelay: 4 * time.Second, DrainTimeout: 2 * time.Second})
		good := &registry{journal: &journal{start: start}}
		away := &registry{journal: &journal{start: start}, drain: hang, leave: hang}
		for _, r := range []*registry{away, good, away, good} {
			if err := s.Register(t.Context(), r, orders); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("Drain took %v, want DrainDelay and DrainTimeout", took)
		}
		good.sort() // what happens side by side has no order
		away.sort()
		good.is(t, "0s drain", "0s drain", "0s register", "0s register", "4s leave", "4s leave")
		away.is(t, "0s drain", "0s drain", "0s register", "0s register", "4s drain failed", "4s drain failed",
			"4s leave", "4s leave", "6s leave failed", "6s leave failed")
	})
}

// A Ready of the caller's own is what the registry hears.
func TestRegisterReady(t *testing.T) {
	s := mustNew(t, Config{})
	r := &registry{journal: &journal{}}
	reg := orders
	reg.Ready = func() bool { return false }
	if err := s.Register(t.Context(), r, reg); err != nil {
		t.Fatal(err)
	}
	if r.reg.Ready() {
		t.Error("the registry was given another Ready")
	}
}

// However Register, Drain and Close meet, nothing stays registered, and what Register returned is true.
func TestRegisterRaces(t *testing.T) {
	for round := range 200 {
		s := mustNew(t, Config{})
		r := &registry{journal: &journal{}}
		if round%2 == 0 {
			r.register = func(context.Context) error { runtime.Gosched(); return nil } // the drain may begin meanwhile
		}
		var calls sync.WaitGroup
		begin := make(chan struct{})
		for range 8 {
			calls.Go(func() {
				<-begin
				if err := s.Register(t.Context(), r, orders); err != nil && !errors.Is(err, errDraining) {
					t.Error(err)
				}
			})
		}
		for _, end := range []func() error{func() error { return s.Drain(context.Background()) }, s.Close} {
			calls.Go(func() {
				<-begin
				if err := end(); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		calls.Wait()
		if n := r.known.Load(); n != 0 {
			t.Fatalf("round %d: %d instances were left behind", round, n)
		}
	}
}
