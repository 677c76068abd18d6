package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/resilience"
)

// chaos is a config with one route that has these faults.
func chaos(p resilience.Policy, faults ...traffic.Fault) client.Config {
	return client.Config{
		Resilience: resilience.Config{Default: p},
		Traffic:    traffic.Policy{Routes: []traffic.Route{{Name: "chaos", Faults: faults}}},
	}
}

// letters answers with n letters, whose number it announces unless it flushes first.
func letters(n int, announced bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if announced {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		} else {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write(bytes.Repeat([]byte("a"), n))
	}
}

// overBoth runs a test over HTTP/1.1 and HTTP/2.
func overBoth(t *testing.T, cfg client.Config, h http.Handler, f func(t *testing.T, m *mesh, rt http.RoundTripper)) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMesh(t, cfg, h)
				base := &http.Transport{Protocols: new(http.Protocols)}
				if version == "HTTP/2.0" {
					base.Protocols.SetUnencryptedHTTP2(true)
				} else {
					base.Protocols.SetHTTP1(true)
				}
				f(t, m, m.c.Transport(base))
			})
		})
	}
}

// get makes a call and reads what comes, to its end or to the error.
func get(t *testing.T, rt http.RoundTripper, info *client.Info) (*http.Response, string, error) {
	t.Helper()
	req := requestWith(t, client.With(t.Context(), client.Options{Info: info}), "GET", "http://orders/", nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

func TestFaultAborts(t *testing.T) {
	for _, scope := range []traffic.Scope{traffic.ScopeCall, traffic.ScopeAttempt} {
		served := count(echo)
		cfg := chaos(resilience.Standard(), traffic.Fault{Percent: 100, Scope: scope, Abort: &traffic.Abort{Status: 503}})
		overBoth(t, cfg, served, func(t *testing.T, m *mesh, rt http.RoundTripper) {
			var info client.Info
			body := track("hello")
			req := requestWith(t, client.With(t.Context(), client.Options{Info: &info}), "PUT", "http://orders/", body)
			resp, err := rt.RoundTrip(req)
			if got := text(t, resp, err); got != "fault injected by route chaos" || resp.StatusCode != 503 {
				t.Errorf("%s: got %d %q", scope, resp.StatusCode, got)
			}
			<-body.closed
			if info.Rule != "chaos" || strings.Join(info.Faults, " ") != "abort" {
				t.Errorf("%s: info %+v", scope, info)
			}
			if n := len(info.Attempts); (n > 0) != (scope == traffic.ScopeAttempt) || n > 0 && info.Attempts[n-1].Faults[0] != "abort" {
				t.Errorf("%s: attempts %+v", scope, info.Attempts)
			}
		})
		if served.n.Load() != 0 {
			t.Errorf("%s: served %d", scope, served.n.Load())
		}
	}
}

// TestFirstAbortActs: of two that are drawn.
func TestFirstAbortActs(t *testing.T) {
	for _, scope := range []traffic.Scope{traffic.ScopeCall, traffic.ScopeAttempt} {
		cfg := chaos(resilience.Policy{},
			traffic.Fault{Percent: 100, Scope: scope, Abort: &traffic.Abort{Status: 503}},
			traffic.Fault{Percent: 100, Scope: scope, Abort: &traffic.Abort{Status: 404}})
		m := newMesh(t, cfg, http.HandlerFunc(echo))
		if resp, _, err := get(t, m.rt, nil); err != nil || resp.StatusCode != 503 {
			t.Errorf("%s: %v, %v", scope, resp, err)
		}
	}
}

// TestFaultDelayEndsInTime: an attempt that is held back beyond its time fails as one whose server was silent, and not as one
// whose caller left.
func TestFaultDelayEndsInTime(t *testing.T) {
	p := resilience.Policy{Retry: &resilience.Retry{Retries: 1, PerTry: time.Second}}
	cfg := chaos(p, traffic.Fault{Percent: 100, Scope: traffic.ScopeAttempt, Delay: time.Hour})
	overBoth(t, cfg, http.HandlerFunc(echo), func(t *testing.T, m *mesh, rt http.RoundTripper) {
		_, _, err := get(t, rt, nil)
		e, ok := errors.AsType[*client.Error](err)
		if !ok || e.Reason != client.TryTimeout || e.Attempts != 2 || !e.Timeout() || errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestFaultThenRetry: an attempt that was aborted is followed by a real one, with the rewritten path and the whole body.
func TestFaultThenRetry(t *testing.T) {
	to := "/v2"
	p := resilience.Standard()
	p.Retry.Retries, p.Budget = 10, nil
	cfg := chaos(p, traffic.Fault{Percent: 20, Scope: traffic.ScopeAttempt, Abort: &traffic.Abort{Status: 503}})
	cfg.Traffic = traffic.Policy{Routes: []traffic.Route{{
		Name: "chaos", Match: []traffic.Match{{Path: traffic.PathPrefix("/v1")}}, Rewrite: &traffic.Rewrite{Prefix: &to},
		Faults: cfg.Traffic.(traffic.Policy).Routes[0].Faults,
	}}}
	overBoth(t, cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.URL.Path+" "+string(b))
	}), func(t *testing.T, m *mesh, rt http.RoundTripper) {
		again := 0
		for range 40 {
			var info client.Info
			req := requestWith(t, client.With(t.Context(), client.Options{Info: &info}), "PUT", "mesh://orders/v1/x", track("hello"))
			resp, err := rt.RoundTrip(req)
			if got := text(t, resp, err); got != "/v2/x hello" {
				t.Fatalf("got %q after %d attempts", got, len(info.Attempts))
			}
			again += len(info.Attempts) - 1
		}
		if again == 0 {
			t.Error("no attempt was ever aborted")
		}
	})
}

func TestBodyCorrupted(t *testing.T) {
	const n = 20_000
	cfg := chaos(resilience.Policy{}, traffic.Fault{Percent: 100, Body: &traffic.BodyFault{Corrupt: 0.05}})
	overBoth(t, cfg, letters(n, true), func(t *testing.T, m *mesh, rt http.RoundTripper) {
		var info client.Info
		_, got, err := get(t, rt, &info)
		if err != nil || len(got) != n {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		changed := n - strings.Count(got, "a")
		if changed < 876 || changed > 1124 { // sigma 31
			t.Errorf("%d bytes changed, want 1,000 +-124", changed)
		}
		if strings.Join(info.Faults, " ") != "corrupt" {
			t.Errorf("info %+v", info)
		}
	})
}

func TestBodyTruncated(t *testing.T) {
	for _, tt := range []struct {
		announced bool
		after     int64
		got       int
		cut       bool
	}{
		{true, 0, 0, true}, {true, 10, 10, true}, {true, 99, 99, true}, {true, 100, 100, false}, {true, 500, 100, false},
		{false, 0, 0, false}, {false, 10, 10, false}, {false, 500, 100, false},
	} {
		cfg := chaos(resilience.Policy{}, traffic.Fault{Percent: 100, Body: &traffic.BodyFault{TruncateAfter: &tt.after}})
		overBoth(t, cfg, letters(100, tt.announced), func(t *testing.T, m *mesh, rt http.RoundTripper) {
			_, got, err := get(t, rt, nil)
			if len(got) != tt.got {
				t.Errorf("%+v: got %d bytes, %v", tt, len(got), err)
			}
			e, marked := errors.AsType[*client.Error](err)
			if tt.cut != errors.Is(err, io.ErrUnexpectedEOF) || tt.cut != (marked && e.Reason == client.FaultInjected && e.Rule == "chaos") {
				t.Errorf("%+v: error %v", tt, err)
			}
		})
	}
}

// TestBodyReset: the reader sees a connection that was reset, the server that it is gone, and the breaker a failure.
func TestBodyReset(t *testing.T) {
	after := int64(10)
	p := resilience.Policy{Breaker: &resilience.Breaker{MinCalls: 1}}
	cfg := chaos(p, traffic.Fault{Percent: 100, Body: &traffic.BodyFault{ResetAfter: &after}})
	gone := make(chan struct{}, 1)
	overBoth(t, cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		letters(100, false)(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	}), func(t *testing.T, m *mesh, rt http.RoundTripper) {
		_, got, err := get(t, rt, nil)
		e, _ := errors.AsType[*client.Error](err)
		if len(got) != 10 || !errors.Is(err, syscall.ECONNRESET) || e == nil || e.Reason != client.FaultInjected {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		<-gone
		if _, _, err = get(t, rt, nil); !errors.Is(err, resilience.ErrOpen) {
			t.Errorf("the breaker heard nothing: %v", err)
		}
	})
}

// TestBodyPaced: 1,000 bytes at 100 a second take 10 s; silence is measured as with every slow body; a caller that gives up
// or closes waits no longer.
func TestBodyPaced(t *testing.T) {
	cfg := chaos(resilience.Policy{Timeout: &resilience.Timeout{Idle: 2 * time.Second}}, traffic.Fault{Percent: 100, Body: &traffic.BodyFault{BytesPerSecond: 100}})
	overBoth(t, cfg, letters(1000, true), func(t *testing.T, m *mesh, rt http.RoundTripper) {
		began := time.Now()
		_, got, err := get(t, rt, nil)
		if took := time.Since(began); err != nil || len(got) != 1000 || took < 9900*time.Millisecond || took > 10100*time.Millisecond {
			t.Errorf("%d bytes in %v, %v", len(got), took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		resp, err := rt.RoundTrip(requestWith(t, ctx, "GET", "http://orders/", nil))
		if err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		if _, err = io.ReadAll(resp.Body); err == nil || time.Since(began) > 3*time.Second {
			t.Errorf("the context had ended: %v after %v", err, time.Since(began))
		}
		resp.Body.Close()
		resp, err = rt.RoundTrip(request(t, "GET", "http://orders/", nil))
		if err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		time.AfterFunc(time.Second, func() { resp.Body.Close() })
		if _, err = io.ReadAll(resp.Body); err == nil || time.Since(began) > 1100*time.Millisecond {
			t.Errorf("closed: %v after %v", err, time.Since(began))
		}
	})
	// One byte takes longer than the silence that is allowed.
	cfg = chaos(resilience.Policy{Timeout: &resilience.Timeout{Idle: 300 * time.Millisecond}}, traffic.Fault{Percent: 100, Body: &traffic.BodyFault{BytesPerSecond: 1}})
	overBoth(t, cfg, letters(1000, true), func(t *testing.T, m *mesh, rt http.RoundTripper) {
		_, _, err := get(t, rt, nil)
		if e, _ := errors.AsType[*client.Error](err); e == nil || e.Reason != client.Idle {
			t.Errorf("got %v", err)
		}
	})
}

// TestBodyFaultsNeedABody: an answer without one is not marked.
func TestBodyFaultsNeedABody(t *testing.T) {
	zero := int64(0)
	cfg := chaos(resilience.Policy{}, traffic.Fault{Percent: 100, Body: &traffic.BodyFault{ResetAfter: &zero}})
	overBoth(t, cfg, status(204), func(t *testing.T, m *mesh, rt http.RoundTripper) {
		var info client.Info
		if _, _, err := get(t, rt, &info); err != nil || info.Faults != nil {
			t.Errorf("%v, %+v", err, info)
		}
	})
}

// TestFaultsAreMarked: the metric counts each fault, the durations and spans of what had one are told apart, and those of
// what had none look as they always do.
func TestFaultsAreMarked(t *testing.T) {
	tester := []traffic.Match{{Headers: []traffic.Field{{Name: "x-tester", Value: traffic.Present()}}}}
	m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(echo), nil, func(c *client.Config, r *traffic.Route) {
		c.Resilience = resilience.Config{Default: resilience.Policy{Retry: &resilience.Retry{Retries: 2, Backoff: resilience.Backoff{Base: time.Microsecond}}}}
		r.Mirrors = nil
		r.Faults = []traffic.Fault{
			{Percent: 100, Match: tester, Delay: time.Microsecond},
			{Percent: 100, Match: tester, Scope: traffic.ScopeAttempt, Abort: &traffic.Abort{Status: 503}},
		}
	})
	m.ask("http://orders/")
	m.ask("http://orders/", "X-Tester", "me")
	if got := m.counted("intramesh.client.faults", "intramesh.fault"); got["delay"] != 1 || got["abort"] != 3 || len(got) != 2 {
		t.Errorf("faults %v", got)
	}
	got := m.counted("http.client.request.duration", "intramesh.outcome", "intramesh.fault")
	if got["success"] != 1 || got["failure delay,abort"] != 1 || len(got) != 2 {
		t.Errorf("durations %v", got)
	}
	marks := map[string]int{}
	for _, s := range m.spans.GetSpans() {
		for _, kv := range s.Attributes {
			if kv.Key == "intramesh.fault" {
				marks[s.Name+" "+kv.Value.AsString()]++
			}
		}
		for _, e := range s.Events {
			marks[s.Name+" "+e.Name]++
		}
	}
	if marks["GET delay,abort"] != 1 || marks["GET attempt abort"] != 3 || marks["GET intramesh.fault"] != 4 {
		t.Errorf("marks of spans %v", marks)
	}
}
