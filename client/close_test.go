package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
)

// TestCloseDuringCalls: they finish, new ones are refused, waiting ones end, and nothing is left.
func TestCloseDuringCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, client.Config{Resilience: standard}, pauses(2*time.Second, 2*time.Second, 2*time.Second))
		resp, err := m.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		headers := make(chan error)
		go func() { // is still waiting for its headers
			resp, err := m.get(t.Context())
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			headers <- err
		}()
		synctest.Wait()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := m.c.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		_, err = m.get(t.Context())
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.Closed {
			t.Errorf("after Close: %v", err)
		}
		if got := text(t, resp, nil); got != "xx" {
			t.Errorf("the body of a call under way: %q", got)
		}
		if err := <-headers; err != nil {
			t.Errorf("a call under way: %v", err)
		}
		time.Sleep(2 * time.Second) // in the bubble's time: what they used is given back
		if n := m.net.Conns("a:80"); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// TestCloseEndsWaiting: a call that waits for a registry does not wait for Warmup.
func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, client.Config{Discovery: make(scripted)})
		time.AfterFunc(time.Second, func() { m.c.Close() })
		began := time.Now()
		_, err := m.get(t.Context())
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.Closed || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestNothingIsLeft of calls that end in other ways than at the end of a body.
func TestNothingIsLeft(t *testing.T) {
	hour := pauses(0, time.Hour)
	for name, call := range map[string]func(ctx context.Context, m *mesh){
		"cancelled before headers": func(ctx context.Context, m *mesh) {
			_, _ = m.get(ctx)
		},
		"body closed early": func(ctx context.Context, m *mesh) {
			if resp, err := m.get(ctx); err == nil {
				resp.Body.Close()
				resp.Body.Close() // twice is safe
			}
		},
		"cancelled in the body": func(ctx context.Context, m *mesh) {
			if resp, err := m.get(ctx); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
			}
		},
		"read by one, closed by another": func(ctx context.Context, m *mesh) {
			if resp, err := m.get(ctx); err == nil {
				time.AfterFunc(time.Second/2, func() { resp.Body.Close() })
				_, _ = io.Copy(io.Discard, resp.Body)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := hour
			if name == "cancelled before headers" {
				h = pauses(time.Hour)
			}
			bubble(t, client.Config{Resilience: standard}, h, func(t *testing.T, m *mesh) {
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						ctx, cancel := context.WithCancel(t.Context())
						defer cancel()
						time.AfterFunc(time.Second, cancel)
						call(ctx, m)
					})
				}
				wg.Wait()
				synctest.Wait()
				if n := m.net.Conns("a:80"); n != 0 {
					t.Errorf("%d connections are left", n)
				}
			})
		})
	}
}

// TestCloseIdleConnections gives back what an http.Client asks for.
func TestCloseIdleConnections(t *testing.T) {
	bubble(t, client.Config{}, http.HandlerFunc(echo), func(t *testing.T, m *mesh) {
		resp, err := m.get(t.Context())
		text(t, resp, err)
		if n := m.net.Conns("a:80"); n != 1 {
			t.Fatalf("%d connections", n)
		}
		(&http.Client{Transport: m.rt}).CloseIdleConnections()
		synctest.Wait()
		if n := m.net.Conns("a:80"); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// TestConnectionsGoWithTheirEndpoint, those in use when they are no longer, whatever the base thinks of idle ones.
func TestConnectionsGoWithTheirEndpoint(t *testing.T) {
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	for name, base := range map[string]*http.Transport{"h1": {}, "h2c": {Protocols: &h2c}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := make(scripted)
				m := newMesh(t, client.Config{Discovery: s}, pauses(0, time.Minute), http.HandlerFunc(echo))
				m.rt = m.c.Transport(base)
				defer m.c.Close()
				go func() { s <- set("a:80") }()
				resp, err := m.get(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				s <- set("b:80")
				synctest.Wait()
				if got := text(t, resp, nil); got != "x" {
					t.Errorf("%q", got)
				}
				time.Sleep(2 * time.Second) // in the bubble's time
				if n := m.net.Conns("a:80"); n != 0 {
					t.Errorf("%d connections to an endpoint that has left", n)
				}
			})
		})
	}
}
