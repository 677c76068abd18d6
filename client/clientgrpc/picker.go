package clientgrpc

import "google.golang.org/grpc/balancer"

// picker maps the fan-out's choice to a connection. The choice is made here, and not before grpc is called, because only
// here is it known which connections are ready; it is the fan-out's all the same, see [stack.Attempt.Choose].
//
// It returns UNAVAILABLE or nothing, as gRFC A54 asks, and never blocks. A call for which no connection is ready yet waits
// in grpc until one is, or until all have failed.
type picker struct{ lb *lb }

// Pick is called by grpc for every attempt, and again for each that it repeats by itself.
func (p *picker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	r, _ := info.Ctx.Value(rpcKey{}).(*rpc)
	if r == nil || r.dialer != p.lb.feed.dialer {
		return p.lb.home.pickAny()
	}
	if r.emitted == nil {
		r.emitted = p.lb.feed.emitted.Load()
	}
	if err := p.lb.feed.unsecured(r.Destination()); err != nil {
		return balancer.PickResult{}, r.refuse(err)
	}
	g := p.lb.group(r.Destination(), r.Start)
	if err := r.again(); err != nil {
		return balancer.PickResult{}, err
	}
	n, err := r.Last().Choose(g)
	if err != nil {
		return balancer.PickResult{}, r.notPicked(err, g)
	}
	c := g.conn(n)
	if c != nil {
		if ok, counted := c.take(); ok {
			return balancer.PickResult{SubConn: c.sc, Done: r.take(c, counted)}, nil
		}
	}
	return balancer.PickResult{}, balancer.ErrNoSubConnAvailable // it has just left or is used up; the picker is about to change
}
