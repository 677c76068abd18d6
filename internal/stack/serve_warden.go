package stack

import (
	"context"
	"sync"
	"time"

	"github.com/intramesh/intramesh/security"
)

// ServeConn is a connection that lasts longer than the judgement of its first request. Its methods are called by the
// warden, of which there is one, so they must not block.
type ServeConn interface {
	Remote
	// Retire asks the client to make another connection, and loses no request.
	Retire()
	// Cut closes it: the client is nobody any more.
	Cut()
}

// ServeHeld is a request that lasts. It must be comparable, and is entered once.
type ServeHeld interface {
	Remote
	// Judged is what the guard thought of it when it began.
	Judged() *Judgement
	// Revoke ends it, with a reason for its caller; err is a [*call.Error]. It must not block.
	Revoke(err error)
}

// Warden judges again what lasts: requests when the rules, the own identity or the trust have changed and when the
// caller's certificate expires; connections likewise, but for the rules, which are about requests.
//
// A client with a new certificate has to make a new connection to show it. So that none is met by the end of the old one,
// connections are retired when three quarters of the time are over that their client's certificate had left when they were
// made: those who renew at half of a life or at two thirds, as is common, have a new one by then, and who has not renewed
// is asked again after a quarter of that, and so on, not all the time.
//
// It has one goroutine, which runs while there is something to look after.
type Warden struct {
	guard *Guard
	wake  chan struct{} // something is to be looked at earlier than was planned; one is enough

	mu      sync.Mutex
	conns   map[ServeConn]*term
	held    map[ServeHeld]*term
	next    time.Time // what was planned; zero: nothing
	running bool
	closed  bool
	done    sync.WaitGroup
}

// term is when something is to be looked at next; zero: only when something changes.
type term struct {
	due     time.Time
	retired bool
}

func (t *term) before(at time.Time) bool { return !t.due.IsZero() && (at.IsZero() || t.due.Before(at)) }

func newWarden(g *Guard) *Warden {
	return &Warden{
		guard: g, wake: make(chan struct{}, 1),
		conns: map[ServeConn]*term{}, held: map[ServeHeld]*term{},
	}
}

// Watch looks after a connection until [Warden.Forget]. Those of clients without an identity are nothing to it.
func (w *Warden) Watch(c ServeConn) {
	if w.guard.id == nil {
		return
	}
	peer, err := c.Authenticate(w.guard.id)
	if err != nil {
		return // it can ask for what is public, and its requests are judged one by one
	}
	now := time.Now()
	t := &term{due: now.Add(peer.NotAfter.Sub(now) / 4 * 3)}
	w.enter(t, func() { w.conns[c] = t })
	// What has changed while the peer was authenticated may have been looked at already.
	if again, err := c.Authenticate(w.guard.id); err != nil || again != peer {
		w.look(c, time.Now())
	}
}

// Forget ends Watch.
func (w *Warden) Forget(c ServeConn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
	w.rest()
}

// Hold looks after a request until [Warden.Release].
func (w *Warden) Hold(h ServeHeld) {
	j := h.Judged()
	t := &term{due: expiryOf(j.Asks.Peer)}
	if j.by != w.guard.state() { // by what holds no longer
		t.due = time.Now()
	}
	w.enter(t, func() { w.held[h] = t })
}

// Release ends Hold.
func (w *Warden) Release(h ServeHeld) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.held, h)
	w.rest()
}

// expiry is the first moment at which a peer is nobody.
func expiry(p *security.Peer) time.Time { return p.NotAfter.Add(1) }

// expiryOf is zero for who is nobody anyway, and passes by rules that do not ask who it is.
func expiryOf(p *security.Peer) time.Time {
	if p == nil {
		return time.Time{}
	}
	return expiry(p)
}

func (w *Warden) enter(t *term, add func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	add()
	if !w.running {
		w.running = true
		w.done.Add(1)
		go w.run()
	} else if t.before(w.next) {
		w.poke()
	}
}

// rest lets the goroutine end when there is nothing left. The caller holds mu.
func (w *Warden) rest() {
	if w.running && w.idle() {
		w.poke()
	}
}

func (w *Warden) idle() bool { return w.closed || len(w.conns)+len(w.held) == 0 }

func (w *Warden) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Warden) run() {
	defer w.done.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for all := true; ; {
		material, rules := w.guard.changed() // first, so that no change is lost
		w.round(all)
		if !w.plan(timer) {
			return
		}
		all = false
		select {
		case <-timer.C:
		case <-w.wake:
		case <-material:
			all = true
		case <-rules:
			all = true
		}
		// A change that came with something else is not to be taken for none.
		all = all || isClosed(material) || isClosed(rules)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// plan sets the timer to what is due next. False: there is nothing left, and the goroutine ends.
func (w *Warden) plan(timer *time.Timer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle() {
		w.running = false
		return false
	}
	w.next = time.Time{}
	each(w, func(t *term) {
		if t.before(w.next) {
			w.next = t.due
		}
	})
	timer.Stop()
	if !w.next.IsZero() {
		timer.Reset(max(time.Until(w.next), 1))
	}
	return true
}

func each(w *Warden, f func(*term)) {
	for _, t := range w.conns {
		f(t)
	}
	for _, t := range w.held {
		f(t)
	}
}

// Shutdown waits for nothing: it is others whose end a drain waits for.
func (w *Warden) Shutdown(context.Context) error { return nil }

// Close ends the goroutine, and looks after nothing more.
func (w *Warden) Close() error {
	w.mu.Lock()
	w.closed = true
	clear(w.conns)
	clear(w.held)
	w.rest()
	w.mu.Unlock()
	w.done.Wait()
	return nil
}

// Busy reports whether there is something to look after, for tests.
func (w *Warden) Busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}
