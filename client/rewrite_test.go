package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// A path is matched and rewritten as it travels, whatever form the caller gave it in.
func TestRewriteForms(t *testing.T) {
	prefix := "/n"
	m := versions(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{
		{Match: []traffic.Match{{Path: traffic.PathPrefix("/cut")}}, Rewrite: &traffic.Rewrite{Regex: "^/cut/(.{4}).*", Substitution: `/\1`}},
		{Match: []traffic.Match{{Path: traffic.PathPrefix("/old")}}, Rewrite: &traffic.Rewrite{Prefix: &prefix}},
		{Match: []traffic.Match{{Path: traffic.Exact("/")}}, Rewrite: &traffic.Rewrite{Path: "/root"}},
	}}})
	for _, tt := range []struct{ path, opaque, query, want string }{
		{path: "/old/x", want: "/n/x"},
		{path: "/old/a%2Fb%20c", query: "q=%2F", want: "/n/a%2Fb%20c?q=%2F"},
		{path: "/old/../x", want: "/n/../x"},
		{path: "/old//x/", want: "/n//x/"},
		{path: "/older", want: "/older"},
		{path: "", want: "/root"},
		{path: "/", query: "a=b", want: "/root?a=b"},
		{opaque: "//orders/old/a%2fb", query: "q", want: "/n/a%2fb?q"},
		{opaque: "/old/a%2fb", want: "/n/a%2fb"},
		{opaque: "//orders", want: "/root"},
		{opaque: "*", want: "*"},
		{path: "/cut/ab%2Fc", want: "/ab%252"}, // a broken escape is not one
	} {
		req := request(t, "GET", "http://orders"+tt.path, nil)
		req.URL.Opaque, req.URL.RawQuery = tt.opaque, tt.query
		resp, err := m.rt.RoundTrip(req)
		if _, got, _ := strings.Cut(text(t, resp, err), " orders "); got != tt.want {
			t.Errorf("%+v: the server saw %q", tt, got)
		}
	}
}

// Who writes a path by which a rewrite makes no sense does not open breakers, nor eject anybody.
func TestRewriteBlamesNobody(t *testing.T) {
	m := newMesh(t, client.Config{
		Resilience: resilience.Config{Default: resilience.Policy{Outlier: &resilience.Outlier{Consecutive5xx: 1}, Breaker: &resilience.Breaker{MinCalls: 1}}},
		Traffic: traffic.Policy{Routes: []traffic.Route{{
			Match:   []traffic.Match{{Path: traffic.Prefix("/api")}},
			Rewrite: &traffic.Rewrite{Regex: "^/api/(.{0,4}).*", Substitution: `/\1`},
		}}},
	}, says("a"))
	for range 3 {
		if got := m.ask("http://orders/api/ab%2Fc"); got != "a orders /ab%252" {
			t.Errorf("got %q", got)
		}
	}
}

// A CONNECT names no path, and gets none.
func TestRewriteOfConnect(t *testing.T) {
	var got string
	base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		got = r.URL.Path
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
	c := newClient(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{{Rewrite: &traffic.Rewrite{Path: "/x"}}}}})
	resp, err := c.Transport(base).RoundTrip(request(t, "CONNECT", "http://orders:443", nil))
	text(t, resp, err)
	if got != "" {
		t.Errorf("got the path %q", got)
	}
}

// A transport may leave the headers of a response nil.
func TestReshapeNilHeaders(t *testing.T) {
	base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
	c := newClient(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{{
		To:     []traffic.Backend{{Weight: 1}, {Weight: 1, Respond: &traffic.Response{Status: 200}}},
		Sticky: &traffic.Key{Cookie: &traffic.Cookie{Name: "user", TTL: time.Hour}},
	}}}})
	for range 20 {
		resp, err := c.Transport(base).RoundTrip(request(t, "GET", "http://orders/", nil))
		text(t, resp, err)
		if got := resp.Header.Get("Set-Cookie"); !strings.HasPrefix(got, "user=") || !strings.Contains(got, "Max-Age=3600") {
			t.Errorf("cookie %q", got)
		}
	}
}

