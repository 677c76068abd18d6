package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

func timeouts(reply, idle time.Duration) resilience.Config {
	return resilience.Config{Default: resilience.Policy{Timeout: &resilience.Timeout{Reply: reply, Idle: idle}}}
}

// pauses sends its headers after the first pause and a byte after each further one.
func pauses(ds ...time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		for i, d := range ds {
			if !rest(r.Context(), d) {
				return
			}
			if i > 0 {
				_, _ = io.WriteString(w, "x")
			}
			_ = rc.Flush()
		}
	}
}

// rest waits for d, or returns false when ctx ends before. It makes no timer for a time that is over already: timers that
// several goroutines of a bubble find due at the same moment crash the race detector (https://go.dev/issue/78156).
func rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// bubble runs a test in one, with its mesh, and waits for what the call left.
func bubble(t *testing.T, cfg client.Config, h http.Handler, f func(t *testing.T, m *mesh)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, cfg, h)
		defer m.c.Close()
		f(t, m)
		synctest.Wait()
		for _, n := range m.c.Core().Destination("orders", time.Now()).Endpoints().Nodes {
			if in := n.Load.InFlight(); in != 0 {
				t.Errorf("%d in flight at %s", in, n.Addr())
			}
		}
	})
}

// get makes a GET over an http.Client, so that errors come as users see them.
func (m *mesh) get(ctx context.Context) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "mesh://orders/", nil)
	if err != nil {
		return nil, err
	}
	return (&http.Client{Transport: m.rt}).Do(req)
}

// wantTimeout checks an error in all the ways in which callers look at it.
func wantTimeout(t *testing.T, err error, reason string) {
	t.Helper()
	var e *client.Error
	var u *url.Error
	switch {
	case !errors.As(err, &u) || !u.Timeout():
		t.Errorf("%v: not a *url.Error with Timeout", err)
	case !errors.As(err, &e) || e.Reason != reason || e.Code != uint32(call.DeadlineExceeded) || !e.Timeout():
		t.Errorf("%#v, want reason %s", e, reason)
	case !errors.Is(err, context.DeadlineExceeded):
		t.Errorf("%v is not context.DeadlineExceeded", err)
	case e.Service != "orders" || e.Method != http.MethodGet || e.Endpoint != "a:80":
		t.Errorf("%#v", e)
	}
}

