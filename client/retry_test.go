package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// refusing answers status with headers "k: v".
func refusing(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, h := range headers {
			k, v, _ := strings.Cut(h, ": ")
			w.Header().Set(k, v)
		}
		w.WriteHeader(code)
	}
}

// breaking reads the request and breaks the connection without an answer.
func breaking(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	panic(http.ErrAbortHandler)
}

// TestWhatIsRepeated is the table of DEFAULTS: which request is repeated after what.
func TestWhatIsRepeated(t *testing.T) {
	overloaded503 := refusing(503, "x-envoy-overloaded: true")
	for _, tt := range []struct {
		name   string
		method string
		header string
		opts   client.Options
		policy *resilience.Retry
		bad    http.HandlerFunc // nil: nobody listens
		tries  int64            // that the bad endpoint sees when it is the only one
	}{
		{"GET 502", "GET", "", client.Options{}, nil, status(502), 3},
		{"GET 503", "GET", "", client.Options{}, nil, status(503), 3},
		{"GET 504", "GET", "", client.Options{}, nil, status(504), 3},
		{"GET broken", "GET", "", client.Options{}, nil, breaking, 3},
		{"GET 500", "GET", "", client.Options{}, nil, status(500), 1},
		{"GET 501", "GET", "", client.Options{}, nil, status(501), 1},
		{"GET 429", "GET", "", client.Options{}, nil, status(429), 1},
		{"GET 404", "GET", "", client.Options{}, nil, status(404), 1},
		{"GET rate limited", "GET", "", client.Options{}, nil, refusing(503, "x-envoy-ratelimited: true"), 1},
		{"GET, no retry", "GET", "", client.Options{NoRetry: true}, nil, status(503), 1},
		{"PUT 503", "PUT", "", client.Options{}, nil, status(503), 3},
		{"POST 503", "POST", "", client.Options{}, nil, status(503), 1},
		{"POST broken", "POST", "", client.Options{}, nil, breaking, 1},
		{"POST overloaded 503", "POST", "", client.Options{}, nil, overloaded503, 3},
		{"POST overloaded 429", "POST", "", client.Options{}, nil, refusing(429, "x-envoy-overloaded: true"), 3},
		{"POST overloaded 500", "POST", "", client.Options{}, nil, refusing(500, "x-envoy-overloaded: true"), 1},
		{"POST with a key", "POST", "Idempotency-Key", client.Options{}, nil, status(503), 3},
		{"POST with a key, broken", "POST", "Idempotency-Key", client.Options{}, nil, breaking, 3},
		{"POST declared idempotent", "POST", "", client.Options{Idempotent: true}, nil, status(503), 3},
		{"POST by policy", "POST", "", client.Options{}, &resilience.Retry{Idempotent: true}, status(503), 3},
		{"POST listed", "POST", "", client.Options{}, &resilience.Retry{On: []string{"503"}}, status(503), 3},
		{"GET not listed", "GET", "", client.Options{}, &resilience.Retry{On: []string{"connect-failure"}}, status(503), 1},
		{"GET broken, only connect-failure", "GET", "", client.Options{}, &resilience.Retry{On: []string{"connect-failure"}}, breaking, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := count(tt.bad)
			policy := resilience.Standard()
			if tt.policy != nil {
				policy.Retry = tt.policy
			}
			m := newMesh(t, client.Config{Resilience: resilience.Config{Default: policy}}, bad)
			req := requestWith(t, client.With(t.Context(), tt.opts), tt.method, "mesh://orders/", strings.NewReader("x"))
			if tt.header != "" {
				req.Header.Set(tt.header, "7")
			}
			resp, err := m.rt.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if got := bad.n.Load(); got != tt.tries {
				t.Errorf("%d attempts, want %d (%v)", got, tt.tries, err)
			}
		})
	}
}

