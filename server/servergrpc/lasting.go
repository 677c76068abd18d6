package servergrpc

import (
	"runtime/debug"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// lasting is a stream that is judged again while it runs. Only by returning does an interceptor end a stream, so the
// handler has a goroutine of its own. When the stream is revoked the interceptor returns at once: grpc tells the client,
// and ends the stream's context, by which whatever the handler waits for ends too.
type lasting struct {
	*stream

	over  atomic.Bool // the handler has returned, or the stream was revoked
	ended chan ending // of which there is one
}

// ending is how it came.
type ending struct {
	err     error
	panic   any
	stack   []byte
	revoked bool
}

func (i *interceptor) lasting(srv any, st *stream, handler grpc.StreamHandler) ending {
	l := &lasting{stream: st, ended: make(chan ending, 1)}
	i.core.Handlers.Enter()
	go i.handle(srv, l, handler)
	i.core.Warden.Hold(l)
	e := <-l.ended
	i.core.Warden.Release(l)
	return e
}

// handle runs the handler. One that goes on after its stream was revoked has nobody to answer; a drain waits for it.
func (i *interceptor) handle(srv any, l *lasting, handler grpc.StreamHandler) {
	defer i.core.Handlers.Leave()
	var e ending
	defer func() {
		if e.panic = recover(); e.panic != nil {
			e.stack = debug.Stack()
		}
		if !l.end(e) && e.panic != nil {
			i.core.Panicked(&l.serve, e.panic, e.stack)
		}
	}()
	e.err = handler(srv, l.stream)
}

// end takes the first ending.
func (l *lasting) end(e ending) bool {
	first := l.over.CompareAndSwap(false, true)
	if first {
		l.ended <- e
	}
	return first
}

// Authenticate implements [stack.Remote].
func (l *lasting) Authenticate(id security.Identity) (*security.Peer, error) {
	return authenticate(l.ServerStream.Context(), id)
}

// Judged implements [stack.ServeHeld].
func (l *lasting) Judged() *stack.Judgement { return &l.serve.Judged }

// Revoke implements [stack.ServeHeld].
func (l *lasting) Revoke(err error) { l.end(ending{err: err, revoked: true}) }
