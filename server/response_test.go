package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// logBuffer is a log that can be read while others write.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestPanicBeforeTheHeader(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		var log logBuffer
		s := mustNew(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		ts, hc := wi.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1234")
			w.Header().Set("Content-Encoding", "br")
			w.Header().Set("Set-Cookie", "half=done")
			w.Header().Set("X-Outside", "7")
			explode()
		}))
		res, body := wi.get(t, hc, ts.URL+"/orders?token=secret1", "Authorization", "secret2")
		if res.StatusCode != 500 || body != "internal error\n" || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%d %q %v", res.StatusCode, body, res.Header)
		}
		if res.Header.Get("Content-Encoding") != "" || res.Header.Get("Set-Cookie") != "" || res.Header.Get("X-Outside") != "7" {
			t.Errorf("header: %v", res.Header)
		}
		text := log.String()
		for _, want := range []string{"boom", "explode", "method=GET", "path=/orders", "protocol=http"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in the log", want)
			}
		}
		if strings.Contains(text, "secret") || strings.Count(text, "level=ERROR") != 1 {
			t.Errorf("log: %s", text)
		}
	})
}

func explode() { panic("boom") }

func TestPanicAfterTheHeaderAbortsTheAnswer(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"Write":       func(w http.ResponseWriter) { _, _ = io.WriteString(w, strings.Repeat("x", 64<<10)) },
		"Flush":       func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"FlushError":  func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"WriteHeader": func(w http.ResponseWriter) { w.WriteHeader(200) },
	} {
		for _, p := range []any{"boom", http.ErrAbortHandler} {
			t.Run(fmt.Sprint(name, "/", p), func(t *testing.T) {
				onEachWire(t, func(t *testing.T, wi wire) {
					var log logBuffer
					s := mustNew(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
					ts, hc := wi.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						begin(w)
						panic(p)
					}))
					res, err := hc.Post(ts.URL, "text/plain", http.NoBody)
					if err == nil {
						var body []byte
						body, err = io.ReadAll(res.Body)
						_ = res.Body.Close()
						if bytes.Contains(body, []byte("internal error")) {
							t.Errorf("%d: an error was appended to the body", res.StatusCode)
						}
					}
					if err == nil {
						t.Error("half an answer looks like a whole one")
					}
					if logged, want := strings.Contains(log.String(), "boom"), p == "boom"; logged != want {
						t.Errorf("logged %v, want %v", logged, want)
					}
				})
			})
		}
	}
}

func TestAbortBeforeTheHeader(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		s := mustNew(t, Config{})
		ts, hc := wi.serve(t, s, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		if res, err := hc.Post(ts.URL, "", http.NoBody); err == nil {
			_ = res.Body.Close()
			t.Errorf("answered %d", res.StatusCode)
		}
	})
}

func TestMark(t *testing.T) {
	copied := func(w http.ResponseWriter) { w.Header().Set(markName, "true") }
	for _, tc := range []struct {
		name   string
		h      http.HandlerFunc
		status int
		mark   bool
	}{
		{"copied", func(w http.ResponseWriter, _ *http.Request) { copied(w); w.WriteHeader(503) }, 503, false},
		{"copied, body", func(w http.ResponseWriter, _ *http.Request) { copied(w); _, _ = io.WriteString(w, "x") }, 200, false},
		{"copied, nothing written", func(w http.ResponseWriter, _ *http.Request) { copied(w) }, 200, false},
		{"copied, flushed", func(w http.ResponseWriter, _ *http.Request) { copied(w); w.(http.Flusher).Flush() }, 200, false},
		{"copied, then panic", func(w http.ResponseWriter, _ *http.Request) { copied(w); panic("boom") }, 500, false},
		{"refused", func(w http.ResponseWriter, _ *http.Request) { Refuse(w, 0) }, 503, true},
		{"copied, then refused", func(w http.ResponseWriter, _ *http.Request) { copied(w); Refuse(w, 0) }, 503, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onEachWire(t, func(t *testing.T, wi wire) {
				ts, hc := wi.serve(t, mustNew(t, Config{}), tc.h)
				res, _ := wi.get(t, hc, ts.URL)
				mark := res.Header.Get(markName) == "true"
				if res.StatusCode != tc.status || mark != tc.mark || res.Header.Get("Retry-After") != "" {
					t.Errorf("%d, mark %v, %v", res.StatusCode, mark, res.Header)
				}
			})
		})
	}
}

