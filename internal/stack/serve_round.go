package stack

import "time"

// round looks at all that there is, or at what is due. Nothing is called with the lock held; what has left meanwhile is
// told so by itself.
func (w *Warden) round(all bool) {
	now := time.Now()
	var conns []ServeConn
	var held []ServeHeld
	w.mu.Lock()
	for c, t := range w.conns {
		if all || t.isDue(now) {
			conns = append(conns, c)
		}
	}
	for h, t := range w.held {
		if all || t.isDue(now) {
			held = append(held, h)
		}
	}
	w.mu.Unlock()
	for _, h := range held { // first, while their connections can still carry the answer
		w.review(h)
	}
	for _, c := range conns {
		w.look(c, now)
	}
}

func (t *term) isDue(now time.Time) bool { return !t.due.IsZero() && !now.Before(t.due) }

// review judges a request again.
func (w *Warden) review(h ServeHeld) {
	asks := h.Judged().Asks
	if _, err := w.guard.judge(h, &asks); err != nil {
		w.Release(h)
		w.guard.tell(&asks, err)
		h.Revoke(err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.held[h]; t != nil {
		t.due = expiryOf(asks.Peer)
	}
}

// look judges a connection again, or retires it.
func (w *Warden) look(c ServeConn, now time.Time) {
	peer, err := c.Authenticate(w.guard.id)
	if err != nil {
		w.Forget(c)
		c.Cut()
		return
	}
	w.mu.Lock()
	t := w.conns[c]
	retire := t != nil && !t.retired && t.isDue(now)
	if t != nil {
		t.retired = t.retired || retire
		if t.retired || t.due.After(expiry(peer)) { // after a change of trust the chain may be a shorter one
			t.due = expiry(peer)
		}
	}
	w.mu.Unlock()
	if retire {
		c.Retire()
	}
}
