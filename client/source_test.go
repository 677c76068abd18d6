package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
)

// sourceFunc is a source for tests.
type sourceFunc func(ctx context.Context, service string, fn func(discovery.Update)) error

func (f sourceFunc) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	return f(ctx, service, fn)
}

// scripted sends what comes through a channel.
type scripted chan discovery.Update

func (s scripted) Watch(ctx context.Context, _ string, fn func(discovery.Update)) error {
	for {
		select {
		case u := <-s:
			fn(u)
		case <-ctx.Done():
			return nil
		}
	}
}

func set(addrs ...string) discovery.Update {
	u := discovery.Update{Kind: discovery.Set}
	for _, a := range addrs {
		u.Endpoints = append(u.Endpoints, discovery.Endpoint{Addr: a})
	}
	return u
}

// wantReason calls and checks why there is no response.
func wantReason(t *testing.T, m *mesh, reason string, is error) *client.Error {
	t.Helper()
	_, err := m.get(t.Context()) //nolint:bodyclose // there is none
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != reason || e.Attempts != 0 || e.Endpoint != "" || (is != nil && !errors.Is(err, is)) {
		t.Errorf("%v, want %s", err, reason)
	}
	return e
}

// TestStatesOfADestination goes through all of them with one client.
func TestStatesOfADestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := make(scripted)
		m := newMesh(t, client.Config{Discovery: s, Resilience: standard}, http.HandlerFunc(echo), http.HandlerFunc(echo))
		defer m.c.Close()

		began := time.Now()
		wantReason(t, m, client.Unanswered, nil)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("waited %v, want Warmup", took)
		}
		s <- discovery.Update{Kind: discovery.Failed, Err: errors.New("registry on fire")}
		e := wantReason(t, m, client.Unanswered, nil)
		if !strings.Contains(e.Error(), "registry on fire") {
			t.Errorf("%v does not say what ails the source", e)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		_, err := m.get(ctx) //nolint:bodyclose // there is none
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}

		// A call that waits is served as soon as the answer is there.
		time.AfterFunc(time.Second, func() { s <- set("a:80") })
		began = time.Now()
		resp, err := m.get(t.Context())
		text(t, resp, err)
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited %v", took)
		}

		began = time.Now()
		s <- discovery.Update{Kind: discovery.Absent}
		synctest.Wait()
		wantReason(t, m, client.UnknownService, discovery.ErrUnknownService)
		s <- set()
		synctest.Wait()
		wantReason(t, m, client.NoEndpoint, discovery.ErrNoEndpoint)
		s <- set("b:80")
		synctest.Wait()
		resp, err = m.get(t.Context())
		text(t, resp, err)
		// A failure of the source erases nothing.
		s <- discovery.Update{Kind: discovery.Failed, Err: errors.New("again")}
		synctest.Wait()
		resp, err = m.get(t.Context())
		text(t, resp, err)
		if took := time.Since(began); took != 0 {
			t.Errorf("known states took %v", took)
		}
	})
}

// TestInvalidUpdatesAreRefusedWhole: the last good set holds.
func TestInvalidUpdatesAreRefusedWhole(t *testing.T) {
	for name, u := range map[string]discovery.Update{
		"address":           set("a:80", "nonsense"),
		"identity":          {Kind: discovery.Set, Endpoints: []discovery.Endpoint{{Addr: "a:80"}, {Addr: "b:80", ID: "http://x"}}},
		"listed twice":      set("b:80", "b:80"),
		"unknown kind":      {Kind: 77, Endpoints: set("b:80").Endpoints},
		"absent, but there": {Kind: discovery.Absent, Endpoints: set("b:80").Endpoints},
		"bad diff":          {Kind: discovery.Diff, Removed: []string{"a:80"}, Endpoints: set(":x").Endpoints},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := make(scripted)
				m := newMesh(t, client.Config{Discovery: s}, http.HandlerFunc(echo), nil)
				defer m.c.Close()
				go func() { s <- set("a:80"); s <- u }()
				for range 5 {
					resp, err := m.get(t.Context())
					text(t, resp, err)
					synctest.Wait()
				}
			})
		})
	}
	t.Run("diff before any set", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := make(scripted)
			m := newMesh(t, client.Config{Discovery: s}, http.HandlerFunc(echo))
			defer m.c.Close()
			go func() { s <- discovery.Update{Kind: discovery.Diff, Endpoints: set("a:80").Endpoints} }()
			e := wantReason(t, m, client.Unanswered, nil)
			if !strings.Contains(e.Error(), "before any set") {
				t.Error(e)
			}
		})
	})
}

