package stack

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// timed is a request that has d left, and the context that its handler gets.
func timed(t *testing.T, ctx context.Context, d time.Duration) (*Serve, context.Context) { //nolint:revive // t comes first in helpers
	t.Helper()
	c := &Serve{Served: call.Served{Ctx: ctx}, Left: d, Timed: true}
	if err := (serveDeadline{}).Begin(c); err != nil {
		t.Fatal(err)
	}
	return c, c.Ctx
}

// Whoever only looks and whoever waits sees what context.WithTimeout would show.
func TestServeTimeIsAContext(t *testing.T) {
	type key struct{}
	for name, look := range map[string]func(context.Context) error{
		"looks": context.Context.Err,
		"waits": func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			default:
				return nil
			}
		},
		"derives": func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return ctx.Err()
		},
		"asks for the cause": context.Cause,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
				defer cancel()

				_, ctx := timed(t, parent, time.Second)
				if at, ok := ctx.Deadline(); !ok || time.Until(at) != time.Second {
					t.Errorf("deadline %v, %v", at, ok)
				}
				if err := look(ctx); err != nil {
					t.Errorf("at once: %v", err)
				}
				if ctx.Value(key{}) != "v" {
					t.Error("a value of the parent is lost")
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if err := look(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("in the end: %v", err)
				}

				c, ctx := timed(t, parent, time.Second)
				(serveDeadline{}).End(c)
				if err := look(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("after the request: %v", err)
				}

				_, ctx = timed(t, parent, time.Second)
				cancel()
				if err := look(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("after the connection: %v", err)
				}
				time.Sleep(time.Second)
				if err := look(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("a context that was over for one reason is over for another: %v", err)
				}
			})
		})
	}
}

// Somebody waits when the end comes, on a context derived from the request's.
func TestServeTimeWakes(t *testing.T) {
	for name, end := range map[string]func(c *Serve, cancel context.CancelFunc){
		"time":       func(*Serve, context.CancelFunc) { time.Sleep(time.Second) },
		"request":    func(c *Serve, _ context.CancelFunc) { (serveDeadline{}).End(c) },
		"connection": func(_ *Serve, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithCancel(t.Context())
				defer cancel()
				c, ctx := timed(t, parent, time.Second)
				derived, stop := context.WithCancel(ctx)
				defer stop()
				woken := make(chan error)
				go func() {
					<-derived.Done()
					woken <- derived.Err()
				}()
				synctest.Wait()
				end(c, cancel)
				if err := <-woken; err == nil {
					t.Error("no error")
				}
			})
		})
	}
}

// A parent whose time is shorter bounds the request.
func TestServeTimeParentIsShorter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, ctx := timed(t, parent, time.Minute)
		if at, _ := ctx.Deadline(); time.Until(at) != time.Second {
			t.Errorf("deadline in %v", time.Until(at))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestServeTimeAllocations(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := new(Serve)
	if n := testing.AllocsPerRun(100, func() {
		*c = Serve{Served: call.Served{Ctx: ctx}, Left: time.Second, Timed: true}
		_ = (serveDeadline{}).Begin(c)
		_ = c.Ctx.Err()
		(serveDeadline{}).End(c)
	}); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}
