package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
)

// inBubble runs f with a mesh of these endpoints, in turn.
func inBubble(t *testing.T, p resilience.Policy, handlers []http.Handler, f func(t *testing.T, m *mesh)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := client.Config{Resilience: resilience.Config{Default: p}, Balance: balance.RoundRobin}
		m := newMesh(t, cfg, handlers...)
		defer m.c.Close()
		f(t, m)
	})
}

func breakerOnly() resilience.Policy { return resilience.Policy{Breaker: &resilience.Breaker{}} }

func outlierOnly() resilience.Policy {
	return resilience.Policy{Outlier: &resilience.Outlier{Jitter: -1}}
}

// try makes a GET and gives what came of it, body included.
func (m *mesh) try() (status int, err error) {
	resp, err := m.get(m.t.Context())
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// isOpen reports whether err is the refusal of a breaker.
func isOpen(err error) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Reason == client.BreakerOpen && e.Attempts == 0 && e.Endpoint == "" && e.Code == 14 &&
		errors.Is(err, resilience.ErrOpen)
}

// TestBreaker: it opens, refuses without an attempt, lets one through, closes.
func TestBreaker(t *testing.T) {
	var well atomic.Bool
	h := count(func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	inBubble(t, breakerOnly(), []http.Handler{h}, func(t *testing.T, m *mesh) {
		for range 20 {
			if status, err := m.try(); status != 500 || err != nil {
				t.Fatal(status, err)
			}
		}
		if _, err := m.try(); !isOpen(err) {
			t.Fatalf("%v", err)
		}
		body := track("x")
		if _, err := m.rt.RoundTrip(request(t, http.MethodPost, "mesh://orders/", body)); !isOpen(err) { //nolint:bodyclose // there is none
			t.Errorf("%v", err)
		}
		<-body.closed // the contract of RoundTripper
		if n := h.n.Load(); n != 20 {
			t.Errorf("%d arrived", n)
		}
		well.Store(true)
		time.Sleep(5 * time.Second)
		for range 3 {
			if status, err := m.try(); status != 200 || err != nil {
				t.Error(status, err)
			}
		}
	})
}

// TestBreakerUnreachable: with nobody there it opens too, with and without discovery.
func TestBreakerUnreachable(t *testing.T) {
	inBubble(t, breakerOnly(), []http.Handler{nil}, func(t *testing.T, m *mesh) {
		for range 20 {
			if _, err := m.try(); err == nil || isOpen(err) {
				t.Fatal(err)
			}
		}
		if _, err := m.try(); !isOpen(err) {
			t.Errorf("%v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		c := newClient(t, client.Config{Resilience: resilience.Config{Default: breakerOnly()}})
		rt := c.Transport(roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, down }))
		for i := range 21 {
			_, err := rt.RoundTrip(request(t, http.MethodGet, "http://orders:80/", nil)) //nolint:bodyclose // there is none
			if isOpen(err) != (i == 20) {
				t.Fatal(i, err)
			}
		}
		if _, err := rt.RoundTrip(request(t, http.MethodGet, "http://stock/", nil)); !errors.Is(err, down) { //nolint:bodyclose // there is none
			t.Errorf("another authority: %v", err)
		}
	})
}

// endless answers at once with a body that goes on until the caller leaves.
func endless(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "x")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// TestBreakerProbeWithEndlessBody: the answer's headers are enough.
func TestBreakerProbeWithEndlessBody(t *testing.T) {
	var well atomic.Bool
	inBubble(t, breakerOnly(), []http.Handler{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		endless(w, r)
	})}, func(t *testing.T, m *mesh) {
		for range 20 {
			_, _ = m.try()
		}
		well.Store(true)
		time.Sleep(5 * time.Second)
		for range 3 {
			resp, err := m.get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
		}
	})
}

// breaksOff sends headers and a part of the body.
func breaksOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "10")
	_, _ = io.WriteString(w, "x")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// TestBodiesThatBreakOff are failures, of the destination and of the endpoint; bodies that are not read to their end are
