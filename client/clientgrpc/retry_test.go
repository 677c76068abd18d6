package clientgrpc_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// failing answers every call with a status, and with trailers given in pairs.
func failing(calls *atomic.Int64, err error, trailer ...string) jobs {
	return func(_ string, s grpc.ServerStream) error {
		calls.Add(1)
		s.SetTrailer(metadata.Pairs(trailer...))
		return err
	}
}

var (
	unavailable = status.Error(codes.Unavailable, "down for a moment")
	exhausted   = status.Error(codes.ResourceExhausted, "too much")
)

// fastRetries is the standard policy with short waits.
// fastRetries is a policy of retries alone: no breaker and no ejection comes between.
func fastRetries() resilience.Policy {
	p := resilience.Standard()
	p.Breaker, p.Outlier = nil, nil
	p.Retry.Backoff = resilience.Backoff{Base: time.Millisecond, Max: 2 * time.Millisecond}
	return p
}

func TestRetriesOfUnaryCalls(t *testing.T) {
	marked := []string{"x-envoy-overloaded", "true"}
	onExhausted := fastRetries()
	onExhausted.Retry.On = []string{"resource-exhausted"}
	declared := fastRetries()
	declared.Retry.Idempotent = true
	for name, tc := range map[string]struct {
		policy   resilience.Policy
		method   string
		options  client.Options
		err      error
		trailer  []string
		attempts int64 // at the two endpoints that fail; the third answers
		ok       bool
	}{
		"unavailable, may be executed twice":   {method: get, err: unavailable, attempts: 2, ok: true},
		"unavailable, once only":               {method: put, err: unavailable, attempts: 1},
		"a method that no proto describes":     {method: "/x.Y/Z", err: unavailable, attempts: 1},
		"declared by the call":                 {method: put, options: client.Options{Idempotent: true}, err: unavailable, attempts: 2, ok: true},
		"declared by the policy":               {policy: declared, method: put, err: unavailable, attempts: 2, ok: true},
		"no retry wanted":                      {method: get, options: client.Options{NoRetry: true}, err: unavailable, attempts: 1},
		"no policy":                            {policy: resilience.Policy{Timeout: &resilience.Timeout{}}, method: get, err: unavailable, attempts: 1},
		"refused before work":                  {method: put, err: unavailable, trailer: marked, attempts: 2, ok: true},
		"exhausted, refused before work":       {method: put, err: exhausted, trailer: marked, attempts: 2, ok: true},
		"exhausted":                            {method: get, err: exhausted, attempts: 1},
		"exhausted, asked for":                 {policy: onExhausted, method: put, err: exhausted, attempts: 2, ok: true},
		"a mark on another code":               {method: put, err: status.Error(codes.Aborted, "no"), trailer: marked, attempts: 1},
		"a mark that is not true":              {method: put, err: unavailable, trailer: []string{"x-envoy-overloaded", "yes"}, attempts: 1},
		"pushback that says no":                {method: get, err: unavailable, trailer: []string{"grpc-retry-pushback-ms", "-1"}, attempts: 1},
		"pushback that is no number":           {method: get, err: unavailable, trailer: []string{"grpc-retry-pushback-ms", "soon"}, attempts: 1},
		"pushback that is given twice":         {method: get, err: unavailable, trailer: []string{"grpc-retry-pushback-ms", "1", "grpc-retry-pushback-ms", "1"}, attempts: 1},
		"pushback that names a time":           {method: get, err: unavailable, trailer: []string{"grpc-retry-pushback-ms", "2"}, attempts: 2, ok: true},
		"pushback does not make a retry safe":  {method: put, err: unavailable, trailer: []string{"grpc-retry-pushback-ms", "1"}, attempts: 1},
		"a code that is an answer":             {method: get, err: status.Error(codes.NotFound, "none"), attempts: 1},
		"the peer's own deadline is an answer": {method: get, err: status.Error(codes.DeadlineExceeded, "mine"), attempts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.policy == (resilience.Policy{}) {
				tc.policy = fastRetries()
			}
			w := newWorld(t, under(tc.policy), "a:1", "b:1", "c:1")
			var calls atomic.Int64
			w.serve("a:1", failing(&calls, tc.err, tc.trailer...).server())
			w.serve("b:1", failing(&calls, tc.err, tc.trailer...).server())
			w.serve("c:1", answer("c").server())
			cc := w.conn()
			// The first choices are random, and c may be connected to long before the others: the calls that begin there are
			// of no interest.
			for range 20_000 {
				calls.Store(0)
				var info client.Info
				tc.options.Info = &info
				server, err := invoke(client.With(t.Context(), tc.options), cc, tc.method)
				if len(info.Attempts) == 1 && err == nil {
					continue
				}
				if (err == nil) != tc.ok {
					t.Fatalf("error %v after %+v", err, info)
				}
				if tc.ok && server != "c" || !tc.ok && err.Error() != tc.err.Error() {
					t.Errorf("answer of %q, error %v", server, err)
				}
				if got := calls.Load(); got > tc.attempts {
					t.Errorf("%d attempts failed, want at most %d: %+v", got, tc.attempts, info)
				}
				if seen := map[string]bool{}; tc.ok {
					for _, a := range info.Attempts {
						if seen[a.Endpoint] {
							t.Errorf("an endpoint was tried twice: %+v", info)
						}
						seen[a.Endpoint] = true
					}
				}
				w.settled()
				return
			}
			t.Fatal("all calls went to the same endpoint of three")
		})
	}
}

