package stack

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// faultRig is a client under a route with faults, whose lots are drawn by a fixed seed.
type faultRig struct {
	*rig

	header map[string]string
}

func withFaults(t *testing.T, p resilience.Policy, faults []traffic.Fault, f func(t *testing.T, r *faultRig)) {
	t.Helper()
	withRoute(t, p, traffic.Route{Name: "chaos", Faults: faults}, f)
}

func withRoute(t *testing.T, p resilience.Policy, route traffic.Route, f func(t *testing.T, r *faultRig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &faultRig{rig: &rig{t: t, served: make(map[string]int)}}
		r.c = NewClient(Config{
			Discovery:  discovery.Static{"orders": {{Addr: "a:1"}, {Addr: "b:1"}}},
			Resilience: resilience.Config{Default: p}, Warmup: time.Hour, Balance: balance.RoundRobin,
			Logger: slog.New(slog.DiscardHandler), Listener: r.rig,
			Traffic: traffic.Policy{Routes: []traffic.Route{route}},
		})
		r.c.chance = rand.New(rand.NewPCG(1, 2)).Float64
		defer r.c.Close()
		f(t, r)
	})
}

func (r *faultRig) send(ctx context.Context, edit ...func(*Call)) (*Call, error) {
	c := &Call{Call: call.Call{Ctx: ctx, Service: "orders", Method: "GET", Idempotent: true}}
	c.Wire = faultWire{rigWire{r.rig}, r.header}
	for _, e := range edit {
		e(c)
	}
	err := r.c.Do(c)
	if err == nil {
		c.Finish()
	}
	return c, err
}

type faultWire struct {
	rigWire

	header map[string]string
}

func (w faultWire) Request() traffic.Request {
	return traffic.Request{Scheme: "http", Path: "/", Method: "GET", Header: w}
}

func (w faultWire) Lookup(lower, _ string) (string, bool) {
	v, ok := w.header[lower]
	return v, ok
}

func (r *faultRig) sent() (n int) {
	for _, k := range r.served {
		n += k
	}
	return n
}

// TestFaultShares: of 10,000 requests with a fixed seed each fault gets its share within four standard deviations, whether
// the other was drawn or not.
func TestFaultShares(t *testing.T) {
	for _, scope := range []traffic.Scope{traffic.ScopeCall, traffic.ScopeAttempt} {
		withFaults(t, resilience.Policy{}, []traffic.Fault{
			{Percent: 20, Scope: scope, Delay: time.Second},
			{Percent: 0.5, Scope: scope, Abort: &traffic.Abort{Status: 503}},
			{Percent: 0, Scope: scope, Abort: &traffic.Abort{Status: 500}},
		}, func(t *testing.T, r *faultRig) {
			const n = 10_000
			got := map[call.Faults]int{}
			for range n {
				began := time.Now()
				c, _ := r.send(t.Context())
				got[c.Faults]++
				if held := time.Since(began); held != 0 != (c.Faults&call.FaultDelay != 0) {
					t.Fatalf("held back for %v with %v", held, c.Faults)
				}
			}
			delays, aborts := got[call.FaultDelay]+got[call.FaultDelay|call.FaultAbort], got[call.FaultAbort]+got[call.FaultDelay|call.FaultAbort]
			if delays < 1840 || delays > 2160 { // sigma 40
				t.Errorf("%s: %d delays, want 2,000 +-160", scope, delays)
			}
			if aborts < 22 || aborts > 78 { // sigma 7
				t.Errorf("%s: %d aborts, want 50 +-28", scope, aborts)
			}
			if got[call.FaultDelay|call.FaultAbort] == 0 {
				t.Errorf("%s: never both: %v", scope, got)
			}
			if r.sent() != n-aborts {
				t.Errorf("%s: %d sent of %d with %d aborts", scope, r.sent(), n, aborts)
			}
		})
	}
}

