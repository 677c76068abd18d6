package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
)

// trickle flushes a word, and ends when its context does.
type trickle struct{ ended chan error }

func (h trickle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "word ")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
	h.ended <- r.Context().Err()
}

// begin makes a request and waits for the first word.
func (sh *shop) begin(hc *http.Client, path string) *http.Response {
	sh.t.Helper()
	req, err := http.NewRequestWithContext(sh.t.Context(), "GET", sh.url(path), nil)
	if err != nil {
		sh.t.Fatal(err)
	}
	res, err := hc.Do(req)
	if err != nil {
		sh.t.Fatal(err)
	}
	sh.t.Cleanup(func() { _ = res.Body.Close() })
	if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
		sh.t.Fatal(err)
	}
	return res
}

// cutShort checks that the rest of an answer is an error: half an answer must not look like a whole one.
func cutShort(t *testing.T, res *http.Response) {
	t.Helper()
	if rest, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("the answer ended well, with %q", rest)
	}
}

// What is denied by new rules ends; over HTTP/2 its neighbours on the connection do not.
func TestNewRulesEndWhatLasts(t *testing.T) {
	onBoth(t, func(t *testing.T, wi wire) {
		sh := openShop(t, Config{Authorize: security.AllowID("spiffe://shop/web")})
		h := trickle{make(chan error, 2)}
		sh.serve(h)
		hc := sh.client(wi.major, sh.as(sh.member("spiffe://shop/web")))
		stays, goes := sh.begin(hc, "/stays"), sh.begin(hc, "/goes")
		if err := sh.SetAuthorize(security.All(security.AllowID("spiffe://shop/web"), security.AllowMethods("GET /stays"))); err != nil {
			t.Fatal(err)
		}
		cutShort(t, goes)
		if err := <-h.ended; err == nil {
			t.Error("the context did not end")
		}
		select {
		case err := <-h.ended:
			t.Errorf("the other request ended too: %v", err)
		default:
		}
		if res, _ := wi.get(t, hc, sh.url("/goes")); res.StatusCode != 403 {
			t.Errorf("a new request: %s", res.Status)
		}
		if err := sh.SetAuthorize(security.AllowID()); err != nil {
			t.Fatal(err)
		}
		cutShort(t, stays)
		<-h.ended
	})
}

// Without Attach there are no connections to close, but the deadlines of the answer.
func TestNewRulesWithoutAttach(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		s := mustNew(t, Config{Authorize: security.AllowMethods("/a")})
		h := trickle{make(chan error, 1)}
		wrapped := s.Handler(h)
		ts, hc := wi.serve(t, mustNew(t, Config{}), wrapped)
		res, err := hc.Get(ts.URL + "/a")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := s.SetAuthorize(security.AllowMethods("/b")); err != nil {
			t.Fatal(err)
		}
		<-h.ended
		cutShort(t, res)
	})
}

// Where nothing changes, a flushed answer ends as ever.
func TestFlushedAnswersEndWell(t *testing.T) {
	onBoth(t, func(t *testing.T, wi wire) {
		sh := openShop(t, Config{})
		sh.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, "word ")
				w.(http.Flusher).Flush()
			}
		}))
		hc := sh.client(wi.major, sh.as(sh.member("spiffe://shop/web")))
		for range 3 {
			if res, body := wi.get(t, hc, sh.url("/")); res.StatusCode != 200 || body != "word word word " {
				t.Errorf("%s %q", res.Status, body)
			}
		}
	})
}

// takeover is a handler that hijacks, and echoes lines until it cannot.
func takeover(ended chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			ended <- err
			return
		}
		go func() { // beyond the handler's end
			defer c.Close()
			_, err := io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
			for err == nil {
				var line string
				if line, err = buf.ReadString('\n'); err == nil {
					_, err = io.WriteString(c, line)
				}
			}
			ended <- err
		}()
	})
}

// upgrade makes a hijacked connection, on which lines come back.
func (sh *shop) upgrade(cfg *tls.Config) (net.Conn, *bufio.Reader) {
	sh.t.Helper()
	c, err := (&tls.Dialer{Config: cfg}).DialContext(sh.t.Context(), "tcp", sh.addr)
	if err != nil {
		sh.t.Fatal(err)
	}
	sh.t.Cleanup(func() { _ = c.Close() })
	_, _ = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: orders\r\n\r\nhello\n")
	r := bufio.NewReader(c)
	for _, want := range []string{"HTTP/1.1 101 Switching Protocols\r\n", "\r\n", "hello\n"} {
		if got, err := r.ReadString('\n'); err != nil || got != want {
			sh.t.Fatalf("%q %v", got, err)
		}
	}
	return c, r
}