func TestRefuseRoundsUp(t *testing.T) {
	rec := httptest.NewRecorder()
	Refuse(rec, 1200*time.Millisecond)
	if got := rec.Header().Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After: %s", got)
	}
}

// A type assertion finds what it would find without us, no more and no less.
func TestKinds(t *testing.T) {
	type kinds struct{ flusher, hijacker, pusher bool }
	look := func(w http.ResponseWriter) (k kinds) {
		_, k.flusher = w.(http.Flusher)
		_, k.hijacker = w.(http.Hijacker)
		_, k.pusher = w.(http.Pusher)
		return k
	}
	onEachWire(t, func(t *testing.T, wi wire) {
		s := mustNew(t, Config{})
		ts, hc := wi.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			inner := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
			if look(w) != look(inner) {
				t.Errorf("with us %+v, without %+v", look(w), look(inner))
			}
			rc := http.NewResponseController(w)
			if err := rc.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			}
			if err := rc.SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			}
			if err := rc.EnableFullDuplex(); err != nil {
				t.Error(err)
			}
		}))
		wi.get(t, hc, ts.URL)
	})
	none := struct{ http.ResponseWriter }{httptest.NewRecorder()}
	if _, w := newResponse(none, mustNew(t, Config{})); look(w) != (kinds{}) {
		t.Errorf("made up: %+v", look(w))
	}
}

// bare hides a writer's abilities and lets http.ResponseController find them, as middleware outside does.
type bare struct{ w http.ResponseWriter }

func (b bare) Header() http.Header         { return b.w.Header() }
func (b bare) Write(p []byte) (int, error) { return b.w.Write(p) }
func (b bare) WriteHeader(status int)      { b.w.WriteHeader(status) }
func (b bare) Unwrap() http.ResponseWriter { return b.w }

func TestControllerFlushIsSeenBehindMiddleware(t *testing.T) {
	s := mustNew(t, Config{})
	h := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		panic("boom")
	}))
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(bare{w}, r) }))
	defer ts.Close()
	res, err := ts.Client().Get(ts.URL)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	if err == nil {
		t.Error("an error was appended to an answer that had begun")
	}
}

func TestStreamsEvents(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		next := make(chan int)
		s := mustNew(t, Config{})
		ts, hc := wi.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for n := range next {
				_, _ = fmt.Fprintf(w, "data: %d\n\n", n)
				w.(http.Flusher).Flush()
			}
		}))
		go func() { next <- 0 }()
		res, err := hc.Get(ts.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		lines := bufio.NewReader(res.Body)
		for n := range 3 {
			if n > 0 {
				next <- n // the next event is made only when the one before has arrived
			}
			line, err := lines.ReadString('\n')
			if err != nil || line != fmt.Sprintf("data: %d\n", n) {
				t.Fatalf("%q, %v", line, err)
			}
			_, _ = lines.ReadString('\n')
		}
		close(next)
	})
}

func TestTrailersAndInformation(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		s := mustNew(t, Config{})
		ts, hc := wi.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			w.Header().Set("Trailer", "X-Declared")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.Copy(w, r.Body)
			w.Header().Set("X-Declared", "1")
			w.Header().Set(http.TrailerPrefix+"X-Later", "2")
		}))
		var hints int
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			if code == http.StatusEarlyHints && h.Get("Link") != "" {
				hints++
			}
			return nil
		}}
		req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", ts.URL,
			strings.NewReader("body"))
		res, err := hc.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || string(body) != "body" || res.StatusCode != http.StatusCreated || hints != 1 {
			t.Errorf("%d %q, %v, hints %d", res.StatusCode, body, err, hints)
		}
		want := http.Header{"X-Declared": {"1"}, "X-Later": {"2"}}
		if !maps.EqualFunc(res.Trailer, want, func(a, b []string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
			t.Errorf("trailer %v", res.Trailer)
		}
	})
}