// TestOneBadSourceLeavesTheOthersAlone: it blocks, fails or panics for one service; other services are served.
func TestOneBadSourceLeavesTheOthersAlone(t *testing.T) {
	for name, bad := range map[string]func() error{
		"blocks for ever": nil,
		"fails":           func() error { return errors.New("no") },
		"gives up":        func() error { return nil },
		"panics":          func() error { panic("oops") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				src := sourceFunc(func(ctx context.Context, service string, fn func(discovery.Update)) error {
					if service != "orders" && bad != nil {
						return bad()
					}
					if service != "orders" {
						<-release // deaf to ctx as well
						return nil
					}
					fn(set("a:80"))
					<-ctx.Done()
					return nil
				})
				m := newMesh(t, client.Config{Discovery: src}, http.HandlerFunc(echo))
				defer m.c.Close() // within a second, even so
				go func() {
					resp, err := m.rt.RoundTrip(request(t, http.MethodGet, "mesh://bad/", nil))
					if e := (*client.Error)(nil); !errors.As(err, &e) || e.Reason != client.Unanswered {
						t.Errorf("%v, %v", resp, err)
					}
				}()
				synctest.Wait()
				began := time.Now()
				for range 10 {
					resp, err := m.get(t.Context())
					text(t, resp, err)
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("the others waited %v", took)
				}
				time.Sleep(10 * time.Second) // in the bubble's time
			})
		})
	}
}

// TestSourceIsAskedAgainWithBackoff counts how often in ten minutes, for a source that fails at once.
func TestSourceIsAskedAgainWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		var last time.Time
		gap := time.Duration(0)
		src := sourceFunc(func(context.Context, string, func(discovery.Update)) error {
			if asked.Add(1) > 1 {
				gap = max(gap, time.Since(last))
			}
			last = time.Now()
			return fmt.Errorf("no")
		})
		c := newClient(t, client.Config{Discovery: src})
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := c.Ready(ctx, "orders"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no") {
			t.Error(err)
		}
		if n := asked.Load(); n < 20 || n > 40 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		if gap > 36*time.Second {
			t.Errorf("a pause of %v", gap)
		}
	})
}

// TestLateWordsAreNotHeard: what a Watch says after it has returned does not mix with the next one's.
func TestLateWordsAreNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var old func(discovery.Update)
		src := sourceFunc(func(ctx context.Context, _ string, fn func(discovery.Update)) error {
			if old == nil {
				old = fn
				return errors.New("not yet")
			}
			fn(set("a:80"))
			<-ctx.Done()
			return nil
		})
		m := newMesh(t, client.Config{Discovery: src}, http.HandlerFunc(echo))
		defer m.c.Close()
		resp, err := m.get(t.Context())
		text(t, resp, err)
		old(set("gone:80"))
		for range 5 {
			resp, err := m.get(t.Context())
			text(t, resp, err)
		}
	})
}

// TestReady waits for all, and says what is wrong with each.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := sourceFunc(func(ctx context.Context, service string, fn func(discovery.Update)) error {
			switch service {
			case "slow":
				time.Sleep(3 * time.Second) // in the bubble's time
				fn(set("a:80"))
			case "empty":
				fn(set())
			case "absent":
				fn(discovery.Update{Kind: discovery.Absent})
			}
			<-ctx.Done()
			return nil
		})
		c := newClient(t, client.Config{Discovery: src})
		began := time.Now()
		if err := c.Ready(t.Context(), "slow"); err != nil || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := c.Ready(ctx, "empty", "never", "absent", "slow")
		if !errors.Is(err, discovery.ErrNoEndpoint) || !errors.Is(err, discovery.ErrUnknownService) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		for _, want := range []string{"client: empty:", "client: never:", "client: absent:"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
		// Who waits is told when the client ends.
		time.AfterFunc(time.Second, func() { c.Close() })
		if err := c.Ready(t.Context(), "never"); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Error(err)
		}
		if err := c.Ready(t.Context(), "slow"); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Error(err)
		}
	})
}
