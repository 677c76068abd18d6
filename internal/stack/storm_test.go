package stack

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// storm is a client to whom everything happens at once: endpoints come, go and change their identity, policies are swapped,
// transports fail, hang and panic, callers give up at any moment.
type storm struct {
	c     *Client
	calm  atomic.Bool // all is well from now on
	mu    sync.Mutex
	nodes map[*Node]bool // all that were ever chosen
	say   chan discovery.Update

	calls, attempts       atomic.Int64 // begun and not ended
	replied, begun, ended atomic.Int64
}

func (s *storm) Watch(ctx context.Context, _ string, f func(discovery.Update)) error {
	for {
		select {
		case u := <-s.say:
			f(u)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *storm) BeginCall(*call.Call, *call.Watch, call.Describer)   { s.calls.Add(1); s.begun.Add(1) }
func (s *storm) Reply(*call.Call, *call.Watch, *call.Attempt, error) { s.replied.Add(1) }
func (s *storm) EndCall(*call.Call, *call.Watch, *call.Attempt, error) {
	s.calls.Add(-1)
	s.ended.Add(1)
}
func (s *storm) Fault(*call.Call, *call.Watch, *call.Attempt, call.Faults)      {}
func (s *storm) Dropped(*call.Call, string)                                     {}
func (s *storm) EndAttempt(*call.Call, *call.Watch, *call.Attempt, *call.Watch) { s.attempts.Add(-1) }

func (s *storm) BeginAttempt(ctx context.Context, _ *call.Call, _ *call.Watch, _ *call.Attempt, _ *call.Watch) context.Context {
	s.attempts.Add(1)
	return ctx
}

var errStorm = errors.New("the transport panicked")

func (s *storm) Try(a *Attempt) {
	s.mu.Lock()
	s.nodes[a.Node] = true
	s.mu.Unlock()
	a.Outcome = http200
	if s.calm.Load() {
		a.Replied()
		return
	}
	if rand.IntN(2) == 0 {
		time.Sleep(time.Duration(1 + rand.IntN(int(20*time.Millisecond))))
	}
	switch rand.IntN(12) {
	case 0:
		panic(errStorm)
	case 1:
		if _, ok := a.Ctx.Deadline(); ok || a.Waits() {
			<-a.Ctx.Done()
			a.Outcome = call.Outcome{Err: a.Ctx.Err(), Code: call.Unavailable}
			return
		}
	case 2, 3, 4:
		a.Outcome = http503
	case 5:
		a.Outcome = http500
	case 6:
		a.Outcome = call.Outcome{Err: errStorm, Code: call.Unavailable, Sent: call.SentNo}
		return
	case 7:
		a.Outcome = call.Outcome{Err: errStorm, Code: call.Unavailable}
		return
	}
	a.Spoke(1 + rand.IntN(2))
	if !a.Replied() {
		a.Outcome = call.Outcome{Err: a.Late(), Code: call.Unavailable}
	}
}

func (s *storm) Drop(*Attempt)            {}
func (s *storm) Answered(a *Attempt) bool { return a.Outcome.Err == nil }

func (*storm) Answer(a *Attempt, ans *call.Answer) { answerAs(a, ans) }
func (s *storm) Replayable() bool                  { return true }
func (*storm) Request() traffic.Request            { return traffic.Request{} }

// call makes one call in one of many ways, and reports whether it went well.
func (s *storm) call(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	switch rand.IntN(4) {
	case 0:
		ctx, cancel = context.WithTimeout(ctx, time.Duration(1+rand.IntN(int(50*time.Millisecond))))
		defer cancel()
	case 1:
		time.AfterFunc(time.Duration(1+rand.IntN(int(30*time.Millisecond))), cancel)
	case 2:
		ctx = WithOptions(ctx, Options{Timeout: time.Duration(1 + rand.IntN(int(time.Second))), NoRetry: rand.IntN(3) == 0})
	}
	x := &Call{Call: call.Call{
		Ctx: ctx, Service: "orders", Protocol: call.Protocol(rand.IntN(2)), Idempotent: rand.IntN(2) == 0, Streaming: rand.IntN(4) == 0,
	}}
	x.Wire = s
	defer func() {
		if p := recover(); p != nil {
			err = errStorm
		}
	}()
	if err := s.c.Do(x); err != nil {
		return err
	}
	if x.Protocol == call.HTTP && x.Last().WatchBody() {
		x.Last().Moved()
	}
	var wg sync.WaitGroup
	for _, end := range []func(){x.Finish, x.Finish, x.Last().readmit, x.Broke}[:1+rand.IntN(4)] {
		if rand.IntN(2) == 0 {
			time.Sleep(time.Duration(1 + rand.IntN(int(5*time.Millisecond))))
		}
		wg.Go(end)
	}
	wg.Wait()
	return nil
}

// change is what the storm does beside the calls.
func (s *storm) change() {
	if rand.IntN(3) > 0 {
		u := discovery.Update{Kind: discovery.Set}
		for i := range 6 {
			if rand.IntN(3) > 0 {
				u.Endpoints = append(u.Endpoints, discovery.Endpoint{
					Addr: "a:" + strconv.Itoa(i+1), ID: []string{"", "spiffe://shop/a"}[rand.IntN(2)], Weight: uint32(1 + rand.IntN(3)),
				})
			}
		}
		s.say <- u
		return
	}
	p := resilience.Standard()
	if rand.IntN(3) == 0 {
		p.Outlier = nil
	} else {
		p.Outlier = &resilience.Outlier{
			Consecutive5xx: 1 + rand.IntN(3), BaseEjection: 10 * time.Millisecond, MaxPercent: 20 + rand.IntN(80), Interval: 10 * time.Millisecond,
			SplitLocalOrigin: rand.IntN(2) == 0, Strict: rand.IntN(2) == 0, MinHealthPercent: rand.IntN(102) - 1,
		}
		if rand.IntN(2) == 0 {
			p.Outlier.SuccessRate = &resilience.SuccessRate{MinHosts: 2, MinRequests: 2, StdevFactor: 0.5, Enforce: rand.IntN(101)}
			p.Outlier.FailurePercent = &resilience.FailurePercent{MinHosts: 1, MinRequests: 2, Threshold: 30}
		}
	}
	if rand.IntN(2) == 0 {
		p.Limit = &resilience.Limit{
			Connections: rand.IntN(6), Pending: rand.IntN(6) - 1, Requests: rand.IntN(12), Retries: rand.IntN(4) - 1,
		}
	}
	p.Budget = []*resilience.Budget{
		nil, {}, {Kind: resilience.BudgetEnvoy, MinConcurrency: 1}, {Kind: resilience.BudgetTokens},
	}[rand.IntN(4)]
	switch rand.IntN(3) {
	case 0:
		p.Breaker = nil
	case 1:
		p.Breaker = &resilience.Breaker{MinCalls: 3, Open: 10 * time.Millisecond, MaxOpen: 50 * time.Millisecond}
	}
	if rand.IntN(4) == 0 {
		p.Retry = nil
	}
	s.c.SetResilience(resilience.Config{Default: p})
}

// TestStorm: whatever happens, and in whatever order, every call and attempt that begins ends once, no endpoint counts one
// in flight that is over or waits for a probe that nobody makes, and when all is well again calls go well.
func TestStorm(t *testing.T) {
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			s := &storm{nodes: make(map[*Node]bool), say: make(chan discovery.Update)}
			s.c = NewClient(Config{
				Discovery: s, Warmup: time.Second, Balance: balance.LeastRequest, Logger: slog.New(slog.DiscardHandler), Observer: s,
			})
			defer s.c.Close()
			d := s.c.Destination("orders", time.Now())
			ctx, stop := context.WithCancel(t.Context())
			var chaos, callers sync.WaitGroup
			chaos.Go(func() {
				for ctx.Err() == nil {
					s.change()
					time.Sleep(time.Duration(1 + rand.IntN(int(10*time.Millisecond))))
				}
			})
			for range 16 {
				callers.Go(func() {
					for range 200 {
						_ = s.call(t.Context())
					}
				})
			}
			callers.Wait()
			stop()
			chaos.Wait()
			s.calm.Store(true)
			s.say <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{{Addr: "a:1"}, {Addr: "a:2"}, {Addr: "a:3"}}}
			s.c.SetResilience(resilience.Config{Default: resilience.Standard()})
			time.Sleep(time.Hour)
			synctest.Wait()
			s.check(t, d)
			for range 100 {
				x := &Call{Call: call.Call{Ctx: t.Context(), Service: "orders"}}
				x.Wire = s
				if err := s.c.Do(x); err != nil {
					t.Fatalf("when all is well: %v", err)
				}
				x.Finish()
			}
			for _, n := range d.Endpoints().Nodes {
				if n.Ejected() {
					t.Errorf("%s is still out", n.Addr())
				}
			}
			s.check(t, d)
		})
	}
}

func (s *storm) check(t *testing.T, d *Destination) {
	t.Helper()
	for n := range s.nodes {
		if in := n.Load.InFlight(); in != 0 {
			t.Errorf("%s: %d in flight", n.Addr(), in)
		}
		if n.probe.Load() != 0 {
			t.Errorf("%s: a probe is never over", n.Addr())
		}
	}
	if c, a := s.calls.Load(), s.attempts.Load(); c != 0 || a != 0 || s.replied.Load() != s.begun.Load() || s.ended.Load() != s.begun.Load() {
		t.Errorf("of %d calls %d had a reply and %d ended; %d attempts are left", s.begun.Load(), s.replied.Load(), s.ended.Load(), a)
	}
	if p := d.pins.Load(); p != 0 {
		t.Errorf("%d pins", p)
	}
	if u := d.Usage(); u != (resilience.Usage{}) {
		t.Errorf("left over: %+v", u)
	}
}
