package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// snapshot is all of a request that a RoundTripper could change.
func snapshotOf(req *http.Request) *http.Request {
	return req.Clone(req.Context())
}

var sameRequest = cmp.Options{
	cmpopts.IgnoreFields(http.Request{}, "Body", "GetBody", "Cancel"),
	cmpopts.IgnoreUnexported(http.Request{}), cmp.AllowUnexported(url.Userinfo{}),
}

// TestRequestIsNotChanged compares requests before and after calls that succeed, are repeated, and fail.
func TestRequestIsNotChanged(t *testing.T) {
	for _, tt := range []struct {
		name     string
		handlers []http.Handler
		ok       bool
	}{
		{"success", []http.Handler{http.HandlerFunc(echo)}, true},
		{"retries", []http.Handler{status(503), status(503)}, true},
		{"error", []http.Handler{nil}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMesh(t, client.Config{Resilience: standard}, tt.handlers...)
			body := track("hello")
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // so that a header is added
			defer cancel()
			req := requestWith(t, ctx, http.MethodPut, "mesh://user:word@orders/a%2Fb?q=1#f", body)
			req.Header["x-raw"] = []string{"1", "2"}
			req.Trailer = http.Header{"T": nil}
			req.ContentLength, req.Host, req.Close = 5, "other", true
			before := snapshotOf(req)
			resp, err := m.rt.RoundTrip(req)
			if (err == nil) != tt.ok {
				t.Fatal(err)
			}
			if err != nil && resp != nil {
				t.Error("a response beside an error")
			}
			if resp != nil {
				if resp.Request != req {
					t.Error("resp.Request is not the caller's")
				}
				resp.Body.Close()
			}
			if diff := cmp.Diff(before, req, sameRequest); diff != "" {
				t.Errorf("the request was changed (-before +after):\n%s", diff)
			}
			if req.Body != body {
				t.Error("the request has another body")
			}
			<-body.closed
		})
	}
}

// TestBodyIsClosed goes through every way in which a call can end.
func TestBodyIsClosed(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel2 := context.WithDeadline(context.Background(), time.Now().Add(-time.Hour))
	defer cancel2()
	closed := newClient(t, client.Config{Discovery: discovery.Static{"orders": {{Addr: "a:80"}}}})
	closed.Close()
	direct := newClient(t, client.Config{Resilience: standard})
	fail := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		r.Body.Close()
		return nil, errors.New("no")
	})
	m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(echo))
	refused := newMesh(t, client.Config{Resilience: standard}, nil, nil)
	busy := newMesh(t, client.Config{Resilience: standard}, status(503))

	for _, tt := range []struct {
		name   string
		rt     http.RoundTripper
		ctx    context.Context
		url    string
		reason string
	}{
		{"success", m.rt, t.Context(), "mesh://orders/", ""},
		{"unknown service", m.rt, t.Context(), "mesh://nobody/", client.UnknownService},
		{"canceled before", m.rt, over, "mesh://orders/", client.Canceled},
		{"deadline over before", m.rt, late, "mesh://orders/", client.Deadline},
		{"no host", m.rt, t.Context(), "mesh:///x", client.Invalid},
		{"closed client", closed.Transport(nil), t.Context(), "mesh://orders/", client.Closed},
		{"refused at every endpoint", refused.rt, t.Context(), "mesh://orders/", client.ConnectFailed},
		{"last answer is a 503", busy.rt, t.Context(), "mesh://orders/", ""},
		{"no discovery", direct.Transport(nil), t.Context(), "mesh://orders/", client.Invalid},
		{"direct, transport fails", direct.Transport(fail), t.Context(), "http://orders/", client.Broken},
	} {
		for _, method := range []string{http.MethodPost, http.MethodPut} {
			t.Run(tt.name+" "+method, func(t *testing.T) {
				body := track("hello")
				req := requestWith(t, tt.ctx, method, tt.url, body)
				resp, err := tt.rt.RoundTrip(req)
				if resp != nil {
					resp.Body.Close()
				}
				<-body.closed
				var e *client.Error
				if errors.As(err, &e) != (tt.reason != "") || e != nil && e.Reason != tt.reason {
					t.Errorf("error %v, want reason %q", err, tt.reason)
				}
			})
		}
	}
}