// TestTriedEndpointIsAvoided: with one bad endpoint of two every call succeeds, and no attempt is wasted twice.
func TestTriedEndpointIsAvoided(t *testing.T) {
	for name, bad := range map[string]http.Handler{"503": status(503), "broken": http.HandlerFunc(breaking), "refused": nil} {
		t.Run(name, func(t *testing.T) {
			m := newMesh(t, client.Config{Resilience: standard}, bad, http.HandlerFunc(echo))
			for range 30 {
				var info client.Info
				ctx := client.With(t.Context(), client.Options{Info: &info})
				resp, err := m.rt.RoundTrip(requestWith(t, ctx, http.MethodPut, "mesh://orders/", track("hi")))
				if got := text(t, resp, err); got != "hi" {
					t.Fatalf("%q", got)
				}
				if len(info.Attempts) > 2 || info.Endpoint != "b:80" {
					t.Fatalf("%+v", info)
				}
			}
		})
	}
}

// TestRefusedAtDial: a POST whose connection was never made is repeated, with its body, and the error says what happened.
func TestRefusedAtDial(t *testing.T) {
	m := newMesh(t, client.Config{Resilience: standard}, nil, nil, nil)
	_, err := m.rt.RoundTrip(request(t, http.MethodPost, "mesh://orders/", track("x"))) //nolint:bodyclose // there is none
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != client.ConnectFailed || e.Attempts != 3 || e.Service != "orders" ||
		e.Method != http.MethodPost || e.Endpoint == "" || e.Code != uint32(call.Unavailable) || e.Timeout() {
		t.Errorf("%#v", e)
	}
}

// TestLastAnswerIsAnswer: after the last attempt a 503 is a response, with the body that it came with.
func TestLastAnswerIsAnswer(t *testing.T) {
	n := 0
	m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.WriteHeader(503)
		fmt.Fprintf(w, "no %d", n)
	}))
	resp, err := m.rt.RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil))
	if got := text(t, resp, err); got != "no 3" || resp.StatusCode != 503 {
		t.Errorf("%d %q", resp.StatusCode, got)
	}
}

// TestBudget: when it is used up the first answer stands, and retries are a bounded part of the calls.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := count(status(503))
		policy := resilience.Policy{Retry: &resilience.Retry{}, Budget: &resilience.Budget{Ratio: 0.2, PerSecond: -1}}
		m := newMesh(t, client.Config{Resilience: resilience.Config{Default: policy}}, bad)
		defer m.c.Close()
		const calls = 100
		for range calls {
			resp, err := m.rt.RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil))
			text(t, resp, err)
			if resp.StatusCode != 503 {
				t.Fatal(resp.StatusCode)
			}
		}
		if retries := bad.n.Load() - calls; retries < 15 || retries > 20 {
			t.Errorf("%d retries for %d calls, want up to 20", retries, calls)
		}
	})
}

// TestRetryAfter sets the pause of a retry that is allowed, and stops one that would come too late.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(503)
			}
		}))
		defer m.c.Close()
		began := time.Now()
		resp, err := m.rt.RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
		if took := time.Since(began); resp.StatusCode != 200 || took != 7*time.Second {
			t.Errorf("%d after %v", resp.StatusCode, took)
		}
		n = 0
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began = time.Now()
		resp, err = m.rt.RoundTrip(requestWith(t, ctx, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
		if took := time.Since(began); resp.StatusCode != 503 || took != 0 {
			t.Errorf("%d after %v: the wait would not end before the deadline", resp.StatusCode, took)
		}
	})
}

