package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// isLimited reports whether err is the refusal of a limit.
func isLimited(err error) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Reason == client.Limited && e.Attempts == 0 && e.Endpoint == "" && e.Code == 14 &&
		errors.Is(err, resilience.ErrLimited)
}

// underLimits serves bodies that end when the client closes them, over one version of HTTP, and counts connections.
func underLimits(t *testing.T, version int, l resilience.Limit, f func(t *testing.T, m *mesh, dialled *atomic.Int64)) {
	t.Helper()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != version {
			t.Errorf("%s", r.Proto)
		}
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var dialled atomic.Int64
		m := newMesh(t, client.Config{Resilience: resilience.Config{Default: resilience.Policy{Limit: &l}}}, h, h, h)
		m.c = newClient(t, client.Config{
			Discovery:  discovery.Static{"orders": {{Addr: "a:80"}, {Addr: "b:80"}, {Addr: "c:80"}}},
			Resilience: resilience.Config{Default: resilience.Policy{Limit: &l}},
			Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
				dialled.Add(1)
				return m.dial(ctx, e)
			},
		})
		base := &http.Transport{Protocols: new(http.Protocols)}
		base.Protocols.SetHTTP1(version == 1)
		base.Protocols.SetUnencryptedHTTP2(version == 2)
		m.rt = m.c.Transport(base)
		defer m.c.Close()
		f(t, m, &dialled)
	})
}

func (m *mesh) slow(ctx context.Context) (*http.Response, error) {
	return m.rt.RoundTrip(requestWith(m.t, ctx, http.MethodGet, "mesh://orders/slow", nil))
}

// TestLimitConnections: over HTTP/1.1 no more connections are in use than permitted, at all endpoints together; further
// calls wait until a body is over. Over HTTP/2 there is nothing to wait for.
func TestLimitConnections(t *testing.T) {
	l := resilience.Limit{Connections: 2, Pending: 1}
	t.Run("HTTP/1.1", func(t *testing.T) {
		underLimits(t, 1, l, func(t *testing.T, m *mesh, dialled *atomic.Int64) {
			var open []*http.Response
			for range 2 {
				resp, err := m.slow(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				open = append(open, resp)
			}
			third := make(chan error)
			go func() {
				resp, err := m.slow(t.Context())
				if err == nil {
					_ = resp.Body.Close()
				}
				third <- err
			}()
			synctest.Wait()
			if resp, err := m.slow(t.Context()); !isLimited(err) {
				t.Errorf("%v, %v", resp, err)
			}
			if n := dialled.Load(); n != 2 {
				t.Errorf("%d connections", n)
			}
			_ = open[0].Body.Close()
			if err := <-third; err != nil {
				t.Error(err)
			}
			_ = open[1].Body.Close()
		})
	})
	t.Run("HTTP/2", func(t *testing.T) {
		underLimits(t, 2, l, func(t *testing.T, m *mesh, dialled *atomic.Int64) {
			for range 20 {
				resp, err := m.slow(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
			}
			if n := dialled.Load(); n > 3 {
				t.Errorf("%d connections", n)
			}
		})
	})
}

// TestLimitWaitsNoLongerThanTheCall: who waits gives up when its time is over.
func TestLimitWaitsNoLongerThanTheCall(t *testing.T) {
	underLimits(t, 1, resilience.Limit{Connections: 1}, func(t *testing.T, m *mesh, _ *atomic.Int64) {
		resp, err := m.slow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var e *client.Error
		if resp, err := m.slow(ctx); !errors.As(err, &e) || e.Reason != client.Deadline || e.Attempts != 0 {
			t.Errorf("%v, %v", resp, err)
		}
	})
}
