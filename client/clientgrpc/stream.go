package clientgrpc

import (
	"context"
	"io"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// stream is one streaming call. The fan-out sees to its opening; what grpc does to replay it before the response headers
// goes through the picker.
type stream struct {
	rpc
	grpc.ClientStream // once it is open

	desc    *grpc.StreamDesc
	create  grpc.Streamer
	watched bool // for silence
	life    atomic.Int32
	spoiler *spoiler              // the faults of its messages; nil: none
	broken  atomic.Pointer[error] // by one of them
	copies  *shadowing            // of the stream; nil: none
	err     error                 // what it ended with, nil for io.EOF; readable once life is over
}

// The life of a stream: it may be over before its opening has returned.
const (
	opening int32 = iota
	open
	over
)

// stream is the interceptor.
func (d *dialer) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, create grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	s := &stream{desc: desc, create: create}
	s.start(ctx, d, cc, method, opts)
	s.Wire, s.Streaming, s.failFast = s, true, failFast(opts)
	err := s.do()
	if err != nil {
		err = convert(err)
	} else if err = s.Last().Outcome.Err; err != nil {
		s.Finish()
	}
	if err != nil {
		s.copies.end(false)
		s.tell(err)
		return nil, err
	}
	return s.opened(s.Last()), nil
}

// failFast reports whether a call is to fail where no connection can be had; the last option that speaks of it counts.
func failFast(opts []grpc.CallOption) bool {
	fast := true
	for _, o := range opts {
		if f, ok := o.(grpc.FailFastCallOption); ok {
			fast = f.FailFast
		}
	}
	return fast
}

// Try opens the stream. grpc calls the finish option exactly once: when the stream is over, or when it could not be
// opened, which is the fan-out's to deal with.
func (s *stream) Try(a *stack.Attempt) {
	s.life.Store(opening)
	s.readdress(a)
	opts := append(slices.Clip(s.opts), grpc.OnFinish(s.ended))
	cs, err := s.create(s.outgoing(a), s.desc, s.conn, s.sent, opts...)
	if err != nil {
		a.Outcome = s.outcome(a, err)
		if s.Direct && s.Retries() && a.Outcome.Code == call.Unavailable {
			a.Outcome.Sent = call.SentNo // a stream is open before anything is sent on it
		}
		return
	}
	a.Reply, s.spoiler = cs, spoilerOf(a)
}

// Drop has nothing to give up: a stream that did not open is over.
func (s *stream) Drop(*stack.Attempt) {}

// opened is what the caller gets. The watch begins before the end of the stream may stop it.
func (s *stream) opened(a *stack.Attempt) grpc.ClientStream {
	s.ClientStream = a.Reply.(grpc.ClientStream)
	s.watched = a.WatchBody()
	if !s.life.CompareAndSwap(opening, open) {
		s.close()
	}
	if s.Direct && !s.watched && !s.Probing() && s.Rule() == nil {
		return s.ClientStream
	}
	return s
}

// ended is called by grpc when the stream is over or did not open.
func (s *stream) ended(err error) {
	err = s.brokenBy(err)
	s.settle(err)
	s.err = err
	if s.life.Swap(over) == open {
		s.close()
	}
}

// close ends the call, whose outcome is the stream's.
func (s *stream) close() {
	s.copies.end(false)
	s.reshapeHeader()
	if s.err != nil {
		o := outcomeOf(s.err, s.picked.trailer)
		if o.Code == call.DeadlineExceeded {
			runOut(s.Last().Ctx)
		}
		o.Canceled = s.Ctx.Err() == context.Canceled //nolint:errorlint // contexts return these very values
		s.Last().Outcome = o
	}
	s.Finish()
	s.tell(s.err)
}

// errVetoed ends a stream that grpc was about to repeat, because the policy forbids it, where only the stream knows what
// the peer said. It never reaches a caller.
var errVetoed = status.Error(codes.Unavailable, "intramesh: not repeated")

// SendMsg leaves it to RecvMsg to say why a stream has ended, as grpc does.
func (s *stream) SendMsg(m any) error {
	s.copies.send(m)
	if s.watched {
		s.Last().Moved()
	}
	err := s.ClientStream.SendMsg(m)
	if err != errVetoed { //nolint:errorlint // the very error that the picker gave
		return err
	}
	if s.desc.ClientStreams {
		return io.EOF
	}
	return nil
}

// CloseSend is the end of the copies' messages, too.
func (s *stream) CloseSend() error {
	s.copies.end(true)
	return s.ClientStream.CloseSend()
}

// RecvMsg tells the clock that the stream moves, and says so where the clock ended it.
func (s *stream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == errVetoed || err == io.EOF && s.repeats { //nolint:errorlint // the very errors of the picker and of grpc
		// What the peer said. grpc returns io.EOF, which is success, also where a stream that it repeated was over before
		// everything had been sent again; asked once more, it knows.
		err = s.ClientStream.RecvMsg(m)
	}
	if err == nil && s.Probing() {
		s.Alive()
	}
	if err == nil {
		err = s.spoil(m)
	}
	err = s.brokenBy(err)
	if err == nil && s.watched {
		s.Last().Moved()
	}
	if err == nil || err == io.EOF { //nolint:errorlint // grpc's very own
		return err
	}
	return s.ending(err)
}

// ending is the error of a stream that has ended: the peer's or grpc's, unless the mesh ended it.
func (s *stream) ending(err error) error {
	var own error
	switch status.Code(err) {
	case codes.Canceled:
		if s.watched {
			own = s.Last().IdledOut()
		}
	case codes.DeadlineExceeded:
		own = s.Last().Overran()
	}
	if own == nil {
		return err
	}
	return convert(own)
}

// Header is the header of the answer, with the changes that the route makes of it.
func (s *stream) Header() (metadata.MD, error) {
	md, err := s.ClientStream.Header()
	if md != nil {
		change(md, s.ResponseHeaders()) // it is a copy
	}
	return md, err
}