// none.
func TestBodiesThatBreakOff(t *testing.T) {
	inBubble(t, breakerOnly(), []http.Handler{http.HandlerFunc(breaksOff)}, func(t *testing.T, m *mesh) {
		for i := range 21 {
			if _, err := m.try(); isOpen(err) != (i == 20) {
				t.Fatal(i, err)
			}
		}
	})
	bad, good := count(breaksOff), count(status(200))
	inBubble(t, outlierOnly(), []http.Handler{bad, good}, func(t *testing.T, m *mesh) {
		for range 50 {
			_, _ = m.try()
		}
		if n := bad.n.Load(); n != 5 {
			t.Errorf("%d arrived", n)
		}
	})
	p := breakerOnly()
	p.Outlier = &resilience.Outlier{}
	left := count(endless)
	inBubble(t, p, []http.Handler{left, good}, func(t *testing.T, m *mesh) {
		for range 60 {
			resp, err := m.get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if n := left.n.Load(); n != 30 {
			t.Errorf("%d arrived", n)
		}
	})
}

// TestOutlier: of three endpoints one fails at once; by the default algorithm it is out within its fifth failure, the
// callers notice nothing, and it comes back by one call.
func TestOutlier(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{"503": status(503), "504": status(504), "not there": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				cfg := client.Config{Resilience: standard, Logger: slog.New(slog.NewTextHandler(&log, nil))}
				good := count(status(200))
				var first http.Handler
				if bad != nil {
					first = bad
				}
				m := newMesh(t, cfg, first, good, good)
				defer m.c.Close()
				failed := 0
				get := func() {
					var info client.Info
					resp, err := m.get(client.With(t.Context(), client.Options{Info: &info}))
					text(t, resp, err)
					if resp.StatusCode != 200 {
						t.Fatal(resp.StatusCode)
					}
					for _, a := range info.Attempts {
						if a.Endpoint == "a:80" {
							failed++
						}
					}
				}
				until := func(n int) {
					for i := 0; failed < n && i < 10_000; i++ {
						get()
						time.Sleep(100 * time.Millisecond) // the penalty of a failure passes
					}
					for range 100 {
						get()
					}
					if failed != n {
						t.Fatalf("%d attempts failed, want %d", failed, n)
					}
				}
				until(5)
				time.Sleep(33 * time.Second)
				until(6)
				want := `level=WARN msg="intramesh: endpoint ejected" service=orders endpoint=a:80 reason=consecutive_5xx for=3`
				if s := log.String(); strings.Count(s, want) != 1 || strings.Count(s, "reason=probe_failed for=1m") != 1 {
					t.Errorf("log: %s", s)
				}
			})
		})
	}
}

// TestOutlierProbeWithEndlessBody: an endpoint is readmitted by the headers of the answer.
func TestOutlierProbeWithEndlessBody(t *testing.T) {
	var well atomic.Bool
	back := count(func(w http.ResponseWriter, r *http.Request) {
		if well.Load() {
			endless(w, r)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	inBubble(t, outlierOnly(), []http.Handler{back, status(200)}, func(t *testing.T, m *mesh) {
		for range 20 {
			_, _ = m.try()
		}
		well.Store(true)
		time.Sleep(30 * time.Second)
		for range 20 {
			resp, err := m.get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
		}
		if n := back.n.Load(); n < 5+9 {
			t.Errorf("%d arrived", n)
		}
	})
}

// TestOneBadOfTwo: where retries rescue every call the destination's breaker stays closed, though half of its endpoints
// fails and is not taken out.
func TestOneBadOfTwo(t *testing.T) {
	p := resilience.Standard()
	p.Outlier = nil
	bad := count(status(503))
	inBubble(t, p, []http.Handler{bad, status(200)}, func(t *testing.T, m *mesh) {
		for range 500 {
			if status, err := m.try(); status != 200 || err != nil {
				t.Fatal(status, err)
			}
			time.Sleep(100 * time.Millisecond) // within the retry budget
		}
		if n := bad.n.Load(); n < 200 {
			t.Errorf("the bad one was asked %d times only", n)
		}
	})
}

// TestBodiesThatTheCallerEnds are nobody's failure: by the end of the context or of its time, or by Close while a Read waits.
func TestBodiesThatTheCallerEnds(t *testing.T) {
	p := breakerOnly()
	p.Outlier = &resilience.Outlier{}
	for name, end := range map[string]func(resp *http.Response, cancel func()){
		"cancel":   func(_ *http.Response, cancel func()) { time.AfterFunc(time.Second, cancel) },
		"deadline": func(*http.Response, func()) {},
		"close":    func(resp *http.Response, _ func()) { time.AfterFunc(time.Second, func() { resp.Body.Close() }) },
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				inBubble(t, p, []http.Handler{http.HandlerFunc(endless), http.HandlerFunc(endless)}, func(t *testing.T, m *mesh) {
					if h2 {
						m.rt = m.c.Transport(h2c())
					}
					for range 60 {
						ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
						resp, err := m.get(ctx)
						if err != nil {
							t.Fatal(err)
						}
						end(resp, cancel)
						if _, err := io.Copy(io.Discard, resp.Body); err == nil {
							t.Fatal("no end")
						}
						resp.Body.Close()
						cancel()
					}
					for _, n := range m.c.Core().Destination("orders", time.Now()).Endpoints().Nodes {
						if n.Ejected() {
							t.Errorf("%s is out", n.Addr())
						}
					}
				})
			})
		}
	}
}

// h2c speaks HTTP/2 without TLS.
func h2c() *http.Transport {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return &http.Transport{Protocols: p}
}
