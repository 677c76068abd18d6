package matrix

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intramesh/intramesh/client"
)

// cell is one field set, one kind of call, one thing that happens to it, one way to wrap one of the two sides.
type cell struct {
	t        *testing.T
	row      *row
	column   column
	scenario scenario
	wiring   wiring
}

// check runs the cell and compares it with the unwrapped pair.
func (k cell) check() {
	got := k.run()
	want := k.plain(k.scenario)
	if k.row.differs != nil {
		k.row.differs(k, &want, &got)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		k.t.Errorf("not as an unwrapped pair, and not asked for either (-want +got):\n%s", d)
	}
}

// plain is what an unwrapped pair gives in a scenario, with what the mesh does whatever the config says.
func (k cell) plain(s scenario) exchange {
	if s.mode == panics {
		s.mode = refusesOnce // as far as a plain server can follow
	}
	x := k.unwrapped(s)
	k.always(&x)
	return x
}

// always adds what the mesh does whatever the config says: there is no more than this.
func (k cell) always(want *exchange) {
	if k.hasSource() {
		want.Logs = []string{"DEBUG intramesh: endpoints"} // the first answer of the registry
	}
	if k.hasSource() && k.column.isGRPC() && k.scenario.mode == breaksOnce {
		want.reconnects() // a connection that was in use is made again at once
	}
	if k.column.isGRPC() {
		return // grpc carries deadlines by itself
	}
	if k.hasSource() {
		want.Attempts = nil // no transport of the caller's stands beneath the mesh's own
	}
	if k.scenario.deadline && k.clientSide() {
		want.each(func(s *sight) { s.Header[deadlineHeader] = []string{"3600000"} })
	}
	if k.serverSide() && k.scenario.told {
		want.each(func(s *sight) { s.Left = 5 * time.Second })
	}
	if k.serverSide() && k.clientSide() && k.scenario.deadline {
		want.each(func(s *sight) { s.Left = callersDeadline })
	}
}

// The sides that are wrapped, and whether the client has a source.

func (k cell) clientSide() bool { return k.wiring.name == direct.name || k.hasSource() }
func (k cell) hasSource() bool  { return k.wiring.name == meshed.name || k.wiring.name == both.name }
func (k cell) serverSide() bool {
	return k.wiring.name == handler.name || k.wiring.name == attached.name || k.wiring.name == both.name
}

const (
	deadlineHeader    = "X-Envoy-Expected-Rq-Timeout-Ms"
	attemptHeader     = "X-Envoy-Attempt-Count"
	grpcAttemptHeader = "grpc-previous-rpc-attempts"
	callersDeadline   = time.Hour
)

// each changes every request of a wanted exchange.
func (x *exchange) each(f func(*sight)) {
	for i := range x.Arrived {
		f(&x.Arrived[i])
	}
}

// run makes the cell's calls in a world of its own.
func (k cell) run() (x exchange) {
	inWorld(k.t, k.column, func(w *world) {
		w.secure = k.row.secure
		c := k.wiring.build(w, k)
		c.told = k.scenario.told
		for range k.scenario.calls {
			x.Answers = append(x.Answers, k.call(c))
			synctest.Wait() // until connections are back where the next call finds them
		}
		x.Arrived, x.GaveUp = w.first.saw()
		x.Conns, x.Dialed, x.Called = int(w.conns.Load()), int(w.dialed.Load()), int(w.called.Load())
		x.Attempts, x.Logs, x.Own = w.noted(), w.logs.heard(), w.own.heard()
	})
	return x
}

func (k cell) call(c *caller) answer {
	ctx, cancel := context.WithCancel(marked())
	defer cancel()
	if k.scenario.mode == silent {
		defer time.AfterFunc(day, cancel).Stop()
	}
	if k.scenario.deadline {
		ctx, cancel = context.WithTimeout(ctx, callersDeadline)
		defer cancel()
	}
	if k.row.options != nil && k.clientSide() {
		ctx = client.With(ctx, *k.row.options)
	}
	began := time.Now()
	a := k.column.call(ctx, c)
	a.Took = time.Since(began)
	if k.column.wire == h1 && k.column.streaming && k.scenario.mode == breaksOnce && a.Took <= patience {
		a.Took = 0 // when net/http says so depends on which of its goroutines notices first
	}
	return a
}