// TestUnfitRequests are refused before an endpoint is asked, or blamed.
func TestUnfitRequests(t *testing.T) {
	h := count(echo)
	m := newMesh(t, client.Config{Resilience: standard}, h)
	for name, change := range map[string]func(*http.Request){
		"nil header":       func(r *http.Request) { r.Header = nil },
		"header name":      func(r *http.Request) { r.Header["bad name"] = []string{"x"} },
		"empty name":       func(r *http.Request) { r.Header[""] = []string{"x"} },
		"header value":     func(r *http.Request) { r.Header["X"] = []string{"a\r\nb: c"} },
		"trailer":          func(r *http.Request) { r.Trailer = http.Header{"a b": nil} },
		"method":           func(r *http.Request) { r.Method = "GET /" },
		"not even a token": func(r *http.Request) { r.Method = "GÉT" },
	} {
		t.Run(name, func(t *testing.T) {
			body := track("x")
			req := request(t, http.MethodPut, "mesh://orders/", body)
			change(req)
			_, err := m.rt.RoundTrip(req) //nolint:bodyclose // there is none
			var e *client.Error
			if !errors.As(err, &e) || e.Reason != client.Invalid || e.Attempts != 0 {
				t.Errorf("error %v", err)
			}
			<-body.closed
		})
	}
	if n := h.n.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
	if _, err := m.rt.RoundTrip(&http.Request{Header: http.Header{}}); err == nil { //nolint:bodyclose // there is none
		t.Error("a request without URL was sent")
	}
}

// TestEmptyBodies are all the ways to say that there is none.
func TestEmptyBodies(t *testing.T) {
	m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(echo))
	for _, body := range []io.ReadCloser{nil, http.NoBody, io.NopCloser(strings.NewReader(""))} {
		req := request(t, "", "mesh://orders/", nil)
		req.Method, req.Body = "", body
		resp, err := m.rt.RoundTrip(req)
		if got := text(t, resp, err); got != "" {
			t.Errorf("%T: %q", body, got)
		}
	}
}

// TestConcurrentUse shares one transport and one request without a body.
func TestConcurrentUse(t *testing.T) {
	m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(echo), http.HandlerFunc(echo), nil)
	shared := request(t, http.MethodGet, "mesh://orders/", nil)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				resp, err := m.rt.RoundTrip(shared)
				text(t, resp, err)
				resp, err = m.rt.RoundTrip(request(t, http.MethodPost, "mesh://orders/", track("mine")))
				if got := text(t, resp, err); got != "mine" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	wg.Wait()
}

// TestOddTransports are those that users write for tests.
func TestOddTransports(t *testing.T) {
	for name, rt := range map[string]roundTripFunc{
		"neither response nor error": func(*http.Request) (*http.Response, error) { return nil, nil },
		"a stranger's cancellation":  func(*http.Request) (*http.Response, error) { return nil, context.Canceled },
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, client.Config{Resilience: resilience.Config{Default: resilience.Policy{}}})
			resp, err := c.Transport(rt).RoundTrip(request(t, http.MethodGet, "http://orders/", nil)) //nolint:bodyclose // there is none
			var e *client.Error
			if resp != nil || !errors.As(err, &e) || e.Reason != client.Broken {
				t.Errorf("%v, %v", resp, err)
			}
		})
	}
	t.Run("no body", func(t *testing.T) {
		c := newClient(t, client.Config{})
		rt := c.Transport(roundTripFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200}, nil
		}))
		resp, err := rt.RoundTrip(request(t, http.MethodGet, "http://orders/", nil))
		if got := text(t, resp, err); got != "" {
			t.Errorf("%q", got)
		}
	})
	t.Run("a panic leaves nothing in flight", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMesh(t, client.Config{
				Resilience: standard,
				WrapAttempt: func(http.RoundTripper) http.RoundTripper {
					return roundTripFunc(func(*http.Request) (*http.Response, error) { panic("odd") })
				},
			}, http.HandlerFunc(echo))
			defer m.c.Close()
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				_, _ = m.rt.RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil)) //nolint:bodyclose // there is none
			}()
			if n := m.c.Core().Destination("orders", time.Now()).Endpoints().Nodes[0].Load.InFlight(); n != 0 {
				t.Errorf("%d in flight", n)
			}
		})
	})
}
