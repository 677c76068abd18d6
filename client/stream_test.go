package client_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
)

// eachProtocol runs a test over HTTP/1.1, HTTP/2 with TLS and HTTP/2 without, under the standard policy. The URL's host is
// the service's.
func eachProtocol(t *testing.T, h http.HandlerFunc, f func(t *testing.T, rt http.RoundTripper, url string)) {
	t.Helper()
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	for name, base := range map[string]*http.Transport{
		"h1": {}, "h2": {ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{}}, "h2c": {Protocols: &h2c},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(h)
			scheme := "mesh"
			switch name {
			case "h2":
				srv.EnableHTTP2 = true
				srv.StartTLS()
				scheme = "https"
				base.TLSClientConfig.RootCAs = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			case "h2c":
				srv.Config.Protocols = &h2c
				fallthrough
			default:
				srv.Start()
			}
			t.Cleanup(srv.Close)
			base.ExpectContinueTimeout = time.Minute
			f(t, over(t, srv.Listener.Addr().String(), base), scheme+"://example.com/")
		})
	}
}

// TestFullDuplex answers each line while the request's body is open.
func TestFullDuplex(t *testing.T) {
	eachProtocol(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		_ = rc.Flush()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintf(w, "heard %s\n", lines.Text())
			_ = rc.Flush()
		}
	}, func(t *testing.T, rt http.RoundTripper, url string) {
		pr, pw := io.Pipe()
		resp, err := rt.RoundTrip(request(t, http.MethodPost, url, pr))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answers := bufio.NewScanner(resp.Body)
		for i := range 20 {
			line := strings.Repeat("x", i*1000) // far beyond the replay buffer in all
			_, _ = io.WriteString(pw, line+"\n")
			if !answers.Scan() || answers.Text() != "heard "+line {
				t.Fatalf("line %d: %v", i, answers.Err())
			}
		}
		pw.Close()
		if answers.Scan() || answers.Err() != nil {
			t.Errorf("after the end: %q, %v", answers.Text(), answers.Err())
		}
	})
}

// TestServerSentEvents arrive one by one.
func TestServerSentEvents(t *testing.T) {
	next := make(chan int)
	eachProtocol(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range next {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			if i == 3 {
				return
			}
		}
	}, func(t *testing.T, rt http.RoundTripper, url string) {
		go func() { next <- 1 }()
		resp, err := rt.RoundTrip(request(t, http.MethodGet, url, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		events := bufio.NewReader(resp.Body)
		for i := 1; i <= 3; i++ {
			line, err := events.ReadString('\n')
			if line != fmt.Sprintf("data: %d\n", i) {
				t.Fatalf("%q, %v", line, err)
			}
			_, _ = events.ReadString('\n')
			if i < 3 {
				next <- i + 1
			}
		}
	})
}

// TestTrailers go both ways, from bodies that are kept for a retry too.
func TestTrailers(t *testing.T) {
	eachProtocol(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Sum")
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
		w.Header().Set("Sum", r.Trailer.Get("Sum")+"!")
		w.Header().Set(http.TrailerPrefix+"Late", "yes")
	}, func(t *testing.T, rt http.RoundTripper, url string) {
		for _, method := range []string{http.MethodPut, http.MethodPost} {
			req := request(t, method, url, io.NopCloser(io.MultiReader(strings.NewReader("body"))))
			req.Trailer = http.Header{"Sum": {"42"}}
			resp, err := rt.RoundTrip(req)
			if got := text(t, resp, err); got != "body" || resp.Trailer.Get("Sum") != "42!" || resp.Trailer.Get("Late") != "yes" {
				t.Errorf("%q, trailers %v", got, resp.Trailer)
			}
		}
	})
}

// TestExpectContinue sends no body that the server does not want, and closes it.
func TestExpectContinue(t *testing.T) {
	eachProtocol(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("no") {
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		echo(w, r)
	}, func(t *testing.T, rt http.RoundTripper, url string) {
		req := request(t, http.MethodPost, url, track("welcome"))
		req.Header.Set("Expect", "100-continue")
		resp, err := rt.RoundTrip(req)
		if got := text(t, resp, err); got != "welcome" {
			t.Errorf("%q", got)
		}
		for _, method := range []string{http.MethodPut, http.MethodPost} {
			body := track("unwelcome")
			req = request(t, method, url+"?no", body)
			req.Header.Set("Expect", "100-continue")
			resp, err = rt.RoundTrip(req)
			text(t, resp, err)
			if resp.StatusCode != http.StatusExpectationFailed {
				t.Errorf("%d", resp.StatusCode)
			}
			<-body.closed
			if left, _ := io.ReadAll(body.r); string(left) != "unwelcome" {
				t.Errorf("%s: the body was sent, %q is left", method, left)
			}
		}
	})
}

// TestAnswersWithoutBody end by themselves, whether their body is closed or not.
func TestAnswersWithoutBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5")
			switch r.URL.Path {
			case "/204":
				w.Header().Del("Content-Length")
				w.WriteHeader(http.StatusNoContent)
			case "/304":
				w.WriteHeader(http.StatusNotModified)
			}
		}))
		defer m.c.Close()
		for path, method := range map[string]string{"/": http.MethodHead, "/204": http.MethodGet, "/304": http.MethodGet} {
			resp, err := m.rt.RoundTrip(request(t, method, "mesh://orders"+path, nil))
			if err != nil {
				t.Fatal(err)
			}
			if n := m.c.Core().Destination("orders", time.Now()).Endpoints().Nodes[0].Load.InFlight(); n != 0 {
				t.Errorf("%s %s: %d in flight", method, path, n)
			}
			if b, err := io.ReadAll(resp.Body); len(b) != 0 || err != nil || method == http.MethodHead && resp.ContentLength != 5 {
				t.Errorf("%s %s: %q, %v, length %d", method, path, b, err, resp.ContentLength)
			}
		}
	})
}

