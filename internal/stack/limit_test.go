package stack

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

func limits(l resilience.Limit) resilience.Policy { return resilience.Policy{Limit: &l} }

// begin makes a call that is not over yet.
func (r *rig) begin(ctx context.Context, p call.Protocol) (*Call, error) {
	c := &Call{Call: call.Call{Ctx: ctx, Service: "orders", Method: "GET", Protocol: p}}
	c.Wire = rigWire{r}
	return c, r.c.Do(c)
}

func wantLimited(t *testing.T, err error) {
	t.Helper()
	var e *call.Error
	if !errors.As(err, &e) || e.Reason != call.Limited || e.Code != call.Unavailable || !errors.Is(err, resilience.ErrLimited) ||
		e.Service != "orders" || e.Attempts != 0 || e.Endpoint != "" {
		t.Errorf("%+v", err)
	}
}

// TestLimitRefuses: calls hold their places until they are over, over both protocols; a change of policy forgets none.
func TestLimitRefuses(t *testing.T) {
	p := limits(resilience.Limit{Requests: 2})
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		first, err := r.begin(t.Context(), call.HTTP)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.begin(t.Context(), call.GRPC); err != nil {
			t.Fatal(err)
		}
		served := r.served["a:1"] + r.served["b:1"] + r.served["c:1"]
		_, err = r.do()
		wantLimited(t, err)
		if n := r.served["a:1"] + r.served["b:1"] + r.served["c:1"]; n != served {
			t.Error("an attempt was made")
		}
		p.Retry = &resilience.Retry{}
		r.c.SetResilience(resilience.Config{Default: p})
		_, err = r.do()
		wantLimited(t, err)
		first.Finish()
		first.Finish()
		if _, err = r.do(); err != nil {
			t.Error(err)
		}
		if _, err = r.do(); err != nil {
			t.Error(err)
		}
		r.c.SetResilience(resilience.Config{})
		for range 5 {
			if _, err := r.begin(t.Context(), call.HTTP); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestLimitGivesBack: whatever becomes of a call, its place is free again.
func TestLimitGivesBack(t *testing.T) {
	p := limits(resilience.Limit{Requests: 1, Connections: 1, Retries: 1})
	p.Retry, p.Breaker = &resilience.Retry{}, &resilience.Breaker{MinCalls: 1000}
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for _, try := range []func(*Attempt) call.Outcome{
			nil, failing(three...), func(*Attempt) call.Outcome { panic("a transport of the caller's") },
			func(*Attempt) call.Outcome {
				return call.Outcome{Err: errLost, Code: call.Unavailable, Sent: call.SentNo}
			},
		} {
			r.try = try
			for range 5 {
				func() {
					defer func() { _ = recover() }()
					r.do()
					r.call(gone)
				}()
			}
		}
		r.list()
		r.do()
		r.list(three...)
		r.try = nil
		if _, err := r.do(); err != nil {
			t.Error(err)
		}
	})
}

// TestConnections: HTTP calls wait for one, in their order; gRPC calls share, and so do HTTP calls once an answer has come
// over HTTP/2.
func TestConnections(t *testing.T) {
	inBubble(t, limits(resilience.Limit{Connections: 1, Pending: 2}), three, func(t *testing.T, r *rig) {
		first, err := r.begin(t.Context(), call.HTTP)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := r.begin(t.Context(), call.GRPC); err != nil {
			t.Error(err)
		} else {
			c.Finish()
		}
		var waiting sync.WaitGroup
		var mu sync.Mutex
		var starts []time.Time
		for range 2 {
			waiting.Go(func() {
				c, err := r.begin(t.Context(), call.HTTP)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				starts = append(starts, c.Last().Start)
				mu.Unlock()
				time.Sleep(time.Second)
				c.Finish()
			})
			synctest.Wait()
		}
		_, err = r.begin(t.Context(), call.HTTP)
		wantLimited(t, err)
		began := time.Now()
		time.Sleep(time.Second)
		first.Finish()
		waiting.Wait()
		if len(starts) != 2 || starts[0].Sub(began) != time.Second || starts[1].Sub(began) != 2*time.Second {
			t.Errorf("began after %v", starts)
		}
		version := 2
		r.try = func(a *Attempt) call.Outcome { a.Spoke(version); return http200 }
		for range 10 {
			if _, err := r.begin(t.Context(), call.HTTP); err != nil {
				t.Fatal(err)
			}
		}
		version = 1 // known from the next answer on; the first of those before holds the connection
		if _, err := r.begin(t.Context(), call.HTTP); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = r.begin(ctx, call.HTTP)
		var e *call.Error
		if !errors.As(err, &e) || e.Reason != call.Deadline || e.Code != call.DeadlineExceeded || e.Attempts != 0 {
			t.Errorf("%+v", err)
		}
	})
}