func TestAMarkAfterHeadersIsNoRefusal(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1", "b:1")
	var calls atomic.Int64
	late := jobs(func(_ string, s grpc.ServerStream) error {
		calls.Add(1)
		_ = s.SendHeader(metadata.Pairs("work", "begun"))
		s.SetTrailer(metadata.Pairs("x-envoy-overloaded", "true"))
		return unavailable
	})
	w.serve("a:1", late.server())
	w.serve("b:1", late.server())
	if _, err := invoke(t.Context(), w.conn(), put); status.Code(err) != codes.Unavailable || calls.Load() != 1 {
		t.Errorf("%d attempts, error %v", calls.Load(), err)
	}
}

func TestWhatThePeerSaidArrivesUnchanged(t *testing.T) {
	s, err := status.New(codes.Unavailable, "down for a moment").WithDetails(&errdetails.ErrorInfo{Reason: "MOON", Domain: "x"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, under(fastRetries()), "a:1")
	var calls atomic.Int64
	w.serve("a:1", failing(&calls, s.Err(), "k", "v").server())
	cc := w.conn()
	for _, method := range []string{get, put} {
		var trailer metadata.MD
		_, err := invoke(t.Context(), cc, method, grpc.Trailer(&trailer))
		got, ok := status.FromError(err)
		if !ok || got.Code() != codes.Unavailable || got.Message() != "down for a moment" || len(got.Details()) != 1 {
			t.Errorf("%s: %v with details %v", method, err, got.Details())
		}
		if _, ours := errors.AsType[*client.Error](err); ours {
			t.Errorf("%s: what the peer said is no error of the mesh: %v", method, err)
		}
		if trailer["k"] == nil {
			t.Errorf("%s: trailer %v", method, trailer)
		}
	}
	if calls.Load() != 4 {
		t.Errorf("%d attempts, want 3 and 1", calls.Load())
	}
}

// One call never shows parts of two answers.
func TestCallOptionsShowTheLastAttempt(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1", "b:1")
	failed := make(chan struct{}, 3)
	w.serve("a:1", jobs(func(_ string, s grpc.ServerStream) error {
		w.net.Refuse("a:1")
		defer w.net.Cut("a:1")
		s.SetTrailer(metadata.Pairs("from", "the first"))
		failed <- struct{}{}
		return unavailable
	}).server())
	trailer := metadata.Pairs("from", "the caller")
	_, err := invoke(t.Context(), w.conn(), get, grpc.Trailer(&trailer))
	if err == nil || len(failed) == 0 {
		t.Fatal("the call was to fail, after an attempt that was answered")
	}
	if trailer != nil && len(failed) == 1 {
		t.Errorf("the last attempt had no answer, but there is a trailer: %v", trailer)
	}
}

func TestTheAttemptsNumberTravels(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1")
	var calls atomic.Int64
	numbers := make(chan []string, 10)
	w.serve("a:1", jobs(func(method string, s grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(s.Context())
		numbers <- md["grpc-previous-rpc-attempts"]
		if calls.Add(1)%3 != 0 {
			return unavailable
		}
		return answer("a")(method, s)
	}).server())
	cc := w.conn()
	if _, err := invoke(t.Context(), cc, get); err != nil {
		t.Fatal(err)
	}
	st, err := cc.NewStream(t.Context(), duplex, feed)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.SendMsg(new(testpb.SimpleRequest)), st.CloseSend(), st.RecvMsg(new(testpb.SimpleResponse)), wantEOF(st)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "1", "2", "", "1", "2"} {
		if got := strings.Join(<-numbers, ","); got != want {
			t.Errorf("attempt %d had number %q, want %q", i, got, want)
		}
	}
}

