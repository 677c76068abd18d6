package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The times of a drain, by default: ready ends at once, answers close connections from 2.5 s, no new work from 5 s.
func TestDrainPhases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		h := s.Handler(http.NotFoundHandler())
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- s.Drain(context.Background()) }()
		for _, at := range []struct {
			after   time.Duration
			closing bool
			stopped bool
		}{
			{0, false, false},
			{2400 * time.Millisecond, false, false},
			{2600 * time.Millisecond, true, false},
			{4900 * time.Millisecond, true, false},
			{5100 * time.Millisecond, true, true},
		} {
			time.Sleep(time.Until(start.Add(at.after)))
			synctest.Wait()
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
			stopped := false
			select {
			case <-s.Stopping():
				stopped = true
			default:
			}
			closing := rec.Header().Get("Connection") == "close"
			if closing != at.closing || stopped != at.stopped || s.Ready() {
				t.Errorf("after %v: closing %v, stopped %v, ready %v", at.after, closing, stopped, s.Ready())
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// vip is an address that leads to the first server while it is ready, and then to the second, as a load balancer of
// connections does. What has been connected stays connected.
type vip struct {
	first  *Server
	a, b   string
	dialer net.Dialer
}

func (v *vip) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	if v.first.Ready() {
		return v.dialer.DialContext(ctx, network, v.a)
	}
	return v.dialer.DialContext(ctx, network, v.b)
}

// progress counts the answers of each client by the server that gave them, and lets tests wait for counts.
type progress struct {
	mu     sync.Mutex
	more   sync.Cond
	counts []map[string]int
	last   []string
}

func newProgress(clients int) *progress {
	p := &progress{counts: make([]map[string]int, clients), last: make([]string, clients)}
	p.more.L = &p.mu
	for i := range p.counts {
		p.counts[i] = map[string]int{}
	}
	return p
}

func (p *progress) add(client int, server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[client][server]++
	p.last[client] = server
	p.more.Broadcast()
}

// wait returns when every client has had n more answers from the server.
func (p *progress) wait(server string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	base := make([]int, len(p.counts))
	for i, c := range p.counts {
		base[i] = c[server]
	}
	for i := range p.counts {
		for p.counts[i][server] < base[i]+n {
			p.more.Wait()
		}
	}
}

// waitMoved returns when the last answer of every client came from the server.
func (p *progress) waitMoved(server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.last {
		for p.last[i] != server {
			p.more.Wait()
		}
	}
}

// Plain clients send one POST after the other, while the server that they are connected to drains. Over HTTP/1.1 their
// bodies cannot be sent again, so that net/http cannot hide a loss. The phases of the drain end when all clients have
// got as far as they should, not after a time.
func TestDrainUnderLoadLosesNothing(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		const clients = 8
		p := newProgress(clients)
		phases := []func(){
			func() { p.wait("a", 5) },   // not ready: the old connections go on
			func() { p.waitMoved("b") }, // winding: all of them must be left
		}
		a, err := newServer(Config{}, func(context.Context, time.Duration) {
			phases[0]()
			phases = phases[1:]
		})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		answer := func(name string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("Server", name)
				_, _ = w.Write(body)
			})
		}
		tsA, hcA := wi.serve(t, a, answer("a"))
		tsB, _ := wi.serve(t, mustNew(t, Config{}), answer("b"))
		v := &vip{first: a, a: tsA.Listener.Addr().String(), b: tsB.Listener.Addr().String()}

		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var wg sync.WaitGroup
		defer wg.Wait()
		for i := range clients {
			tr := hcA.Transport.(*http.Transport).Clone()
			tr.DialContext = v.dial
			if tr.TLSClientConfig != nil {
				tr.TLSClientConfig.NextProtos = nil // net/http writes into it, and Clone shares it
			}
			wg.Go(func() {
				defer tr.CloseIdleConnections()
				for ctx.Err() == nil {
					server, err := post(&http.Client{Transport: tr}, tsA.URL, wi.major == 2)
					if err != nil {
						t.Errorf("lost: %v", err)
						return
					}
					p.add(i, server)
				}
			})
		}
		p.wait("a", 5)
		if err := a.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		p.wait("b", 5)
		stop()
	})
}

