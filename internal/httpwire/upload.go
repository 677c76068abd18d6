package httpwire

import (
	"context"
	"io"
	"sync/atomic"
	"time"
)

// Upload is a request body of a length that is not known or large. It does two things that a transport does not.
//
// It tells when it moves: the wait for a reply begins when the request has been sent, and a large one may take longer than
// any reply should.
//
// And it does not hold up the end of an attempt. Over HTTP/1.1, RoundTrip returns no sooner than the body's Read does, so a
// source that blocks would make a call outlive its context.
type Upload struct {
	body   io.ReadCloser
	moved  func()
	stop   func() bool
	closed atomic.Bool
}

// releaseAfter is how long a transport has to give up the body of an attempt that has ended; HTTP/2 needs no time, and
// then what was read stays good for the next attempt.
const releaseAfter = 10 * time.Millisecond

// NewUpload calls moved, if it is not nil, after each read that gave something. When ctx, the attempt's, has ended and the
// transport does not let go of the body, the source is closed.
func NewUpload(ctx context.Context, body io.ReadCloser, moved func()) *Upload {
	u := &Upload{body: body, moved: moved}
	u.stop = context.AfterFunc(ctx, func() { time.AfterFunc(releaseAfter, u.interrupt) })
	return u
}

func (u *Upload) interrupt() {
	if u.closed.Load() {
		return
	}
	if c, ok := u.body.(*Copy); ok {
		c.interrupt()
		return
	}
	_ = u.body.Close()
}

// Read hands bytes on, and tells that the body moves.
func (u *Upload) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	if n > 0 && u.moved != nil {
		u.moved()
	}
	return n, err
}

// Close closes the body.
func (u *Upload) Close() error {
	u.closed.Store(true)
	u.stop()
	return u.body.Close()
}
