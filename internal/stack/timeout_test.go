package stack

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// counting is a caller's context that counts the contexts derived from it that have not been let go.
type counting struct {
	context.Context

	held atomic.Int64
}

func (c *counting) Done() <-chan struct{} { return make(chan struct{}) }

// AfterFunc is how package context follows a context of somebody else's making.
func (c *counting) AfterFunc(func()) (stop func() bool) {
	c.held.Add(1)
	return func() bool { c.held.Add(-1); return true }
}

// once is a wire whose first attempt fails.
type once struct{}

func (once) Try(a *Attempt) {
	if a.Number == 1 {
		a.Outcome = call.Outcome{Err: context.DeadlineExceeded, Code: call.Unavailable}
	}
}
func (once) Drop(*Attempt)                       {}
func (once) Answered(*Attempt) bool              { return true }
func (once) Answer(a *Attempt, ans *call.Answer) { answerAs(a, ans) }
func (once) Replayable() bool                    { return true }
func (once) Request() traffic.Request            { return traffic.Request{} }

// TestAttemptsLetTheirContextsGo, whatever bounds them: a timer that is forgotten lasts as long as the caller's time limit.
func TestAttemptsLetTheirContextsGo(t *testing.T) {
	c := NewClient(Config{
		Discovery: discovery.Static{"orders": {{Addr: "a:1"}}}, Warmup: time.Hour, Logger: slog.New(slog.DiscardHandler),
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	defer c.Close()
	for _, p := range []call.Protocol{call.HTTP, call.GRPC} {
		for _, streaming := range []bool{false, true} {
			for _, limit := range []time.Duration{0, time.Hour} {
				ctx := &counting{Context: WithOptions(t.Context(), Options{Timeout: limit, Idempotent: true})}
				x := &Call{Call: call.Call{
					Ctx: ctx, Service: "orders", Protocol: p, Streaming: streaming,
				}}
				x.Wire = once{}
				if err := c.Do(x); err != nil {
					t.Fatal(err)
				}
				if x.Tries != 2 {
					t.Errorf("%v: %d attempts", p, x.Tries)
				}
				x.Finish()
				if n := ctx.held.Load(); n != 0 {
					t.Errorf("%v, streaming %t, limit %v: %d contexts are left", p, streaming, limit, n)
				}
			}
		}
	}
}
