package clientgrpc

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/intramesh/intramesh/internal/stack"
)

// queued is how many messages of a stream may wait to be sent to a mirror. A mirror that is further behind loses its copy.
const queued = 64

// shadowing is the copies of a stream under way.
type shadowing struct {
	mu    sync.Mutex
	to    []*shadowStream
	ended bool // the caller has sent its last message
}

// shadowStream is one of them: what is sent to it waits in a queue.
type shadowStream struct {
	queue chan message
	copy  *stack.Copy // nil before it has begun
	over  bool
	held  int64 // by messages in the queue
}

type message struct {
	m    any
	size int64
}

// Copy begins the copies of the stream, whose messages follow as they are sent.
func (s *stream) Copy(cs *stack.Copies) {
	w := &shadowing{}
	from, desc, create := s.shadow(), s.desc, s.create
	s.copies = w
	cs.SendEach(func(m *stack.Copy) func() {
		c := &shadowStream{queue: make(chan message, queued), copy: m}
		w.to = append(w.to, c)
		return func() { w.run(c, from, desc, create) }
	})
}

// send passes a message on. It does not wait: a copy that has no room for it is given up.
func (w *shadowing) send(m any) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || !w.wanted() {
		return
	}
	next := message{cloned(m), 0}
	if next.m != nil {
		next.size = sizeOf(next.m)
	}
	for _, c := range w.to {
		switch {
		case c.over:
		case next.m == nil:
			w.cut(c, stack.CopyMessage)
		case !c.copy.Hold(next.size):
			w.cut(c, stack.CopyMemory)
		default:
			select {
			case c.queue <- next:
				c.held += next.size
			default:
				c.copy.Release(next.size)
				w.cut(c, stack.CopyBusy)
			}
		}
	}
}

// wanted reports whether there is a copy that goes on. The caller holds mu.
func (w *shadowing) wanted() bool {
	for _, c := range w.to {
		if !c.over {
			return true
		}
	}
	return false
}

// cut gives a copy up. The caller holds mu.
func (w *shadowing) cut(c *shadowStream, reason string) {
	c.over = true
	c.copy.Cut(reason)
}

// end says that no message follows: all have been sent, or the stream is over before that.
func (w *shadowing) end(whole bool) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.ended = true
	for _, c := range w.to {
		switch {
		case c.over:
		case whole:
			close(c.queue)
		default:
			w.cut(c, stack.CopyIncomplete)
		}
	}
}

// run is the life of a copy: it sends what comes, and reads what is answered.
func (w *shadowing) run(c *shadowStream, from *shadow, desc *grpc.StreamDesc, create grpc.Streamer) {
	defer w.close(c)
	s := &stream{desc: desc, create: create}
	from.begin(&s.rpc, c.copy)
	s.Wire, s.Streaming, s.failFast = s, true, failFast(from.opts)
	if c.copy.Do(&s.Call) != nil {
		return
	}
	if s.Last().Outcome.Err != nil {
		s.Finish()
		return
	}
	st := s.opened(s.Last())
	ctx, done := context.WithCancel(c.copy.Ctx)
	more := w.forward(ctx, c, st) // after this grpc has nothing to repeat
	go func() {
		defer done()
		for st.RecvMsg(new(emptypb.Empty)) == nil { // which takes what fields there are, and knows none
		}
	}()
	for more && w.forward(ctx, c, st) {
	}
	<-ctx.Done()
}

// forward sends the next message, and reports whether others may follow.
func (w *shadowing) forward(ctx context.Context, c *shadowStream, st grpc.ClientStream) bool {
	select {
	case next, more := <-c.queue:
		if !more {
			_ = st.CloseSend()
			return false
		}
		err := st.SendMsg(next.m)
		w.sent(c, next.size)
		return err == nil
	case <-ctx.Done():
		return false
	}
}

// sent gives back what a message held.
func (w *shadowing) sent(c *shadowStream, size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.held -= size
	c.copy.Release(size)
}

// close gives back what the messages held that were not sent.
func (w *shadowing) close(c *shadowStream) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.over = true
	c.copy.Release(c.held)
	c.held = 0
}