// TestCallFaultIsTheCallers: it is not retried, counts for no breaker and no endpoint.
func TestCallFaultIsTheCallers(t *testing.T) {
	p := resilience.Standard()
	p.Breaker = &resilience.Breaker{MinCalls: 1}
	withFaults(t, p, []traffic.Fault{{Percent: 100, Abort: &traffic.Abort{Code: "UNAVAILABLE"}}}, func(t *testing.T, r *faultRig) {
		for range 100 {
			c, err := r.send(t.Context())
			var e *call.Error
			if !errors.As(err, &e) || e.Reason != call.FaultInjected || e.Rule != "chaos" || e.Faults != call.FaultAbort || c.Tries != 0 {
				t.Fatalf("%v after %d attempts", err, c.Tries)
			}
			if e.Code != call.Unavailable || e.Answer.Status != 503 || e.Answer.Body != "fault injected by route chaos" {
				t.Fatalf("%+v, answer %+v", e, e.Answer)
			}
		}
		if r.sent() != 0 {
			t.Errorf("%d sent", r.sent())
		}
		r.wantHeard()
	})
}

// TestAttemptFaultIsReal: it is retried, and the breaker and the outlier detection hear of it.
func TestAttemptFaultIsReal(t *testing.T) {
	p := resilience.Standard()
	p.Retry.Retries, p.Budget = 2, nil
	p.Breaker, p.Outlier = nil, nil
	abort := []traffic.Fault{{Percent: 100, Scope: traffic.ScopeAttempt, Abort: &traffic.Abort{Status: 503}}}
	withFaults(t, p, abort, func(t *testing.T, r *faultRig) {
		c, err := r.send(t.Context())
		if err != nil || c.Tries != 3 || c.Last().Outcome.Status != 503 || r.sent() != 0 {
			t.Errorf("%v after %d attempts, status %d, %d sent", err, c.Tries, c.Last().Outcome.Status, r.sent())
		}
		seen := map[string]bool{}
		for _, a := range c.History() {
			seen[a.Addr] = true
			if a.Faults != call.FaultAbort {
				t.Errorf("attempt %+v is not marked", a)
			}
		}
		if len(seen) != 2 {
			t.Errorf("attempts at %v", seen)
		}
	})
	p.Retry, p.Breaker = nil, &resilience.Breaker{MinCalls: 20}
	p.Outlier = &resilience.Outlier{Consecutive5xx: 5, MaxPercent: 50}
	withFaults(t, p, abort, func(t *testing.T, r *faultRig) {
		for range 20 {
			_, _ = r.send(t.Context())
		}
		if heard := r.heard(); len(heard) < 2 || heard[len(heard)-1] != call.BreakerOpened || heard[0] != call.EndpointEjected {
			t.Errorf("heard %v, want an ejection and the breaker", heard)
		}
		for _, n := range r.dest().Endpoints().Nodes {
			if n.Load.InFlight() != 0 {
				t.Errorf("%s: %d in flight", n.Addr(), n.Load.InFlight())
			}
		}
	})
}

// TestAttemptFaultIsDrawnEachTime: an abort of half of the attempts fails an eighth of the calls with two retries.
func TestAttemptFaultIsDrawnEachTime(t *testing.T) {
	p := resilience.Policy{Retry: &resilience.Retry{Retries: 2}}
	withFaults(t, p, []traffic.Fault{{Percent: 50, Scope: traffic.ScopeAttempt, Abort: &traffic.Abort{Status: 503}}}, func(t *testing.T, r *faultRig) {
		failed := 0
		for range 4000 {
			if c, _ := r.send(t.Context()); c.Last().Outcome.Status == 503 {
				failed++
			}
		}
		if failed < 416 || failed > 584 { // sigma 21
			t.Errorf("%d of 4,000 calls failed, want 500 +-84", failed)
		}
	})
}

