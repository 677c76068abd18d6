package httpwire

import (
	"errors"
	"io"
	"sync"
)

// Replay is a request body that is kept while it is read, up to a limit, so that it can be sent again. A body that turns
// out to be longer is sent once.
//
// Attempts take turns: each reads through a [Copy], and an attempt that was given up may still be reading when the next
// begins, because a transport may use a body for a while after it returned. What it reads then is not lost: it is kept
// for those that follow.
type Replay struct {
	src     io.ReadCloser
	limit   int64
	reading sync.Mutex // held while src is read, which may block; taken before mu

	mu      sync.Mutex
	kept    []byte
	err     error // what src ended with
	lost    bool  // something was read that is not kept
	current *Copy
	settled bool // no further copy will be made
	closed  bool
}

// NewReplay keeps up to limit bytes of src, which it closes when it is no longer needed.
func NewReplay(src io.ReadCloser, limit int64) *Replay { return &Replay{src: src, limit: limit} }

// Replayable reports whether another copy can begin at the first byte.
func (r *Replay) Replayable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.lost && !r.settled
}

// Next is the body for the next attempt; the copy before it reads nothing more.
func (r *Replay) Next() *Copy {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = &Copy{of: r}
	return r.current
}

// Settle says that no further attempt follows. The source is closed when the last copy is, or now where the call has
// failed, as nobody reads on then.
func (r *Replay) Settle(failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled = true
	if failed {
		r.current = nil
	}
	if r.current == nil || r.current.closed {
		r.closeLocked()
	}
}

func (r *Replay) closeLocked() {
	if !r.closed {
		r.closed = true
		_ = r.src.Close()
	}
}

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
	r.reading.Lock()
	defer r.reading.Unlock()
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
func (c *Copy) readKept(p []byte) (n int, err error, ok bool) { //nolint:revive,staticcheck // ok says whether err counts
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
	if !r.settled && int64(len(r.kept)+len(b)) <= r.limit {
		r.kept = append(r.kept, b...)
		if r.current == c {
			c.off += len(b)
		}
		return
	}
	r.lost = true
	if r.current == c {
		r.kept, c.off = nil, 0
		return
	}
	// A later copy has begun and will miss these bytes: it must not pass for the whole body.
	r.err = errLost
}

// Close ends the copy. The source is closed with the last one.
func (c *Copy) Close() error {
	r := c.of
	r.mu.Lock()
	defer r.mu.Unlock()
	c.closed = true
	if r.settled && r.current == c {
		r.closeLocked()
	}
	return nil
}