// A cookie is found in whichever Cookie header it stands, with quotes around it or without.
func TestCookies(t *testing.T) {
	route := traffic.Route{
		To:     []traffic.Backend{{Weight: 1, Respond: &traffic.Response{Status: 200}}, {Weight: 1, Respond: &traffic.Response{Status: 201}}},
		Sticky: &traffic.Key{Cookie: &traffic.Cookie{Name: "user", TTL: -1}},
	}
	rt := newClient(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{route}}}).Transport(nil)
	statuses := map[int]bool{}
	for i := range 20 {
		got := -1
		for _, cookies := range [][]string{{"user=%d"}, {`user="%d"`}, {"a=b; user=%d; c=d"}, {"a=b", "user=%d"}, {"user=%d; user=x"}} {
			req := request(t, "GET", "http://orders/", nil)
			for _, c := range cookies {
				req.Header.Add("Cookie", strings.Replace(c, "%d", fmt.Sprint(i), 1))
			}
			resp, err := rt.RoundTrip(req)
			if text(t, resp, err); resp.Header["Set-Cookie"] != nil || got >= 0 && resp.StatusCode != got {
				t.Errorf("%q: status %d after %d, new cookie %q", cookies, resp.StatusCode, got, resp.Header["Set-Cookie"])
			}
			got = resp.StatusCode
		}
		statuses[got] = true
	}
	if len(statuses) != 2 {
		t.Errorf("20 users got %v", statuses)
	}
	resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
	text(t, resp, err)
	if got := resp.Header.Get("Set-Cookie"); !strings.HasPrefix(got, "user=") || strings.Contains(got, "Max-Age") {
		t.Errorf("cookie %q, want one for the session", got)
	}
}

// Answers that the policy gives are as a server's: what has no body says nothing of one, and a request's body is closed.
func TestAnswersAreResponses(t *testing.T) {
	respond := func(path string, r traffic.Response) traffic.Route {
		return traffic.Route{Name: path, Match: []traffic.Match{{Path: traffic.Exact(path)}}, Respond: &r}
	}
	c := newClient(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{
		respond("/tea", traffic.Response{Status: 418, Body: "short", ContentType: "text/x-tea"}),
		respond("/none", traffic.Response{Status: 204}), respond("/same", traffic.Response{Status: 304}),
		{Name: "away", Redirect: &traffic.Redirect{Host: "else.example", Scheme: "https"}},
	}}})
	rt := c.Transport(nil)
	for _, tt := range []struct{ method, path, want string }{
		{"POST", "/tea", "418 I'm a teapot|5|[5]|[text/x-tea]||short"},
		{"HEAD", "/tea", "418 I'm a teapot|5|[5]|[text/x-tea]||"},
		{"GET", "/none", "204 No Content|0|[]|[]||"},
		{"GET", "/same", "304 Not Modified|0|[]|[]||"},
		{"POST", "/x?q", "301 Moved Permanently|0|[0]|[]|https://else.example/x?q|"},
	} {
		body := track("x")
		req := request(t, tt.method, "http://orders"+tt.path, body)
		resp, err := rt.RoundTrip(req)
		got := text(t, resp, err)
		select {
		case <-body.closed:
		default:
			t.Errorf("%s: the request's body is open", tt.path)
		}
		h := resp.Header
		if s := fmt.Sprintf("%s|%d|%v|%v|%s|%s", resp.Status, resp.ContentLength, h["Content-Length"], h["Content-Type"], h.Get("Location"), got); s != tt.want || resp.Request != req {
			t.Errorf("%s %s: %s", tt.method, tt.path, s)
		}
	}
}

// http.Client follows a route's redirection, within the mesh and over either scheme.
func TestRedirectIsFollowed(t *testing.T) {
	m := versions(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{
		{Match: []traffic.Match{{Path: traffic.Exact("/a")}}, Redirect: &traffic.Redirect{Path: "/b", Status: 307}},
		{Match: []traffic.Match{{Path: traffic.Exact("/b")}}, Redirect: &traffic.Redirect{Host: "other", Path: "/c", Status: 302}},
	}}})
	for _, scheme := range []string{"http", "mesh"} {
		resp, err := (&http.Client{Transport: m.rt}).Get(scheme + "://orders/a?q=1")
		if got := text(t, resp, err); got != "other other /c?q=1" {
			t.Errorf("%s: got %q", scheme, got)
		}
	}
}

// Attempts that run out of time leave their transports reading the request that they were given.
func TestRewriteOverAttempts(t *testing.T) {
	late := make(chan *http.Request, 16)
	wrap := func(http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			late <- r
			return nil, r.Context().Err()
		})
	}
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"orders": {{Addr: "a:80"}, {Addr: "b:80"}}}, WrapAttempt: wrap,
		Resilience: resilience.Config{Default: resilience.Policy{Retry: &resilience.Retry{Retries: 3, PerTry: time.Millisecond}}},
		Traffic: traffic.Policy{Routes: []traffic.Route{{
			Rewrite: &traffic.Rewrite{Path: "/new", Authority: "else"},
			Headers: traffic.Headers{Request: traffic.HeaderOps{Set: map[string]string{"x-a": "1"}}},
		}}},
	})
	done := make(chan int)
	go func() {
		n := 0
		for r := range late {
			if r.URL.String() == "http://orders/new?q" && r.Host == "else" && r.Header.Get("X-A") == "1" {
				n++
			}
		}
		done <- n
	}()
	_, err := c.Transport(nil).RoundTrip(request(t, "GET", "mesh://orders/old?q", nil)) //nolint:bodyclose // there is none
	close(late)
	if n := <-done; n != 4 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d attempts as they should be, %v", n, err)
	}
}