func TestHijackedConnectionsAreClosed(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, sh *shop){
		"new rules": func(t *testing.T, sh *shop) {
			if err := sh.SetAuthorize(security.AllowID("spiffe://shop/other")); err != nil {
				t.Fatal(err)
			}
		},
		"lost trust": func(t *testing.T, sh *shop) {
			next := pkitest.Root(t)
			sh.id.Set(next.Workload([]string{"spiffe://shop/orders"}).Material(next))
		},
	} {
		t.Run(name, func(t *testing.T) {
			sh := openShop(t, Config{})
			ended := make(chan error, 1)
			sh.serve(takeover(ended))
			_, r := sh.upgrade(sh.as(sh.member("spiffe://shop/web")))
			change(t, sh)
			if line, err := r.ReadString('\n'); err == nil {
				t.Errorf("read %q", line)
			}
			if err := <-ended; err == nil {
				t.Error("the handler saw no error")
			}
		})
	}
}

// A connection whose peer is nobody any more is closed, in use or not.
func TestLostTrustClosesConnections(t *testing.T) {
	onBoth(t, func(t *testing.T, wi wire) {
		sh := openShop(t, Config{})
		closed := make(chan struct{}, 1)
		sh.serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(srv *http.Server) {
			srv.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateClosed {
					closed <- struct{}{}
				}
			}
		})
		hc := sh.client(wi.major, sh.as(sh.member("spiffe://shop/web")))
		wi.get(t, hc, sh.url("/"))
		next := pkitest.Root(t)
		sh.id.Set(next.Workload([]string{"spiffe://shop/orders"}).Material(next))
		<-closed
	})
}

func until(d time.Duration) pkitest.Change {
	return func(c *x509.Certificate) { c.NotAfter = time.Now().Add(d) }
}

// A certificate that expires ends what lasts, and the connection.
func TestExpiryEndsWhatLasts(t *testing.T) {
	onBoth(t, func(t *testing.T, wi wire) {
		inBubble(t, Config{}, func(t *testing.T, sh *shop) {
			h := trickle{make(chan error, 1)}
			sh.serve(h)
			hc := sh.client(wi.major, sh.as(sh.member("spiffe://shop/web", until(10*time.Second))))
			began := time.Now()
			cutShort(t, sh.begin(hc, "/"))
			if err := <-h.ended; err != context.Canceled { //nolint:errorlint // exactly this
				t.Error(err)
			}
			if took := time.Since(began).Round(time.Millisecond); took != 10*time.Second {
				t.Errorf("it lasted %v", took)
			}
			if !strings.Contains(sh.log.String(), "rule=expired") {
				t.Errorf("log:\n%s", sh.log.String())
			}
		})
	})
}

// A client that renews its certificate is asked for a new connection in time, so that no call meets the end of the old one.
func TestConnectionsAreRetired(t *testing.T) {
	onBoth(t, func(t *testing.T, wi wire) {
		inBubble(t, Config{}, func(t *testing.T, sh *shop) {
			sh.serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				time.Sleep(7 * time.Second) // a call that would be cut off at 60 s
			}))
			id := new(pkitest.Live)
			renew := func() { id.Set(sh.member("spiffe://shop/web", until(60*time.Second))) }
			renew()
			hc := sh.client(wi.major, sh.as(id))
			for i := range 60 { // seven minutes
				if i%5 == 4 {
					renew()
				}
				res, err := hc.Post(sh.url("/"), "text/plain", strings.NewReader("not to be repeated"))
				if err != nil {
					t.Fatalf("call %d: %v", i, err)
				}
				_ = res.Body.Close()
				if res.StatusCode != 200 {
					t.Fatalf("call %d: %s", i, res.Status)
				}
			}
		})
	})
}

// deaf is a writer on which nothing can be ended.
type deaf struct {
	discard

	asked chan struct{} // closed when somebody tries
}

func (d deaf) SetWriteDeadline(time.Time) error { close(d.asked); return http.ErrNotSupported }

// Where an answer cannot be ended from outside, it is not completed either.
func TestRevokedAnswersAreNotCompleted(t *testing.T) {
	s := mustNew(t, Config{Authorize: security.AllowMethods("/a")})
	w := deaf{discard{http.Header{}}, make(chan struct{})}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // net/http compares so too
			t.Errorf("got %v, want http.ErrAbortHandler", p)
		}
	}()
	s.Handler(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.(http.Flusher).Flush()
		if err := s.SetAuthorize(security.AllowMethods("/b")); err != nil {
			t.Error(err)
		}
		<-w.asked
	})).ServeHTTP(w, httptest.NewRequest("GET", "/a", nil))
}
