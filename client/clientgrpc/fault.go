package clientgrpc

import (
	"errors"
	"io"
	"math"
	"syscall"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// Answer stands in for a server's status, as the policy has it.
func (r *rpc) Answer(a *stack.Attempt, answer *call.Answer) {
	r.picked = picked{}
	if answer == nil {
		s := status.FromContextError(a.Ctx.Err())
		a.Outcome = call.Outcome{Err: s.Err(), Code: call.Code(s.Code())}
		return
	}
	a.Outcome = call.Outcome{Err: convert(a.Spoilt(nil, answer.Code)), Code: answer.Code}
}

// spoiler is the faults of an attempt's messages, in force.
type spoiler struct {
	attempt *stack.Attempt
	faults  []traffic.BodyFault
	got     int64 // bytes of messages so far
}

// spoilerOf is nil where the attempt has no such faults.
func spoilerOf(a *stack.Attempt) *spoiler {
	faults := a.Spoilers()
	if len(faults) == 0 {
		return nil
	}
	a.Spoil()
	return &spoiler{attempt: a, faults: faults}
}

// What a caller finds behind a [client.Error] that stands for a fault of the messages.
var (
	errUnreadable = errors.New("a message cannot be read")
	errTruncated  = io.ErrUnexpectedEOF
	errReset      = syscall.ECONNRESET
)

// message is what becomes of one that has arrived. The codes are those that grpc gives for the real thing.
func (s *spoiler) message(m any) error {
	size := sizeOf(m)
	s.got += size
	for i := range s.faults {
		f := &s.faults[i]
		switch {
		case f.Corrupt > 0 && s.corrupts(f.Corrupt, size):
			return convert(s.attempt.Spoilt(errUnreadable, call.Internal))
		case f.TruncateAfter != nil && s.got > *f.TruncateAfter:
			return convert(s.attempt.Spoilt(errTruncated, call.Internal))
		case f.ResetAfter != nil && s.got > *f.ResetAfter:
			return convert(s.attempt.Spoilt(errReset, call.Unavailable))
		case f.BytesPerSecond > 0:
			if err := s.wait(size, f.BytesPerSecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// corrupts says whether one byte at least of a message is changed.
func (s *spoiler) corrupts(share float64, size int64) bool {
	return s.attempt.Chance() < 1-math.Pow(1-share, float64(size))
}

// wait takes the time that the bytes would have taken.
func (s *spoiler) wait(size, rate int64) error {
	d := time.Duration(float64(size) / float64(rate) * float64(time.Second))
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	ctx := s.attempt.Ctx
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// sizeOf is the length of a message in bytes as it travels, without compression and framing; 0 for what is no protobuf.
func sizeOf(m any) int64 {
	switch m := m.(type) {
	case proto.Message:
		return int64(proto.Size(m))
	case protoadapt.MessageV1:
		return int64(proto.Size(protoadapt.MessageV2Of(m)))
	}
	return 0
}

// spoil has the faults of the messages act on a unary call's reply.
func (u *unary) spoil(a *stack.Attempt, err error) error {
	if err != nil {
		return err
	}
	if s := spoilerOf(a); s != nil {
		return s.message(u.reply)
	}
	return nil
}

// spoil has them act on a message that the stream has received. One that breaks the stream gives it up.
func (s *stream) spoil(m any) error {
	if s.spoiler == nil {
		return nil
	}
	err := s.spoiler.message(m)
	if err != nil && s.spoiler.attempt.Ctx.Err() == nil {
		s.broken.CompareAndSwap(nil, &err)
		s.spoiler.attempt.End()
	}
	return err
}

// brokenBy is the fault that has broken the stream; err where none has.
func (s *stream) brokenBy(err error) error {
	if by := s.broken.Load(); by != nil {
		return *by
	}
	return err
}