// TestFaultDelays: a delay ends with the time of the call, of the attempt, or with its caller.
func TestFaultDelays(t *testing.T) {
	delay := func(scope traffic.Scope) []traffic.Fault {
		return []traffic.Fault{{Percent: 100, Scope: scope, Delay: 10 * time.Second}, {Percent: 100, Scope: scope, Delay: time.Second}}
	}
	for _, scope := range []traffic.Scope{traffic.ScopeCall, traffic.ScopeAttempt} {
		withFaults(t, resilience.Policy{}, delay(scope), func(t *testing.T, r *faultRig) {
			began := time.Now()
			if c, err := r.send(t.Context()); err != nil || time.Since(began) != 11*time.Second || c.Faults != call.FaultDelay {
				t.Errorf("%s: %v after %v with %v", scope, err, time.Since(began), c.Faults)
			}
			began = time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := r.send(ctx)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
				t.Errorf("%s: deadline: %v after %v", scope, err, time.Since(began))
			}
			began = time.Now()
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(2*time.Second, cancel)
			_, err = r.send(ctx)
			if !errors.Is(err, context.Canceled) || time.Since(began) != 2*time.Second {
				t.Errorf("%s: canceled: %v after %v", scope, err, time.Since(began))
			}
			if r.sent() != 1 {
				t.Errorf("%s: %d sent", scope, r.sent())
			}
		})
	}
	// The per-try timeout: each attempt is cut short, and the error says so.
	p := resilience.Policy{Retry: &resilience.Retry{Retries: 2, PerTry: time.Second}}
	withFaults(t, p, delay(traffic.ScopeAttempt), func(t *testing.T, r *faultRig) {
		c, err := r.send(t.Context())
		var e *call.Error
		if !errors.As(err, &e) || e.Reason != call.TryTimeout || e.Faults != call.FaultDelay || r.sent() != 0 {
			t.Errorf("%v after %d attempts, %d sent", err, c.Tries, r.sent())
		}
		if c.Tries != 3 {
			t.Errorf("%d attempts, want 3: a timeout of an idempotent call is retried", c.Tries)
		}
	})
}

// TestFaultHeaders follows the rules of Envoy's headers.
func TestFaultHeaders(t *testing.T) {
	ask := func(h map[string]string) (faults call.Faults, status int, code call.Code, held time.Duration) {
		withFaults(t, resilience.Policy{}, []traffic.Fault{{Percent: 100, FromHeaders: true}}, func(t *testing.T, r *faultRig) {
			r.header = h
			began := time.Now()
			c, err := r.send(t.Context())
			var e *call.Error
			if errors.As(err, &e) && e.Answer != nil {
				status, code = e.Answer.Status, e.Code
			}
			faults, held = c.Faults, time.Since(began)
		})
		return faults, status, code, held
	}
	for _, tt := range []struct {
		header map[string]string
		status int
		code   call.Code
		held   time.Duration
	}{
		{},
		{header: map[string]string{"x-envoy-fault-delay-request": "1500"}, held: 1500 * time.Millisecond},
		{header: map[string]string{"x-envoy-fault-delay-request": "0"}},
		{header: map[string]string{"x-envoy-fault-delay-request": "-1"}},
		{header: map[string]string{"x-envoy-fault-delay-request": "99999999999999999999"}},
		{header: map[string]string{"x-envoy-fault-abort-request": "503"}, status: 503, code: call.Unavailable},
		{header: map[string]string{"x-envoy-fault-abort-request": "199"}},
		{header: map[string]string{"x-envoy-fault-abort-request": "600"}},
		{header: map[string]string{"x-envoy-fault-abort-request": "200"}, status: 200, code: call.Unknown},
		{header: map[string]string{"x-envoy-fault-abort-grpc-request": "5"}, status: 404, code: call.NotFound},
		{header: map[string]string{"x-envoy-fault-abort-grpc-request": "5", "x-envoy-fault-abort-request": "503"}, status: 503, code: call.Unavailable},
		{header: map[string]string{"x-envoy-fault-abort-request": "503", "x-envoy-fault-abort-request-percentage": "0"}},
		{header: map[string]string{"x-envoy-fault-abort-request": "503", "x-envoy-fault-abort-request-percentage": "no"}, status: 503, code: call.Unavailable},
		{header: map[string]string{"x-envoy-fault-abort-request": "503", "x-envoy-fault-delay-request": "7000"}, status: 503, code: call.Unavailable, held: 7 * time.Second},
	} {
		faults, status, code, held := ask(tt.header)
		if status != tt.status || code != tt.code || held != tt.held {
			t.Errorf("%v: status %d, code %v, held for %v", tt.header, status, code, held)
		}
		var want call.Faults
		if tt.held > 0 {
			want |= call.FaultDelay
		}
		if tt.status > 0 {
			want |= call.FaultAbort
		}
		if faults != want {
			t.Errorf("%v: marked %v, want %v", tt.header, faults, want)
		}
	}
	// The policy's percentage is the most that a header can ask for.
	withFaults(t, resilience.Policy{}, []traffic.Fault{{Percent: 10, FromHeaders: true}}, func(t *testing.T, r *faultRig) {
		count := func() (n int) {
			for range 4000 {
				if c, _ := r.send(t.Context()); c.Faults == call.FaultAbort {
					n++
				}
			}
			return n
		}
		r.header = map[string]string{"x-envoy-fault-abort-request": "503", "x-envoy-fault-abort-request-percentage": "90"}
		if n := count(); n < 324 || n > 476 { // sigma 19
			t.Errorf("asked for 90 %% of at most 10: %d of 4,000, want 400 +-76", n)
		}
		r.header["x-envoy-fault-abort-request-percentage"] = "2"
		if n := count(); n < 45 || n > 115 { // sigma 9
			t.Errorf("asked for 2 %%: %d of 4,000, want 80 +-35", n)
		}
	})
}

