package stack

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// rig is a client whose wire is a function, and what it did.
type rig struct {
	t      *testing.T
	c      *Client
	source *pushed
	try    func(a *Attempt) call.Outcome // nil: all is well

	mu     sync.Mutex
	served map[string]int
	events []call.Event
	hear   func(call.Event) // nil: nothing more
}

// pushed is a source that says what a test tells it to.
type pushed struct{ say chan []string }

func (p *pushed) Watch(ctx context.Context, _ string, f func(discovery.Update)) error {
	for {
		select {
		case addrs := <-p.say:
			u := discovery.Update{Kind: discovery.Set}
			for _, a := range addrs {
				u.Endpoints = append(u.Endpoints, discovery.Endpoint{Addr: a})
			}
			f(u)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// inBubble runs f with a rig of endpoints.
func inBubble(t *testing.T, p resilience.Policy, addrs []string, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, served: make(map[string]int), source: &pushed{make(chan []string)}}
		r.c = NewClient(Config{
			Discovery: r.source, Resilience: resilience.Config{Default: p}, Warmup: time.Hour, Balance: balance.RoundRobin,
			Logger: slog.New(slog.DiscardHandler), Listener: r,
		})
		defer r.c.Close()
		r.dest()
		r.list(addrs...)
		f(t, r)
	})
}

func (r *rig) Event(e call.Event) {
	r.mu.Lock()
	r.events = append(r.events, e)
	hear := r.hear
	r.mu.Unlock()
	if hear != nil {
		hear(e)
	}
}

// heard is the kinds of the events so far, which are forgotten.
func (r *rig) heard() (kinds []call.EventKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		kinds = append(kinds, e.Kind)
	}
	r.events = nil
	return kinds
}

func (r *rig) wantHeard(kinds ...call.EventKind) {
	r.t.Helper()
	if got := r.heard(); !slices.Equal(got, kinds) {
		r.t.Errorf("heard %v, want %v", got, kinds)
	}
}

func (r *rig) dest() *Destination { return r.c.Destination("orders", time.Now()) }

// list has the source list these endpoints.
func (r *rig) list(addrs ...string) {
	r.source.say <- addrs
	synctest.Wait()
}

func (r *rig) node(addr string) *Node {
	for _, n := range r.dest().Endpoints().Nodes {
		if n.Addr() == addr {
			return n
		}
	}
	r.t.Helper()
	r.t.Fatalf("no endpoint %q", addr)
	return nil
}

// ejected is the addresses that are out, sorted.
func (r *rig) ejected() (addrs []string) {
	for _, n := range r.dest().Endpoints().Nodes {
		if n.Ejected() {
			addrs = append(addrs, n.Addr())
		}
	}
	slices.Sort(addrs)
	return addrs
}

// judge has an attempt end at an endpoint, n times. It was no probe.
func (r *rig) judge(addr string, o call.Outcome, times int) {
	for range times {
		a := r.attempt()
		a.Judge(r.node(addr), call.Classify(o), &call.Attempt{Outcome: o, Took: time.Millisecond})
	}
}

func (r *rig) attempt() *Attempt {
	d := r.dest()
	return &Attempt{Call: &Call{
		Call: call.Call{Ctx: r.t.Context()}, client: r.c, dest: d, exec: d.regime.Load().exec, options: noOptions,
	}}
}

var (
	http500 = call.Outcome{Status: 500, Code: call.Internal}
	http503 = call.Outcome{Status: 503, Code: call.Unavailable}
	http200 = call.Outcome{Status: 200}
)

// do makes one call and gives the address that it ended at.
func (r *rig) do() (string, error) { return r.call(r.t.Context()) }

func (r *rig) call(ctx context.Context) (string, error) {
	c := &Call{Call: call.Call{Ctx: ctx, Service: "orders", Method: "GET", Idempotent: true}}
	c.Wire = rigWire{r}
	if err := r.c.Do(c); err != nil {
		return "", err
	}
	defer c.Finish()
	return c.Last().Addr, nil
}

type rigWire struct{ *rig }

func (r rigWire) Try(a *Attempt) {
	r.mu.Lock()
	r.served[a.Addr]++
	r.mu.Unlock()
	a.Outcome = http200
	if r.try != nil {
		a.Outcome = r.try(a)
	}
}

func (rigWire) Drop(*Attempt)                       {}
func (rigWire) Answered(a *Attempt) bool            { return a.Outcome.Status != 0 }
func (rigWire) Answer(a *Attempt, ans *call.Answer) { answerAs(a, ans) }
func (rigWire) Replayable() bool                    { return true }
func (rigWire) Request() traffic.Request            { return traffic.Request{} }

// failing lets the endpoints in the list fail and no other.
func failing(addrs ...string) func(*Attempt) call.Outcome {
	return func(a *Attempt) call.Outcome {
		if slices.Contains(addrs, a.Addr) {
			return http503
		}
		return http200
	}
}

// answerAs makes of an answer what a wire would.
func answerAs(a *Attempt, answer *call.Answer) {
	if answer == nil {
		a.Outcome = call.Outcome{Err: a.Ctx.Err(), Code: call.Unavailable}
		return
	}
	a.Outcome = call.Outcome{Status: answer.Status, Code: answer.Code}
}