func wantEOF(s grpc.ClientStream) error {
	if err := s.RecvMsg(new(testpb.SimpleResponse)); err != io.EOF {
		return errors.Join(errors.New("want the end of the stream"), err)
	}
	return nil
}

func TestRetriesOfWhatWasNeverSent(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1", "b:1")
	w.serve("b:1", answer("b").server())
	cc := w.conn()
	for range 20 {
		if server, err := invoke(t.Context(), cc, put); err != nil || server != "b" {
			t.Fatal(server, err)
		}
	}
	w.settled()
}

func TestNothingCanBeConnectedTo(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1", "b:1")
	cc := w.conn()
	for _, method := range []string{get, put} {
		var info client.Info
		_, err := invoke(client.With(t.Context(), client.Options{Info: &info}), cc, method)
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.ConnectFailed || e.Attempts != 3 || e.Service != "orders" {
			t.Errorf("%s: %v (%+v)", method, err, e)
		}
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: %v says neither UNAVAILABLE nor why", method, err)
		}
		if len(info.Attempts) != 3 || info.Attempts[0].Outcome != "refused" {
			t.Errorf("%s: %+v", method, info)
		}
	}
	for _, method := range []string{watch, push} {
		_, err := cc.NewStream(t.Context(), duplex, method)
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.ConnectFailed || e.Attempts != 3 {
			t.Errorf("%s: %v", method, err)
		}
	}
	w.settled()
}

func TestErrorsOfDiscovery(t *testing.T) {
	w := newWorld(t, standard())
	for target, want := range map[string]error{"mesh:///orders": discovery.ErrNoEndpoint, "mesh:///nobody": discovery.ErrUnknownService} {
		cc := w.connTo(target)
		_, err := invoke(t.Context(), cc, get)
		_, err2 := cc.NewStream(t.Context(), duplex, push)
		for _, err := range []error{err, err2} {
			var e *client.Error
			if !errors.Is(err, want) || status.Code(err) != codes.Unavailable || !errors.As(err, &e) || e.Attempts != 0 {
				t.Errorf("%s: %v (%+v)", target, err, e)
			}
		}
	}
}

func TestWaitForReadyWaitsForEndpoints(t *testing.T) {
	for name, grow := range map[string]func(*world){
		"that the registry does not know yet": func(w *world) { w.source.push(set("a:1")) },
		"that do not listen yet":              func(*world) {},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, standard())
			if name == "that do not listen yet" {
				w = newWorld(t, standard(), "a:1")
			}
			cc := w.conn()
			got := make(chan error, 2)
			go func() {
				_, err := invoke(t.Context(), cc, put, grpc.WaitForReady(true))
				got <- err
			}()
			go func() {
				st, err := cc.NewStream(t.Context(), duplex, feed, grpc.WaitForReady(true))
				if err == nil {
					err = errors.Join(st.SendMsg(new(testpb.SimpleRequest)), st.CloseSend(), st.RecvMsg(new(testpb.SimpleResponse)), wantEOF(st))
				}
				got <- err
			}()
			eventually(t, "a call is under way", func() bool { return cc.GetState().String() == "TRANSIENT_FAILURE" })
			w.serve("a:1", answer("a").server())
			grow(w)
			for range 2 {
				if err := <-got; err != nil {
					t.Error(err)
				}
			}
			w.settled()
		})
	}
}

func TestTheBudgetBoundsRetries(t *testing.T) {
	p := fastRetries()
	p.Budget = &resilience.Budget{Ratio: -1, PerSecond: 0.3, Window: 10 * time.Second} // 3 in all
	w := newWorld(t, under(p), "a:1")
	var calls atomic.Int64
	w.serve("a:1", failing(&calls, unavailable).server())
	cc := w.conn()
	for range 10 {
		if _, err := invoke(t.Context(), cc, get); status.Code(err) != codes.Unavailable || err.Error() != unavailable.Error() {
			t.Fatal(err)
		}
	}
	if calls.Load() != 13 {
		t.Errorf("%d attempts of 10 calls, want 3 retries", calls.Load())
	}
}

