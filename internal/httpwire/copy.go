package httpwire

import "errors"

// Copy is the body of one attempt.
type Copy struct {
	of     *Replay
	off    int // into kept
	closed bool
}

var (
	errSuperseded = errors.New("httpwire: the attempt that this body belonged to is over")
	errLost       = errors.New("httpwire: the body was longer than the replay buffer and cannot be sent again")
)

// Read gives what is kept first, and then reads on.
func (c *Copy) Read(p []byte) (int, error) {
	if n, err, ok := c.readKept(p); ok {
		return n, err
	}
	r := c.of
	r.reading <- struct{}{}
	defer func() { <-r.reading }()
	// Whoever had the source before may have left something.
	if n, err, ok := c.readKept(p); ok {
		return n, err
	}
	n, err := r.src.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(c, p[:n])
	if err != nil && r.err == nil {
		r.err = err
	}
	if r.current != c {
		return 0, errSuperseded
	}
	return n, err
}

// readKept answers from what is there, and reports whether it could.
func (c *Copy) readKept(p []byte) (n int, err error, ok bool) { //nolint:revive // ok says whether err counts
	r := c.of
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case c.closed || r.current != c:
		return 0, errSuperseded, true
	case c.off < len(r.kept):
		n = copy(p, r.kept[c.off:])
		c.off += n
		return n, nil, true
	case r.err != nil:
		return 0, r.err, true
	}
	return 0, nil, len(p) == 0
}

// keep stores what c has just read from the source. The caller holds mu.
func (r *Replay) keep(c *Copy, b []byte) {
	if r.lost || len(b) == 0 {
		return
	}
	mine := r.current == c
	if mine && (r.settled || int64(len(r.kept)+len(b)) > r.limit) {
		r.lost = true
		r.kept, c.off = nil, 0
		return
	}
	r.kept = append(r.kept, b...)
	if mine {
		c.off += len(b)
	}
}

// Close ends the copy. The source is closed with the last one.
func (c *Copy) Close() error {
	r := c.of
	r.mu.Lock()
	c.closed = true
	last := r.settled && r.current == c
	r.mu.Unlock()
	if last {
		r.close()
	}
	return nil
}

// interrupt gives the source up while this copy waits for it: nothing can be sent any more, now or later.
func (c *Copy) interrupt() {
	r := c.of
	r.mu.Lock()
	mine := r.current == c
	if mine {
		r.lost, r.err = true, errSuperseded
	}
	r.mu.Unlock()
	if mine {
		r.close()
	}
}