func TestReplyLimit(t *testing.T) {
	bubble(t, client.Config{Resilience: timeouts(10*time.Second, -1)}, pauses(time.Minute), func(t *testing.T, m *mesh) {
		began := time.Now()
		_, err := m.get(t.Context()) //nolint:bodyclose // there is none
		wantTimeout(t, err, client.Deadline)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

// TestReplyLimitIsNoneForBodies: a body of minutes survives.
func TestReplyLimitIsNoneForBodies(t *testing.T) {
	for name, cfg := range map[string]resilience.Config{"standard": standard, "no idle limit": timeouts(time.Second, -1)} {
		t.Run(name, func(t *testing.T) {
			bubble(t, client.Config{Resilience: cfg}, pauses(0, 4*time.Minute, 4*time.Minute, 4*time.Minute), func(t *testing.T, m *mesh) {
				resp, err := m.get(t.Context())
				if got := text(t, resp, err); got != "xxx" {
					t.Errorf("%q", got)
				}
			})
		})
	}
}

// TestReplyLimitIsNoneForUploads: the wait for a reply counts from when the request's body last moved.
func TestReplyLimitIsNoneForUploads(t *testing.T) {
	bubble(t, client.Config{Resilience: standard}, http.HandlerFunc(echo), func(t *testing.T, m *mesh) {
		pr, pw := io.Pipe()
		go func() {
			for range 5 {
				time.Sleep(6 * time.Second) // in the bubble's time
				_, _ = io.WriteString(pw, "x")
			}
			pw.Close()
		}()
		resp, err := m.rt.RoundTrip(request(t, http.MethodPost, "mesh://orders/", pr))
		if got := text(t, resp, err); got != "xxxxx" {
			t.Errorf("%q", got)
		}
		// One that stops is ended.
		pr, pw = io.Pipe()
		defer pw.Close()
		go func() { _, _ = io.WriteString(pw, "x") }()
		began := time.Now()
		_, err = (&http.Client{Transport: m.rt}).Post("mesh://orders/", "", pr) //nolint:noctx // the client's time is what is tested
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.Deadline {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

// TestIdleLimit kills a body that is silent.
func TestIdleLimit(t *testing.T) {
	bubble(t, client.Config{Resilience: timeouts(-1, time.Minute)}, pauses(0, 50*time.Second, 50*time.Second, 2*time.Minute), func(t *testing.T, m *mesh) {
		resp, err := m.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		began := time.Now()
		b, err := io.ReadAll(resp.Body)
		var e *client.Error
		if string(b) != "xx" || !errors.As(err, &e) || e.Reason != client.Idle || !e.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q, %v", b, err)
		}
		if took := time.Since(began); took != 160*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

// TestOptionsTimeout covers the body, and travels.
func TestOptionsTimeout(t *testing.T) {
	var told string
	h := func(w http.ResponseWriter, r *http.Request) {
		told = r.Header.Get("X-Envoy-Expected-Rq-Timeout-Ms")
		pauses(0, 2*time.Second, 2*time.Second, 2*time.Second)(w, r)
	}
	bubble(t, client.Config{Resilience: standard}, http.HandlerFunc(h), func(t *testing.T, m *mesh) {
		ctx := client.With(t.Context(), client.Options{Timeout: 5 * time.Second})
		resp, err := m.get(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		began := time.Now()
		b, err := io.ReadAll(resp.Body)
		if string(b) != "xx" || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 5*time.Second || told != "5000" {
			t.Errorf("%q, %v after %v, told %q", b, err, time.Since(began), told)
		}
	})
}

// TestCallersDeadline bounds the call whatever the policy says, and over an http.Client too.
func TestCallersDeadline(t *testing.T) {
	for name, cfg := range map[string]resilience.Config{"standard": standard, "nothing": {}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, client.Config{Resilience: cfg}, pauses(time.Hour), func(t *testing.T, m *mesh) {
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				began := time.Now()
				_, err := m.get(ctx) //nolint:bodyclose // there is none
				wantTimeout(t, err, client.Deadline)
				if took := time.Since(began); took != 4*time.Second {
					t.Errorf("after %v", took)
				}
				hc := &http.Client{Transport: m.rt, Timeout: 3 * time.Second}
				began = time.Now()
				_, err = hc.Get("mesh://orders/") //nolint:noctx // the client's time is what is tested
				if u := (*url.Error)(nil); !errors.As(err, &u) || !u.Timeout() || time.Since(began) != 3*time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

// TestNoRetryHasAllTheTime: the only attempt is not cut short to leave time for another.
func TestNoRetryHasAllTheTime(t *testing.T) {
	bubble(t, client.Config{Resilience: standard}, pauses(8*time.Second, 0), func(t *testing.T, m *mesh) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		resp, err := m.get(client.With(ctx, client.Options{NoRetry: true}))
		if got := text(t, resp, err); got != "x" {
			t.Errorf("%q", got)
		}
	})
}

// TestPassedDownHasAllTheTime: neither is an attempt that no other may follow, because the process serves a retried one
// and has no budget.
func TestPassedDownHasAllTheTime(t *testing.T) {
	policy := resilience.Policy{Retry: &resilience.Retry{}}
	bubble(t, client.Config{Resilience: resilience.Config{Default: policy}}, pauses(8*time.Second, 0), func(t *testing.T, m *mesh) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		resp, err := m.get(call.WithInbound(ctx, &call.Inbound{Attempt: 2}))
		if got := text(t, resp, err); got != "x" {
			t.Errorf("%q", got)
		}
	})
}

// TestCallerCancels: while it waits for the headers, with and without a cause of the caller's own.
func TestCallerCancels(t *testing.T) {
	own := errors.New("own reason")
	for _, cause := range []error{nil, own} {
		bubble(t, client.Config{Resilience: standard}, pauses(time.Hour), func(t *testing.T, m *mesh) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(cause) })
			_, err := m.get(ctx) //nolint:bodyclose // there is none
			var e *client.Error
			if !errors.As(err, &e) || e.Reason != client.Canceled || !errors.Is(err, context.Canceled) || e.Timeout() {
				t.Errorf("%v", err)
			}
			if cause != nil && !errors.Is(err, own) {
				t.Errorf("%v hides the caller's cause", err)
			}
		})
	}
}

// TestStoppedEndpoint costs one try: the call goes on to another endpoint, while time is left.
func TestStoppedEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(echo), http.HandlerFunc(echo))
		defer m.c.Close()
		for range 4 { // connections to both
			resp, err := m.get(t.Context())
			text(t, resp, err)
		}
		m.net.BlackHole("a:80")
		rescued := 0
		for range 20 {
			var info client.Info
			ctx, cancel := context.WithTimeout(client.With(t.Context(), client.Options{Info: &info}), 2*time.Second)
			began := time.Now()
			resp, err := m.get(ctx)
			text(t, resp, err)
			cancel()
			if took := time.Since(began); len(info.Attempts) == 2 {
				rescued++
				first := info.Attempts[0]
				if took < time.Second || took > 1100*time.Millisecond || first.Endpoint != "a:80" || first.Code != uint32(call.DeadlineExceeded) {
					t.Errorf("%v, %+v", took, info)
				}
			}
		}
		if rescued == 0 {
			t.Error("no call met the stopped endpoint")
		}
		m.net.Restore("a:80")
	})
}

// TestPerTry: an explicit limit ends the last attempt too, and says so.
func TestPerTry(t *testing.T) {
	policy := resilience.Policy{Retry: &resilience.Retry{PerTry: time.Second, Retries: 1}}
	bubble(t, client.Config{Resilience: resilience.Config{Default: policy}}, pauses(time.Hour), func(t *testing.T, m *mesh) {
		_, err := m.get(t.Context()) //nolint:bodyclose // there is none
		wantTimeout(t, err, client.TryTimeout)
		if e := (*client.Error)(nil); errors.As(err, &e) && e.Attempts != 2 {
			t.Errorf("%d attempts", e.Attempts)
		}
	})
}

// TestTransportsOwnTimeout is a failure of the way, not the end of the call's time.
func TestTransportsOwnTimeout(t *testing.T) {
	bubble(t, client.Config{}, pauses(time.Hour), func(t *testing.T, m *mesh) {
		m.rt = m.c.Transport(&http.Transport{ResponseHeaderTimeout: time.Second})
		_, err := m.get(t.Context()) //nolint:bodyclose // there is none
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.Broken || !e.Timeout() || !strings.Contains(err.Error(), "timeout") {
			t.Errorf("%v", err)
		}
	})
}

// TestReplyTooLate: a transport that answers although the time was over brings no answer, and its body is closed.
func TestReplyTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := track("late")
		c := newClient(t, client.Config{Resilience: timeouts(time.Second, -1)})
		rt := c.Transport(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return &http.Response{StatusCode: 200, Body: body}, nil
		}))
		resp, err := rt.RoundTrip(request(t, http.MethodGet, "http://orders/", nil)) //nolint:bodyclose // there is none
		var e *client.Error
		if resp != nil || !errors.As(err, &e) || e.Reason != client.Deadline || !e.Timeout() {
			t.Errorf("%v, %v", resp, err)
		}
		<-body.closed
	})
}

// TestReplyInTheVeryMoment: whichever of the timer and the headers comes first wins whole. A body is never cut by a clock
// that has lost.
func TestReplyInTheVeryMoment(t *testing.T) {
	for range 50 {
		bubble(t, client.Config{Resilience: timeouts(time.Second, -1)}, pauses(time.Second, time.Second), func(t *testing.T, m *mesh) {
			resp, err := m.get(t.Context())
			if err != nil {
				wantTimeout(t, err, client.Deadline)
				return
			}
			if got := text(t, resp, err); got != "x" {
				t.Errorf("%q", got)
			}
		})
	}
}
