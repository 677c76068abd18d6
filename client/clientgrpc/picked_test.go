package clientgrpc

import (
	"context"
	"log/slog"
	"testing"

	"google.golang.org/grpc/balancer"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/resilience"
)

// lostOnce is a stream whose connection is lost in the moment between the picker's choice and its use: grpc calls Done with
// nothing in it and picks again.
type lostOnce struct {
	stream

	err   error // of the second pick
	first *stack.Node
}

func (l *lostOnce) Try(a *stack.Attempt) {
	n, err := a.Choose(nil)
	if err != nil {
		a.Outcome = call.Outcome{Err: err, Code: call.Internal}
		return
	}
	l.first = n
	l.take(&conn{node: n}, false)(balancer.DoneInfo{})
	l.err = l.again()
}

// TestAPickThatCameToNothingIsNoRepetition: neither the policy nor its budget have a say in it, and the next choice is
// another endpoint.
func TestAPickThatCameToNothingIsNoRepetition(t *testing.T) {
	policy := resilience.Standard()
	policy.Retry.Idempotent = true
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: "a:1"}, {Addr: "b:1"}}}, Resilience: resilience.Config{Default: policy},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, ctx := range map[string]context.Context{
		"retries":    t.Context(),
		"no retries": client.With(t.Context(), client.Options{NoRetry: true}),
	} {
		t.Run(name, func(t *testing.T) {
			l := &lostOnce{}
			l.dialer = &dialer{client: c, core: c.Core(), config: c.Config()}
			l.Protocol, l.Ctx, l.Service, l.Method = call.GRPC, ctx, "orders", "/x.Y/Z"
			l.Wire, l.ChoosesLate, l.Streaming = l, true, true
			if err := c.Core().Do(&l.Call); err != nil {
				t.Fatal(err)
			}
			if l.err != nil {
				t.Errorf("the pick that followed was forbidden: %v", l.err)
			}
			if l.Tries != 1 {
				t.Errorf("counts as %d attempts", l.Tries)
			}
			if next, err := l.Last().Choose(nil); err != nil || next == l.first {
				t.Errorf("chosen next: %v, %v", next, err)
			}
			if n := l.first.Load.InFlight(); n != 0 {
				t.Errorf("%d in flight", n)
			}
			l.Finish()
		})
	}
}