func TestSetResilienceAtRunTime(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1")
	var calls atomic.Int64
	w.serve("a:1", failing(&calls, unavailable).server())
	cc := w.conn()
	both := func() (unary, stream int64) {
		calls.Store(0)
		_, _ = invoke(t.Context(), cc, get)
		unary = calls.Swap(0)
		if st, err := cc.NewStream(t.Context(), outputs, watch); err == nil {
			_ = st.SendMsg(new(testpb.SimpleRequest))
			_ = st.RecvMsg(new(testpb.SimpleResponse))
		}
		return unary, calls.Load()
	}
	if u, s := both(); u != 3 || s != 3 {
		t.Errorf("%d and %d attempts under the first policy", u, s)
	}
	if err := w.c.SetResilience(resilience.Config{}); err != nil {
		t.Fatal(err)
	}
	if u, s := both(); u != 1 || s != 1 {
		t.Errorf("%d and %d attempts without a policy", u, s)
	}
	p := fastRetries()
	p.Retry.Retries = 1
	if err := w.c.SetResilience(resilience.Config{Services: map[string]resilience.Policy{"orders": p}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "streams are retried again", func() bool { u, s := both(); return u == 2 && s == 2 })
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, under(fastRetries()), "a:1", "b:1")
		hang := jobs(func(_ string, s grpc.ServerStream) error { <-s.Context().Done(); return s.Context().Err() })
		w.serve("a:1", hang.server())
		w.serve("b:1", hang.server())
		cc := w.conn()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var info client.Info
		_, err := invoke(client.With(ctx, client.Options{Info: &info}), cc, put)
		var e *client.Error
		if status.Code(err) != codes.DeadlineExceeded || errors.As(err, &e) || len(info.Attempts) != 1 {
			t.Errorf("got %v after %d attempts, want what grpc says", err, len(info.Attempts))
		}
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err = invoke(client.With(ctx, client.Options{Info: &info}), cc, get)
		if status.Code(err) != codes.DeadlineExceeded || len(info.Attempts) < 2 || info.Attempts[0].Endpoint == info.Attempts[1].Endpoint {
			t.Errorf("got %v after %+v, want a second attempt at the other endpoint after half of the time", err, info)
		}
		_, err = invoke(client.With(t.Context(), client.Options{Timeout: 5 * time.Second}), cc, put)
		if !errors.As(err, &e) || e.Reason != client.Deadline || !errors.Is(err, context.DeadlineExceeded) || status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("a timeout of the call's options: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err = invoke(ctx, cc, get); status.Code(err) != codes.Canceled || err.Error() != status.FromContextError(context.Canceled).Err().Error() {
			t.Errorf("canceled: %v", err)
		}
		synctest.Wait()
		if n := w.inFlight(); n != 0 {
			t.Errorf("%d in flight", n)
		}
	})
}

// Credentials that cannot be had now are the caller's own trouble: neither another endpoint's matter nor an error of ours.
func TestCredentialsThatAreUnavailable(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1", "b:1")
	w.serve("a:1", answer("a").server())
	w.serve("b:1", answer("b").server())
	cc := w.conn()
	for _, method := range []string{put, push, get, watch} {
		c := creds{err: status.Error(codes.Unavailable, "no token service"), asked: new(atomic.Int64)}
		var err error
		if method == put || method == get {
			_, err = invoke(t.Context(), cc, method, grpc.PerRPCCredentials(c))
		} else {
			_, err = cc.NewStream(t.Context(), duplex, method, grpc.PerRPCCredentials(c))
		}
		var ours *client.Error
		if errors.As(err, &ours) || status.Convert(err).Message() != "no token service" {
			t.Errorf("%s: %v", method, err)
		}
		if n := c.asked.Load(); (method == put || method == push) && n != 1 || n > 9 {
			t.Errorf("%s: asked %d times", method, n)
		}
	}
	if p := w.nodes()[0].Load.Penalty() + w.nodes()[1].Load.Penalty(); p != 0 {
		t.Errorf("the endpoints were blamed: %v", p)
	}
	w.settled()
}
