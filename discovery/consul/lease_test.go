package consul

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

var anOrder = discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "10.0.0.7:80"}}

// TestLeaseTwice checks that Drain and Leave may be called again, and that a lease that has left touches no successor.
func TestLeaseTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := newAgent(t, Config{})
		first := register(t, p, anOrder)
		a.has(t, "passing")
		for range 2 {
			if err := first.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			a.has(t, "maintenance")
		}
		leave(t, first)
		a.has(t, "")
		a.heard(t, "register", "maintenance", "maintenance", "deregister")
		leave(t, first)
		if err := first.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		a.heard(t)

		second := register(t, p, anOrder)
		leave(t, first)
		if err := first.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		a.has(t, "passing")
		a.heard(t, "register")
		leave(t, second)
	})
}

// TestLeaseLeavesSideBySide checks that whoever calls Leave, it has left when it returns.
func TestLeaseLeavesSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := newAgent(t, Config{})
		l := register(t, p, anOrder)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := l.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				leave(t, l)
				a.mu.Lock()
				defer a.mu.Unlock()
				if len(a.state) != 0 {
					t.Error("Leave has returned, and the instance is there")
				}
			})
		}
		wg.Wait()
		if n := len(p.leases); n != 0 {
			t.Errorf("%d leases are kept", n)
		}
	})
}

// TestLeaseDrainsWhenRegisteredAgain has the agent forget an instance at every moment of its drain.
func TestLeaseDrainsWhenRegisteredAgain(t *testing.T) {
	for name, drain := range map[string]func(*testing.T, *agentFake, discovery.Lease){
		"before": func(t *testing.T, a *agentFake, l discovery.Lease) {
			a.forget()
			if err := l.Drain(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"after": func(t *testing.T, a *agentFake, l discovery.Lease) {
			if err := l.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
			a.forget()
		},
		"meanwhile": func(t *testing.T, a *agentFake, l discovery.Lease) {
			release := make(chan struct{})
			a.oddly("register", hangs(release))
			a.forget()
			time.Sleep(6 * time.Second) // it is being registered again
			time.AfterFunc(time.Second, func() { close(release) })
			if err := l.Drain(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"maintenance is refused at first": func(t *testing.T, a *agentFake, l discovery.Lease) {
			a.forget()
			a.oddly("maintenance", func(w http.ResponseWriter, r *http.Request) bool {
				a.oddly("maintenance", errs)
				return true // not found
			})
			if err := l.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(8 * time.Second)
			a.has(t, "critical")
			a.oddly("maintenance", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, p := newAgent(t, Config{})
				l := register(t, p, anOrder)
				time.Sleep(1500 * time.Millisecond) // between two looks of the lease
				drain(t, a, l)
				time.Sleep(5 * time.Second) // one beat
				a.has(t, "maintenance")
				leave(t, l)
				time.Sleep(time.Hour)
				a.has(t, "")
			})
		})
	}
}

// TestLeaveWhileRegisteredAgain checks that a registration that is under way does not outlive Leave.
func TestLeaveWhileRegisteredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := newAgent(t, Config{})
		l := register(t, p, anOrder)
		release := make(chan struct{})
		a.oddly("register", func(http.ResponseWriter, *http.Request) bool { <-release; return true }) // it is done all the same
		a.forget()
		time.Sleep(6 * time.Second)
		time.AfterFunc(time.Second, func() { close(release) })
		leave(t, l)
		time.Sleep(time.Hour)
		a.has(t, "")
	})
}

// TestLeaveWhileAgentIsAway checks that ctx bounds Leave and Drain, that the error says what was wrong, and that it can be
// tried again.
func TestLeaveWhileAgentIsAway(t *testing.T) {
	for name, c := range map[string]struct {
		odd   func(http.ResponseWriter, *http.Request) bool
		words string
	}{
		"errors": {errs, "out of order"},
		"hangs":  {hangs(nil), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, p := newAgent(t, Config{})
				l := register(t, p, anOrder)
				a.oddly("", c.odd)
				time.Sleep(7 * time.Second) // it is speaking
				for _, f := range []func(context.Context) error{l.Drain, l.Leave, l.Leave, l.Drain} {
					ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
					began := time.Now()
					err := f(ctx)
					cancel()
					if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), c.words) {
						t.Errorf("it returned %v", err)
					}
					if took := time.Since(began); took != 4*time.Second {
						t.Errorf("it took %v", took)
					}
				}
				a.has(t, "passing")
				a.oddly("", nil)
				leave(t, l)
				a.has(t, "")
			})
		})
	}
}