// TestGzip is transparent where net/http makes it so, and left alone where the caller asked.
func TestGzip(t *testing.T) {
	eachProtocol(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("asked for %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "hello")
		z.Close()
	}, func(t *testing.T, rt http.RoundTripper, url string) {
		resp, err := rt.RoundTrip(request(t, http.MethodGet, url, nil))
		if got := text(t, resp, err); got != "hello" || !resp.Uncompressed {
			t.Errorf("%q", got)
		}
		req := request(t, http.MethodGet, url, nil)
		req.Header.Set("Accept-Encoding", "gzip")
		resp, err = rt.RoundTrip(req)
		if got := text(t, resp, err); got == "hello" || resp.Uncompressed {
			t.Errorf("%q was unpacked", got)
		}
	})
}

// TestCallersTrace keeps working, informational answers included, beside the mesh's own.
func TestCallersTrace(t *testing.T) {
	eachProtocol(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Link", "</x>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
	}, func(t *testing.T, rt http.RoundTripper, url string) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			var got []string
			var hints textproto.MIMEHeader
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				GetConn: func(string) { got = append(got, "get") },
				GotConn: func(httptrace.GotConnInfo) { got = append(got, "got") },
				Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
					hints = h
					return nil
				},
			})
			resp, err := rt.RoundTrip(requestWith(t, ctx, method, url, strings.NewReader("x")))
			text(t, resp, err)
			// HTTP/2 reports the connection once more where it was made for the request.
			if all := strings.Join(got, " "); !strings.HasPrefix(all, "get") || !strings.HasSuffix(all, "got") || hints.Get("Link") != "</x>" {
				t.Errorf("%s: %v, %v", method, got, hints)
			}
		}
	})
}

// shout is a server that switches protocols and answers in capitals.
func shout(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "shout" {
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n")
	rw.Flush()
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Fprint(rw, strings.ToUpper(line))
		rw.Flush()
	}
}

func upgrade(t *testing.T, ctx context.Context, rt http.RoundTripper, url string) io.ReadWriteCloser { //nolint:revive // t comes first in helpers
	t.Helper()
	req := requestWith(t, ctx, http.MethodGet, url, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "shout")
	resp, err := rt.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	return resp.Body.(io.ReadWriteCloser)
}

func converse(t *testing.T, rwc io.ReadWriter) {
	t.Helper()
	answers := bufio.NewReader(rwc)
	for range 3 {
		_, _ = io.WriteString(rwc, "hey\n")
		if got, err := answers.ReadString('\n'); got != "HEY\n" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// TestUpgrade: the body is the connection, and lives on when the context that opened it is over, as in net/http.
func TestUpgrade(t *testing.T) {
	bubble(t, client.Config{Resilience: standard}, http.HandlerFunc(shout), func(t *testing.T, m *mesh) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		rwc := upgrade(t, ctx, m.rt, "mesh://orders/")
		converse(t, rwc)
		cancel()
		synctest.Wait()
		converse(t, rwc)
		if n := m.c.Core().Destination("orders", time.Now()).Endpoints().Nodes[0].Load.InFlight(); n != 1 {
			t.Errorf("%d in flight while it is open", n)
		}
		if cw, ok := rwc.(interface{ CloseWrite() error }); !ok || cw.CloseWrite() != nil {
			t.Error("cannot end one direction")
		}
		if _, err := io.ReadAll(rwc); err != nil {
			t.Error(err)
		}
		rwc.Close()
	})
}

// TestUpgradeIdles: silence in both directions ends it, and movement in either keeps it.
func TestUpgradeIdles(t *testing.T) {
	bubble(t, client.Config{Resilience: timeouts(time.Second, time.Minute)}, http.HandlerFunc(shout), func(t *testing.T, m *mesh) {
		rwc := upgrade(t, t.Context(), m.rt, "mesh://orders/")
		defer rwc.Close()
		for range 5 {
			time.Sleep(50 * time.Second) // in the bubble's time
			converse(t, rwc)
		}
		began := time.Now()
		_, err := rwc.Read(make([]byte, 1))
		if took := time.Since(began); err == nil || took != time.Minute || !strings.Contains(err.Error(), client.Idle) {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestReverseProxy: its transport is the mesh, and upgrade, trailers and flushing pass.
func TestReverseProxy(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/shout" {
			shout(w, r)
			return
		}
		w.Header().Set("Trailer", "Sum")
		echo(w, r)
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("Sum", "1")
	}))
	t.Cleanup(backend.Close)
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"orders": {{Addr: backend.Listener.Addr().String()}}}, Resilience: standard,
	})
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: c.Transport(nil), FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "mesh", Host: "orders"}) },
	})
	t.Cleanup(proxy.Close)
	rt := proxy.Client().Transport
	rwc := upgrade(t, t.Context(), rt, proxy.URL+"/shout")
	converse(t, rwc)
	rwc.Close()
	resp, err := rt.RoundTrip(request(t, http.MethodPost, proxy.URL+"/", track("through")))
	if got := text(t, resp, err); got != "through" || resp.Trailer.Get("Sum") != "1" {
		t.Errorf("%q, %v", got, resp.Trailer)
	}
}
