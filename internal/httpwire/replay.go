package httpwire

import (
	"io"
	"sync"
)

// Replay is a request body that is kept while it is read, up to a limit, so that it can be sent again. A body that turns
// out to be longer is sent once.
//
// Attempts take turns: each reads through a [Copy], and an attempt that was given up may still be reading when the next
// begins, because a transport may use a body for a while after it returned. What it reads then is not lost: it is kept
// for those that follow, whatever the limit, which is one read at most.
type Replay struct {
	src     io.ReadCloser
	limit   int64
	reading chan struct{} // full while src is read, which may block; taken before mu

	mu      sync.Mutex
	kept    []byte
	err     error // what src ended with
	lost    bool  // something was read that is not kept
	current *Copy
	settled bool // no further copy will be made
	closed  bool
}

// NewReplay keeps up to limit bytes of src, which it closes when it is no longer needed.
func NewReplay(src io.ReadCloser, limit int64) *Replay {
	return &Replay{src: src, limit: limit, reading: make(chan struct{}, 1)}
}

// Replayable reports whether another copy can begin at the first byte.
func (r *Replay) Replayable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.lost && !r.settled
}

// Next is the body for the next attempt; the copy before it reads nothing more. Where the body cannot be sent again after
// all, because the attempt before has read on meanwhile, reading it fails: what is left must not pass for the whole.
func (r *Replay) Next() *Copy {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		r.err = errLost
	}
	r.current = &Copy{of: r}
	return r.current
}

// Settle says that no further attempt follows. The source is closed when the last copy is, or now where the call has
// failed, as nobody reads on then.
func (r *Replay) Settle(failed bool) {
	r.mu.Lock()
	r.settled = true
	if failed {
		r.current = nil
	}
	over := r.current == nil || r.current.closed
	r.mu.Unlock()
	if over {
		r.close()
	}
}

// close closes the source once. It does not wait for one that is being read: some, such as the body of a request that a
// server received, let nobody close them before the read has returned.
func (r *Replay) close() {
	r.mu.Lock()
	closed := r.closed
	r.closed = true
	r.mu.Unlock()
	if closed {
		return
	}
	if len(r.reading) > 0 {
		go func() { _ = r.src.Close() }()
		return
	}
	_ = r.src.Close()
}