// TestLeaveDoesNotWaitForWords checks that an agent that hangs at a check holds no removal up.
func TestLeaveDoesNotWaitForWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := newAgent(t, Config{})
		l := register(t, p, anOrder)
		a.oddly("update", hangs(nil))
		time.Sleep(6 * time.Second)
		began := time.Now()
		leave(t, l)
		if took := time.Since(began); took != 0 {
			t.Errorf("Leave took %v", took)
		}
		a.has(t, "")
	})
}

// TestRegisterGivenUp checks that an instance that nobody waits for any more is taken back.
func TestRegisterGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*Plane, context.CancelFunc)
		want error
	}{
		"context": {func(_ *Plane, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"close":   {func(p *Plane, _ context.CancelFunc) { _ = p.Close() }, ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, p := newAgent(t, Config{})
				hung := hangs(nil)
				a.oddly("register", func(w http.ResponseWriter, r *http.Request) bool { // it is done, but nobody hears of it
					a.mu.Lock()
					a.state["orders-10.0.0.7:80"] = "passing"
					a.mu.Unlock()
					return hung(w, r)
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(time.Second, func() { c.end(p, cancel) })
				began := time.Now()
				if _, err := p.Register(ctx, anOrder); !errors.Is(err, c.want) {
					t.Errorf("Register returned %v", err)
				}
				if took := time.Since(began); took != time.Second {
					t.Errorf("Register took %v", took)
				}
				a.has(t, "")
			})
		})
	}
}

// TestRegisterGivenUpWhileAgentHangs checks that taking back is bounded.
func TestRegisterGivenUpWhileAgentHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := newAgent(t, Config{})
		a.oddly("", hangs(nil))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if _, err := p.Register(ctx, anOrder); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Register returned %v", err)
		}
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("Register took %v", took)
		}
	})
}

// TestLeaseDoesNotHurry counts what an agent is asked that is out of order while an instance has news for it, and checks
// that the news arrives.
func TestLeaseDoesNotHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := newAgent(t, Config{})
		var unready atomic.Bool
		r := anOrder
		r.Ready = func() bool { return !unready.Load() }
		l := register(t, p, r)
		a.oddly("", errs)
		unready.Store(true)
		before := a.count()
		time.Sleep(4500 * time.Millisecond)
		if n := a.count() - before; n != 3 { // with the next look, 1 s after that, and 1.6 s after that, 20 % to either side
			t.Errorf("%d questions in the first 4.5 s", n)
		}
		time.Sleep(10 * time.Minute)
		if n := a.count() - before; n < 100 || n > 130 { // every 5 s, a third of the TTL, and some more in the first seconds
			t.Errorf("%d questions in 10 minutes", n)
		}
		a.oddly("", nil)
		time.Sleep(6 * time.Second)
		a.has(t, "critical")
		leave(t, l)
	})
}

// TestBeat counts what is said to agents that take their time: it is said thrice in a TTL all the same.
func TestBeat(t *testing.T) {
	for ttl, takes := range map[time.Duration]time.Duration{
		900 * time.Millisecond: time.Millisecond,
		3 * time.Second:        time.Millisecond,
		15 * time.Second:       time.Millisecond,
		16 * time.Second:       2 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			a, p := newAgent(t, Config{})
			a.oddly("update", func(http.ResponseWriter, *http.Request) bool { time.Sleep(takes); return true })
			r := anOrder
			r.Checks = []discovery.Check{{TTL: ttl}}
			l := register(t, p, r)
			before := a.count()
			time.Sleep(100 * ttl)
			if n := a.count() - before; n < 290 || n > 340 { // a TTL of 16 s is spoken of every 5 s, as looks are
				t.Errorf("%d words in 100 TTLs of %v to an agent that takes %v to answer, want 300 or some more", n, ttl, takes)
			}
			leave(t, l)
			time.Sleep(takes) // what is being said
		})
	}
}

// TestTinyTTL checks that no span is too short for a timer.
func TestTinyTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, p := newAgent(t, Config{})
		r := anOrder
		r.Checks = []discovery.Check{{TTL: 1}}
		l := register(t, p, r)
		time.Sleep(time.Second)
		if n := a.count(); n > 11 {
			t.Errorf("%d requests in a second", n)
		}
		leave(t, l)
	})
}