// TestFaultMatch: a fault narrowed to some requests leaves the others alone.
func TestFaultMatch(t *testing.T) {
	match := []traffic.Match{{Headers: []traffic.Field{{Name: "X-Tester", Value: traffic.Present()}}}}
	withFaults(t, resilience.Policy{}, []traffic.Fault{{Percent: 100, Match: match, Abort: &traffic.Abort{Status: 500}}}, func(t *testing.T, r *faultRig) {
		if c, err := r.send(t.Context()); err != nil || c.oddity().ills != nil {
			t.Errorf("without the header: %v", err)
		}
		r.header = map[string]string{"x-tester": "me"}
		if c, err := r.send(t.Context()); err == nil || c.Faults != call.FaultAbort {
			t.Errorf("with the header: %v", err)
		}
	})
}

// TestAbortForGRPC: an attempt whose endpoint the wire would choose is laid to one's charge all the same.
func TestAbortForGRPC(t *testing.T) {
	p := resilience.Policy{Outlier: &resilience.Outlier{Consecutive5xx: 3, MaxPercent: 100}}
	withFaults(t, p, []traffic.Fault{{Percent: 100, Scope: traffic.ScopeAttempt, Abort: &traffic.Abort{Code: "INTERNAL"}}}, func(t *testing.T, r *faultRig) {
		for range 5 {
			c, err := r.send(t.Context(), func(c *Call) { c.Protocol, c.ChoosesLate = call.GRPC, true })
			if err != nil || c.Last().Addr == "" || c.Last().Outcome.Code != call.Internal {
				t.Errorf("%v at %q with %v", err, c.Last().Addr, c.Last().Outcome.Code)
			}
		}
		r.wantHeard(call.EndpointEjected)
	})
}

// FuzzFaultHeaders: whatever a request asks for, what it gets is within the policy's percentage and what HTTP and gRPC have
// words for.
func FuzzFaultHeaders(f *testing.F) {
	for _, seed := range []string{"", "0", "1", "200", "503", "599", "600", "-1", "1.5", "99999999999999999999", "4294967296", " 5", "NaN", "9223372036854775807"} {
		f.Add(seed, "503", seed, "10")
		f.Add("5", seed, "16", seed)
	}
	f.Fuzz(func(t *testing.T, delay, status, code, share string) {
		q := traffic.Request{Header: faultWire{header: map[string]string{
			"x-envoy-fault-delay-request": delay, "x-envoy-fault-delay-request-percentage": share,
			"x-envoy-fault-abort-request": status, "x-envoy-fault-abort-grpc-request": code,
			"x-envoy-fault-abort-request-percentage": share, "x-envoy-fault-throughput-response": delay,
		}}}
		var found ills
		found.ask(&q, &found.call, 42, "chaos")
		var all dose
		for _, i := range append(found.call, found.attempt...) {
			if i.percent < 0 || i.percent > 42 || i.delay < 0 {
				t.Errorf("%+v", i)
			}
			if a := i.abort; a != nil && (a.Status < 200 || a.Status > 599 || a.Code == call.OK) {
				t.Errorf("%+v", a)
			}
			if i.body != nil && i.body.BytesPerSecond <= 0 {
				t.Errorf("%+v", i.body)
			}
			all.take(&i)
			all.take(&i)
		}
		if all.delay < 0 {
			t.Error("a delay before its time")
		}
	})
}
