package clientgrpc

import (
	"reflect"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// shadow is what copies of a call are made of, but for its messages.
type shadow struct {
	dialer    *dialer
	conn      *grpc.ClientConn
	method    string // as the server sees it
	authority string
	vouched   bool // that is a service's name or a route's, and not one of the caller's choice
	direct    bool
	ops       []traffic.HeaderOp
	opts      []grpc.CallOption
}

// shadow takes what does not change from the call. What its options tell the caller is not the copies' to tell.
func (r *rpc) shadow() *shadow {
	authority := r.authority()
	vouched := authority == r.Service
	if to := r.rewritten(); to != "" {
		authority, vouched = to, true
	}
	return &shadow{
		dialer: r.dialer, conn: r.conn, method: r.sent, authority: stack.Shadow(authority), vouched: vouched,
		direct: r.Direct, ops: r.RequestHeaders(),
		// What grpc keeps no room for it does not repeat.
		opts: append(slices.DeleteFunc(slices.Clone(r.opts), tells), grpc.MaxRetryRPCBufferSize(0)),
	}
}

// tells holds for options that write to the caller's variables, and for the authority.
func tells(o grpc.CallOption) bool {
	switch o.(type) {
	case grpc.HeaderCallOption, grpc.TrailerCallOption, grpc.PeerCallOption, grpc.OnFinishCallOption, grpc.AuthorityOverrideCallOption:
		return true
	}
	return false
}

// begin makes r a copy.
func (s *shadow) begin(r *rpc, m *stack.Copy) {
	if len(s.ops) > 0 {
		m.Ctx = reshaped(m.Ctx, s.ops, nil)
	}
	r.dialer, r.conn, r.opts, r.shadowed = s.dialer, s.conn, s.opts, s
	r.Protocol, r.Method, r.sent = call.GRPC, s.method, s.method
	r.Direct, r.ChoosesLate = s.direct, true
}

// readdress gives the copy its authority, which the identity of its destination answers for.
func (s *shadow) readdress(r *rpc) {
	if s.vouched {
		s.dialer.vouched.add(voucher{r.Destination().Name, s.authority})
	}
	r.opts = append(slices.Clip(r.opts), grpc.CallAuthority(s.authority))
}

// Copy takes from the call what its copies need. The message is copied here: its caller may change it when the call is over.
func (u *unary) Copy(cs *stack.Copies) {
	req, answer := cloned(u.req), typeOf(u.reply)
	if req == nil || answer == nil {
		cs.Drop(stack.CopyMessage)
		return
	}
	if !cs.Hold(sizeOf(req)) {
		return
	}
	s, invoke := u.shadow(), u.invoke
	cs.Send(func(m *stack.Copy) {
		c := &unary{invoke: invoke, req: req, reply: reflect.New(answer).Interface()}
		c.Wire = c
		s.begin(&c.rpc, m)
		if m.Do(&c.Call) == nil {
			c.Finish()
		}
	})
}

// cloned is a copy of a message; nil for what is no protobuf.
func cloned(m any) any {
	switch m := m.(type) {
	case proto.Message:
		return proto.Clone(m)
	case protoadapt.MessageV1:
		return protoadapt.MessageV1Of(proto.Clone(protoadapt.MessageV2Of(m)))
	}
	return nil
}

// typeOf is the type of a message behind its pointer; nil for what is no protobuf.
func typeOf(m any) reflect.Type {
	switch m.(type) {
	case proto.Message, protoadapt.MessageV1:
		if t := reflect.TypeOf(m); t.Kind() == reflect.Pointer {
			return t.Elem()
		}
	}
	return nil
}