// TestHeaders: the deadline travels and shrinks, the number comes with the second attempt.
func TestHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Header.Get("X-Envoy-Expected-Rq-Timeout-Ms")+"/"+r.Header.Get("X-Envoy-Attempt-Count"))
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(503)
		}))
		defer m.c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		resp, err := m.rt.RoundTrip(requestWith(t, ctx, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
		if got := strings.Join(seen, " "); got != "10000/ 7000/2 4000/3" {
			t.Errorf("attempts carried %s", got)
		}
		seen = nil
		ctx = client.With(t.Context(), client.Options{NoRetry: true})
		resp, err = m.rt.RoundTrip(requestWith(t, ctx, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
		ctx = client.With(t.Context(), client.Options{NoRetry: true, Timeout: 1500 * time.Microsecond})
		resp, err = m.rt.RoundTrip(requestWith(t, ctx, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
		if got := strings.Join(seen, " "); got != "/ 2/" {
			t.Errorf("attempts carried %q: the policy's own limit does not travel, the caller's does, rounded up", got)
		}
	})
}

// TestPassedDown: a service that serves a retried attempt does not repeat what was refused because of load.
func TestPassedDown(t *testing.T) {
	for _, tt := range []struct {
		attempt int
		bad     http.HandlerFunc
		tries   int64
	}{
		{1, refusing(503, "x-envoy-overloaded: true"), 3},
		{2, refusing(503, "x-envoy-overloaded: true"), 1},
		{2, status(503), 3},
	} {
		bad := count(tt.bad)
		m := newMesh(t, client.Config{Resilience: standard}, bad)
		ctx := call.WithInbound(t.Context(), &call.Inbound{Attempt: tt.attempt})
		resp, err := m.rt.RoundTrip(requestWith(t, ctx, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
		if got := bad.n.Load(); got != tt.tries {
			t.Errorf("attempt %d from above: %d attempts, want %d", tt.attempt, got, tt.tries)
		}
	}
}

// TestSetResilience switches retries off and on while calls run; those under way keep what they began with.
func TestSetResilience(t *testing.T) {
	bad := count(nil)
	var during func()
	bad.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if during != nil {
			during()
			during = nil
		}
		w.WriteHeader(503)
	})
	m := newMesh(t, client.Config{Resilience: standard}, bad)
	set := func(cfg resilience.Config) {
		if err := m.c.SetResilience(cfg); err != nil {
			t.Error(err)
		}
	}
	during = func() { set(resilience.Config{}) }
	for i, want := range []int64{3, 1} {
		bad.n.Store(0)
		resp, err := m.rt.RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
		if got := bad.n.Load(); got != want {
			t.Errorf("call %d: %d attempts, want %d", i, got, want)
		}
	}
	during = func() { set(resilience.Config{Services: standardFor("orders")}) }
	for i, want := range []int64{1, 3} {
		bad.n.Store(0)
		resp, err := m.rt.RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
		if got := bad.n.Load(); got != want {
			t.Errorf("switched on, call %d: %d attempts, want %d", i, got, want)
		}
	}
	err := m.c.SetResilience(resilience.Config{Default: resilience.Policy{Retry: &resilience.Retry{Retries: -1}}})
	if err == nil || !strings.Contains(err.Error(), "Retry.Retries") {
		t.Errorf("a policy that cannot be honoured: %v", err)
	}
}

func standardFor(service string) map[string]resilience.Policy {
	return map[string]resilience.Policy{service: resilience.Standard()}
}

// TestHangingRefusal: a 503 whose body never comes does not hold up the next attempt.
func TestHangingRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(503)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		m := newMesh(t, client.Config{Resilience: standard}, hang, http.HandlerFunc(echo))
		defer m.c.Close()
		for range 10 {
			began := time.Now()
			resp, err := m.rt.RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil))
			text(t, resp, err)
			if took := time.Since(began); resp.StatusCode != 200 || took > time.Second {
				t.Fatalf("%d after %v", resp.StatusCode, took)
			}
		}
	})
}

// TestDroppedAnswersKeepConnections: a server that refuses is not made to open connections as well.
func TestDroppedAnswersKeepConnections(t *testing.T) {
	conns := make(map[string]bool)
	m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conns[r.RemoteAddr] = true
		http.Error(w, "not now", 503)
	}))
	for range 5 {
		resp, err := m.rt.RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil))
		text(t, resp, err)
	}
	if len(conns) != 1 {
		t.Errorf("%d connections for requests one after the other", len(conns))
	}
}
