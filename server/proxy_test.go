package server

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// An edge: ReverseProxy under our handler. Flushes, trailers and upgrades pass; the upstream's mark does not.
func TestReverseProxy(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/busy":
			w.Header().Set("X-Envoy-Overloaded", "true")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Trailer", "X-End")
			_, _ = io.WriteString(w, "data: 1\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done() // the reader has to see the event before we end
		case "/trailer":
			w.Header().Set("Trailer", "X-End")
			_, _ = io.WriteString(w, "body")
			w.Header().Set("X-End", "1")
		case "/upgrade":
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			_, _ = io.Copy(conn, buf)
		}
	}))
	defer upstream.Close()
	to, _ := url.Parse(upstream.URL)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
	}
	onEachWire(t, func(t *testing.T, wi wire) {
		ts, hc := wi.serve(t, mustNew(t, Config{}), proxy)

		if res, _ := wi.get(t, hc, ts.URL+"/busy"); res.StatusCode != 503 || res.Header.Get("X-Envoy-Overloaded") != "" {
			t.Errorf("busy: %d %v", res.StatusCode, res.Header)
		}
		if res, body := wi.get(t, hc, ts.URL+"/trailer"); body != "body" || res.Trailer.Get("X-End") != "1" {
			t.Errorf("trailer: %q %v", body, res.Trailer)
		}
		res, err := hc.Get(ts.URL + "/events")
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || line != "data: 1\n" {
			t.Errorf("events: %q, %v", line, err)
		}
		_ = res.Body.Close()

		if wi.major == 2 {
			return // an upgrade is HTTP/1.1's
		}
		req, _ := http.NewRequest("GET", ts.URL+"/upgrade", nil)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "echo")
		res, err = hc.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		conn := res.Body.(io.ReadWriteCloser)
		defer conn.Close()
		_, _ = io.WriteString(conn, "hello")
		got := make([]byte, 5)
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
			t.Errorf("upgrade: %q, %v", got, err)
		}
	})
}
