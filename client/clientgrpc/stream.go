package clientgrpc

import (
	"context"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/intramesh/intramesh/internal/stack"
)

// stream is one streaming call. The fan-out sees to its opening; what grpc does to replay it before the response headers
// goes through the picker.
type stream struct {
	rpc
	desc   *grpc.StreamDesc
	create grpc.Streamer
	opts   []grpc.CallOption
	life   atomic.Int32
}

// The life of a stream: it may be over before its opening has returned.
const (
	opening int32 = iota
	open
	over
)

// stream is the interceptor.
func (d *dialer) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, create grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	s := &stream{desc: desc, create: create, opts: opts}
	s.start(ctx, d, cc, method)
	s.Wire, s.Streaming = s, true
	if err := d.core.Do(&s.Call); err != nil {
		return nil, convert(err)
	}
	a := s.Last()
	if a.Outcome.Err != nil {
		s.Finish()
		return nil, a.Outcome.Err
	}
	if !s.life.CompareAndSwap(opening, open) {
		s.Finish()
	}
	cs := a.Reply.(grpc.ClientStream)
	if a.WatchBody() {
		cs = &watchedStream{ClientStream: cs, attempt: a}
	}
	return cs, nil
}

// Try opens the stream. grpc calls the finish option exactly once: when the stream is over, or when it could not be
// opened, which is the fan-out's to deal with.
func (s *stream) Try(a *stack.Attempt) {
	s.life.Store(opening)
	opts := append(slices.Clip(s.opts), grpc.OnFinish(func(error) {
		if s.life.Swap(over) == open {
			s.Finish()
		}
	}))
	cs, err := s.create(s.outgoing(a), s.desc, s.conn, s.Method, opts...)
	a.Outcome = s.outcome(err)
	if err == nil {
		a.Reply = cs
	}
}

// Drop has nothing to give up: a stream that did not open is over.
func (s *stream) Drop(*stack.Attempt) {}

// watchedStream tells the attempt's clock that the stream moves, and says so where the clock ended it.
type watchedStream struct {
	grpc.ClientStream
	attempt *stack.Attempt
}

func (w *watchedStream) SendMsg(m any) error {
	w.attempt.Moved()
	return w.ClientStream.SendMsg(m)
}

func (w *watchedStream) RecvMsg(m any) error {
	err := w.ClientStream.RecvMsg(m)
	if err == nil {
		w.attempt.Moved()
		return nil
	}
	if idle := w.attempt.IdledOut(); idle != nil {
		return convert(idle)
	}
	return err
}