// TestConnectionsTurnOutShared: who waits goes on as soon as an answer has come over HTTP/2.
func TestConnectionsTurnOutShared(t *testing.T) {
	inBubble(t, limits(resilience.Limit{Connections: 1}), three, func(t *testing.T, r *rig) {
		answer := make(chan struct{})
		r.try = func(a *Attempt) call.Outcome { <-answer; a.Spoke(2); return http200 }
		var done sync.WaitGroup
		for range 10 {
			done.Go(func() {
				if _, err := r.begin(t.Context(), call.HTTP); err != nil { // none is ever over
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(answer)
		done.Wait()
	})
}

// TestWaitEndsWithTheCall: by its own time, by that of the policy, by its caller.
func TestWaitEndsWithTheCall(t *testing.T) {
	p := limits(resilience.Limit{Connections: 1})
	p.Timeout = &resilience.Timeout{Reply: 3 * time.Second}
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		if _, err := r.begin(t.Context(), call.HTTP); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			ctx    func() (context.Context, context.CancelFunc)
			want   string
			is     error
			within time.Duration
		}{
			{func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), time.Second) },
				call.Deadline, context.DeadlineExceeded, time.Second},
			{func() (context.Context, context.CancelFunc) { return t.Context(), func() {} },
				call.Deadline, context.DeadlineExceeded, 3 * time.Second},
			{func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(2*time.Second, cancel)
				return ctx, cancel
			}, call.CallerCanceled, context.Canceled, 2 * time.Second},
		} {
			ctx, cancel := tt.ctx()
			began := time.Now()
			_, err := r.begin(ctx, call.HTTP)
			cancel()
			var e *call.Error
			if !errors.As(err, &e) || e.Reason != tt.want || !errors.Is(err, tt.is) || time.Since(began) != tt.within {
				t.Errorf("%+v after %v", err, time.Since(began))
			}
		}
	})
}

// TestLimitAboveBreaker: refused calls are nothing to the breaker, and who has waited is asked by it then.
func TestLimitAboveBreaker(t *testing.T) {
	p := limits(resilience.Limit{Requests: 1})
	p.Breaker = &resilience.Breaker{}
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		if _, err := r.begin(t.Context(), call.HTTP); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			r.do()
		}
		if s := r.dest().BreakerState(); s != resilience.BreakerClosed {
			t.Error(s)
		}
	})
	p = limits(resilience.Limit{Connections: 1})
	p.Breaker = &resilience.Breaker{MinCalls: 1}
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		answer := make(chan struct{})
		r.try = func(*Attempt) call.Outcome { <-answer; return http500 }
		var calls sync.WaitGroup
		var errs [2]error
		for i := range errs {
			calls.Go(func() {
				c, err := r.begin(t.Context(), call.HTTP)
				if err == nil {
					c.Finish()
				}
				errs[i] = err
			})
			synctest.Wait()
		}
		close(answer)
		calls.Wait()
		if errs[0] != nil || !errors.Is(errs[1], resilience.ErrOpen) {
			t.Error(errs)
		}
	})
}

// TestWhoWaitsFollowsThePolicy: a higher limit lets those in who wait already, and so does none.
func TestWhoWaitsFollowsThePolicy(t *testing.T) {
	for name, next := range map[string]resilience.Policy{"more": limits(resilience.Limit{Connections: 9}), "none": {}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, limits(resilience.Limit{Connections: 1}), three, func(t *testing.T, r *rig) {
				var calls sync.WaitGroup
				for range 5 {
					calls.Go(func() {
						if _, err := r.begin(t.Context(), call.HTTP); err != nil { // none is ever over
							t.Error(err)
						}
					})
				}
				synctest.Wait()
				if u := r.dest().Usage(); u != (resilience.Usage{Connections: 1, Pending: 4, Requests: 1}) {
					t.Errorf("%+v", u)
				}
				r.c.SetResilience(resilience.Config{Default: next})
				calls.Wait()
			})
		})
	}
}
