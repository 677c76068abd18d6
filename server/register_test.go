package server

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// journal writes down what happens, and when.
type journal struct {
	start time.Time
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, time.Since(j.start).String()+" "+what)
}

// Write takes log lines, of which it keeps the message and the error.
func (j *journal) Write(p []byte) (int, error) {
	_, text, _ := strings.Cut(strings.TrimSpace(string(p)), "intramesh: ")
	j.note("log: " + text)
	return len(p), nil
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// forget takes a line out that may have been written at any time before the instance left.
func (j *journal) forget(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := slices.Index(j.lines, line); i >= 0 && i < slices.Index(j.lines, "0s leave") {
		j.lines = slices.Delete(j.lines, i, i+1)
	}
}

func (j *journal) sort() {
	j.mu.Lock()
	defer j.mu.Unlock()
	slices.Sort(j.lines)
}

func (j *journal) is(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.lines, want) {
		t.Errorf("this happened:\n%s\nwant:\n%s", strings.Join(j.lines, "\n"), strings.Join(want, "\n"))
	}
}

// registry is a registry that can be made to fail or hang. A nil function does its work at once.
type registry struct {
	*journal
	register, drain, leave func(context.Context) error
	reg                    discovery.Registration // the last
	known                  atomic.Int32
}

func (r *registry) do(ctx context.Context, f func(context.Context) error, what string) error {
	r.note(what)
	if f == nil {
		return nil
	}
	err := f(ctx)
	if err != nil {
		r.note(what + " failed")
	}
	return err
}

func (r *registry) Register(ctx context.Context, reg discovery.Registration) (discovery.Lease, error) {
	r.mu.Lock()
	r.reg = reg
	r.mu.Unlock()
	if err := r.do(ctx, r.register, "register"); err != nil {
		return nil, err
	}
	r.known.Add(1)
	return r, nil
}

func (r *registry) Drain(ctx context.Context) error { return r.do(ctx, r.drain, "drain") }

func (r *registry) Leave(ctx context.Context) error {
	err := r.do(ctx, r.leave, "leave")
	if err == nil {
		r.known.Add(-1)
	}
	return err
}

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func fail(context.Context) error { return errors.New("no") }

var orders = discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "10.0.0.7:80"}}

// stopper tells when the servers stop, which takes it a second, unless it is closed.
type stopper struct{ *journal }

func (s stopper) Shutdown(ctx context.Context) error {
	s.note("stop")
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	s.note("stopped")
	return nil
}

func (s stopper) Close() error { return nil }

// A registered server follows its drain through everything that a registry may do meanwhile.
func TestRegisterAndEnd(t *testing.T) {
	drain := func(s *Server) error { return s.Drain(context.Background()) }
	for _, c := range []struct {
		name     string
		registry *registry
		end      func(*Server) error
		want     []string
	}{
		{
			"drain", &registry{}, drain,
			[]string{"0s register", "0s drain", "5s stop", "6s stopped", "6s leave"},
		},
		{
			"registry hangs", &registry{drain: hang, leave: hang}, drain,
			[]string{
				"0s register", "0s drain", "5s stop", "6s stopped", "6s drain failed",
				`6s log: an instance was not taken out of service" service=orders address=10.0.0.7:80 error="context canceled"`,
				"6s leave", "11s leave failed",
				`11s log: an instance was not deregistered" service=orders address=10.0.0.7:80 error="context deadline exceeded"`,
			},
		},
		{
			"registry is slow to let go", &registry{drain: func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(2 * time.Second)
				return nil
			}}, drain,
			[]string{"0s register", "0s drain", "5s stop", "6s stopped", "8s leave"},
		},
		{
			"registry refuses", &registry{drain: fail, leave: fail}, drain,
			[]string{
				"0s register", "0s drain", "0s drain failed",
				`0s log: an instance was not taken out of service" service=orders address=10.0.0.7:80 error=no`,
				"5s stop", "6s stopped", "6s leave", "6s leave failed",
				`6s log: an instance was not deregistered" service=orders address=10.0.0.7:80 error=no`,
			},
		},
		{
			"close", &registry{}, (*Server).Close,
			[]string{"0s register", "0s stop", "0s stopped", "0s leave"},
		},
		{
			"close, registry hangs", &registry{leave: hang}, (*Server).Close,
			[]string{
				"0s register", "0s stop", "0s stopped", "0s leave", "1s leave failed",
				`1s log: an instance was not deregistered" service=orders address=10.0.0.7:80 error="context canceled"`,
			},
		},
		{
			"drain without grace", &registry{}, func(s *Server) error {
				ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
				defer cancel()
				return s.Drain(ctx)
			},
			[]string{"0s register", "0s drain", "3s stop", "3s stopped", "3s leave"},
		},
		{
			"close while leaving", &registry{leave: hang}, func(s *Server) error {
				time.AfterFunc(8*time.Second, func() { _ = s.Close() })
				return drain(s)
			},
			[]string{
				"0s register", "0s drain", "5s stop", "6s stopped", "6s leave", "9s leave failed",
				`9s log: an instance was not deregistered" service=orders address=10.0.0.7:80 error="context canceled"`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := c.registry
				r.journal = &journal{start: time.Now()}
				s, err := New(Config{Logger: r.logger()})
				if err != nil {
					t.Fatal(err)
				}
				s.core.Add(stopper{r.journal})
				if err := s.Register(t.Context(), r, orders); err != nil {
					t.Fatal(err)
				}
				if !r.reg.Ready() {
					t.Error("the registry hears that the server is not ready")
				}
				if err := c.end(s); err != nil {
					t.Error(err)
				}
				if r.reg.Ready() {
					t.Error("the registry hears that the server is ready")
				}
				if !slices.Contains(c.want, "0s drain") {
					r.forget("0s drain") // side by side with the stop, and over before the instance leaves
				}
				r.is(t, c.want...)
				_, _ = s.Close(), s.Drain(t.Context()) // again
				r.is(t, c.want...)
			})
		})
	}
}