// post sends a text and returns the name of the server that sent it back.
func post(hc *http.Client, url string, replayable bool) (server string, err error) {
	const text = "count me"
	var body io.Reader = strings.NewReader(text)
	if !replayable {
		body = io.MultiReader(body)
	}
	res, err := hc.Post(url, "text/plain", body)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err == nil && string(got) != text {
		err = errors.New("another text came back: " + string(got))
	}
	return res.Header.Get("Server"), err
}

// A request that is being served when the shutdown begins is finished.
func TestDrainWaitsForRequests(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		s := mustNew(t, Config{})
		ts, hc := wi.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-s.Stopping()
			_, _ = io.WriteString(w, "whole")
		}))
		res, err := hc.Get(ts.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		drained := make(chan error, 1)
		go func() { drained <- s.Drain(context.Background()) }()
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "whole" {
			t.Errorf("%q, %v", body, err)
		}
		hc.CloseIdleConnections()
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}

// What goes on for ever is cut off when the grace ends: requests, and connections that a handler took over.
func TestDrainCutsOff(t *testing.T) {
	for name, end := range map[string]func(*Server, context.CancelFunc){
		"by DrainTimeout": func(*Server, context.CancelFunc) {},
		"by its context":  func(_ *Server, cancel context.CancelFunc) { cancel() },
		"by Close":        func(s *Server, _ context.CancelFunc) { _ = s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			timeout := time.Hour
			if name == "by DrainTimeout" {
				timeout = time.Millisecond
			}
			s := mustNew(t, Config{DrainTimeout: timeout})
			var handlers sync.WaitGroup
			ts, hc := wireH1.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				handlers.Add(1)
				defer handlers.Done()
				if r.URL.Path == "/stream" {
					w.(http.Flusher).Flush()
					<-r.Context().Done()
					return
				}
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
				_, _ = conn.Read(make([]byte, 1)) // until it is closed
			}))
			stream, err := hc.Get(ts.URL + "/stream")
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Body.Close()
			req, _ := http.NewRequest("GET", ts.URL+"/upgrade", nil)
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Upgrade", "x")
			upgraded, err := hc.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer upgraded.Body.Close()

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			drained := make(chan error, 1)
			go func() { drained <- s.Drain(ctx) }()
			<-s.Stopping()
			end(s, cancel)
			if err := <-drained; err == nil {
				t.Error("Drain says that all was finished")
			}
			handlers.Wait()
			if _, err := io.ReadAll(stream.Body); err == nil {
				t.Error("a stream that was cut off looks whole")
			}
			if n, err := upgraded.Body.Read(make([]byte, 1)); err == nil {
				t.Errorf("the upgraded connection is open: %d bytes", n)
			}
		})
	}
}

// A drain waits for upgraded connections as long as their handlers run, as it does for streams.
func TestDrainWaitsForUpgraded(t *testing.T) {
	s := mustNew(t, Config{})
	ts, hc := wireH1.serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		<-s.Stopping()
		_, _ = io.WriteString(conn, "bye")
	}))
	req, _ := http.NewRequest("GET", ts.URL, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "x")
	res, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "bye" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestDrainTwiceAndClose(t *testing.T) {
	s := mustNew(t, Config{})
	wireH1.serve(t, s, http.NotFoundHandler())
	wireH2.serve(t, s, http.NotFoundHandler())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { _ = s.Drain(context.Background()) })
		wg.Go(func() { _ = s.Close() })
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	late := &http.Server{Handler: http.NotFoundHandler()}
	s.Attach(late)
	if err := late.ListenAndServe(); err != http.ErrServerClosed {
		t.Errorf("a server attached after the drain serves: %v", err)
	}
}
