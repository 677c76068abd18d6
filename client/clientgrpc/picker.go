package clientgrpc

import (
	"errors"

	"google.golang.org/grpc/balancer"

	"github.com/intramesh/intramesh/internal/stack"
)

// picker maps the fan-out's choice to a connection. The choice is made here, and not before grpc is called, because only
// here is it known which connections are ready; it is the fan-out's all the same, see [stack.Attempt.Choose].
//
// It returns UNAVAILABLE or nothing, as gRFC A54 asks, and never blocks. A call for which no connection is ready yet waits
// in grpc until one is, or until all have failed.
type picker struct{ lb *lb }

// Pick is called by grpc for every attempt, and again for each that it repeats by itself.
func (p *picker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	r, _ := info.Ctx.Value(rpcKey{}).(*rpc)
	if r == nil || r.Destination() != p.lb.feed.dest {
		return p.lb.pickAny()
	}
	if err := r.again(); err != nil {
		return balancer.PickResult{}, err
	}
	n, err := r.Last().Choose(p.lb)
	if err != nil {
		return balancer.PickResult{}, r.notPicked(err, p.lb)
	}
	c := p.lb.conn(n)
	if c == nil {
		return balancer.PickResult{}, balancer.ErrNoSubConnAvailable // it has just left; the picker is about to change
	}
	r.take(n)
	return balancer.PickResult{SubConn: c.sc, Done: r.done}, nil
}

// again is asked when grpc picks a second time within an attempt. Where grpc repeats a stream by its retryPolicy, the policy and
// its budget have the last word: a retry that they forbid ends with what the peer said. That status may be returned from
// here since it is one of the codes that the retryPolicy names, none of which gRFC A54 forbids.
func (r *rpc) again() error {
	p := &r.picked
	if !p.over {
		return nil
	}
	p.over = false
	a := r.Last()
	if r.Streaming && p.sent && p.err != nil && !a.Permit(outcomeOf(p.err, p.trailer)) {
		return p.err
	}
	a.Lose()
	return nil
}

// notPicked says for grpc what the choice came to.
func (r *rpc) notPicked(err error, lb *lb) error {
	if errors.Is(err, stack.ErrWait) {
		return balancer.ErrNoSubConnAvailable // grpc asks again when the connections change
	}
	r.picked.failed = true
	if errors.Is(err, stack.ErrNotConnected) {
		return lb.trouble(err)
	}
	return err
}