func TestExpectContinue(t *testing.T) {
	for _, accept := range []bool{true, false} {
		onEachWire(t, func(t *testing.T, wi wire) {
			s := mustNew(t, Config{})
			ts, hc := wi.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !accept {
					w.WriteHeader(http.StatusRequestEntityTooLarge)
					return
				}
				_, _ = io.Copy(w, r.Body)
			}))
			hc.Transport.(*http.Transport).ExpectContinueTimeout = time.Hour // only the server can release the body
			read := false
			body := readFunc(func(p []byte) (int, error) {
				if read {
					return 0, io.EOF
				}
				read = true
				return copy(p, "body"), nil
			})
			req, _ := http.NewRequest("POST", ts.URL, body)
			req.Header.Set("Expect", "100-continue")
			res, err := hc.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if accept && string(got) != "body" || !accept && (res.StatusCode != 413 || read) {
				t.Errorf("accept %v: %d %q, body read %v", accept, res.StatusCode, got, read)
			}
		})
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// The bytes of a file must reach net/http's own ReadFrom, which knows sendfile.
func TestReadFromReachesTheServersWriter(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := false
	s := mustNew(t, Config{})
	h := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }))
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&watched{w.(h1Writer), &seen}, r)
	}))
	defer ts.Close()
	_, body := wireH1.get(t, ts.Client(), ts.URL)
	if !seen || len(body) != 100<<10 {
		t.Errorf("seen %v, %d bytes", seen, len(body))
	}
}

type h1Writer interface {
	http.ResponseWriter
	http.Flusher
	http.Hijacker
	io.ReaderFrom
}

type watched struct {
	h1Writer
	seen *bool
}

func (w *watched) ReadFrom(src io.Reader) (int64, error) {
	if l, ok := src.(*io.LimitedReader); ok {
		_, *w.seen = l.R.(*os.File)
	}
	return w.h1Writer.ReadFrom(src)
}

func TestUpgrade(t *testing.T) {
	for _, wi := range []wire{wireH1, wireH1S} {
		t.Run(wi.name, func(t *testing.T) {
			s := mustNew(t, Config{})
			ts, hc := wi.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, buf, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				if _, wrapped := conn.(*hijackedConn); wrapped {
					t.Errorf("the connection's type is hidden")
				}
				_, _ = buf.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
				_ = buf.Flush()
				_, _ = io.Copy(conn, buf)
			}))
			req, _ := http.NewRequest("GET", ts.URL, nil)
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Upgrade", "echo")
			res, err := hc.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			conn := res.Body.(io.ReadWriteCloser)
			defer conn.Close()
			_, _ = io.WriteString(conn, "hello")
			got := make([]byte, 5)
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestHijackedConnectionsAreForgotten(t *testing.T) {
	var h hijacks
	for range 1000 {
		a, b := net.Pipe()
		c := h.enter(a)
		h.Leave()
		_, _ = c.Close(), b.Close()
	}
	kept := h.enter(&net.TCPConn{})
	runtime.GC()
	h.mu.Lock()
	h.sweep()
	n := len(h.conns)
	h.mu.Unlock()
	if n != 1 {
		t.Errorf("%d connections are known, want the one in use", n)
	}
	runtime.KeepAlive(kept)
}

// A connection of a foreign type is wrapped, so that the end of a drain finds it; what it can do beyond net.Conn stays.
func TestForeignConnectionsAreClosed(t *testing.T) {
	var h hijacks
	a, b := net.Pipe()
	c := h.enter(a)
	if inner, ok := c.(interface{ NetConn() net.Conn }); !ok || inner.NetConn() != a {
		t.Error("the connection itself cannot be reached")
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("still open: %v", err)
	}
	runtime.KeepAlive(c)

	late, peer := net.Pipe()
	h.enter(late)
	if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("taken over after the end, and open: %v", err)
	}
}
