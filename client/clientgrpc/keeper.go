package clientgrpc

import (
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/internal/stack"
)

// maxConnecting bounds the connections that a grpc.ClientConn makes at the same time. A picker that connects to whatever
// it is asked for opens hundreds for one call when nothing is ready.
const maxConnecting = 16

// patience is how long a call that has failed at the endpoints that are ready waits for one that is being connected to.
// A host that is gone takes until the connect timeout (10 s) to be found out.
const patience = time.Second

// retryAfter is how long an endpoint is left alone after a failed connection while calls fail because nothing is
// connected: the first interval of the back-off, from which it grows only while there are other endpoints.
const retryAfter = time.Second

// reconcile makes the connections be what they should be, and counts them.
func (lb *lb) reconcile(eps *stack.Endpoints) *tally {
	t := &tally{now: time.Now()}
	lb.conns.Range(func(_, v any) bool {
		c := v.(*conn)
		if c.node.Retired() {
			lb.drop(c)
			return true
		}
		t.add(c)
		return true
	})
	if lb.urgent.Swap(false) {
		lb.hurry(t)
	}
	lb.connectWanted(t)
	if eps != nil {
		lb.warm(eps.Nodes, t)
	}
	return t
}

// tally is what the connections amount to.
type tally struct {
	now        time.Time
	ready      []*stack.Node
	idle       []*conn
	failed     []*conn
	connecting int
	youngest   int64 // when the last of those connecting began
	retryAt    int64 // when the endpoints that failed may be connected to anew; 0: nobody waits for that
}

func (t *tally) add(c *conn) {
	switch c.State() {
	case connectivity.Ready:
		t.ready = append(t.ready, c.node)
	case connectivity.Connecting:
		t.connecting++
		t.youngest = max(t.youngest, c.since.Load())
	case connectivity.TransientFailure:
		t.failed = append(t.failed, c)
	default:
		t.idle = append(t.idle, c)
	}
}

// alarm is when the keeper must look again without any news: at the end of the patience for what is connecting while
// something else is ready, or when failed endpoints may be connected to anew.
func (t *tally) alarm() <-chan time.Time {
	at := t.retryAt
	if t.connecting > 0 && len(t.ready) > 0 {
		at = t.youngest + int64(patience)
	}
	left := time.Until(time.Unix(0, at))
	if left <= 0 {
		return nil
	}
	return time.After(left)
}

// hurry connects anew to endpoints that failed a while ago and that grpc would leave alone for up to 30 s: calls fail or
// wait because nothing is connected, and the servers may be back long since. A new SubConn begins its back-off anew.
func (lb *lb) hurry(t *tally) {
	if len(t.ready) > 0 || t.connecting > 0 {
		return
	}
	rest := t.failed[:0:0]
	for _, c := range t.failed {
		if at := c.since.Load() + int64(retryAfter); at > t.now.UnixNano() || t.connecting >= maxConnecting {
			t.retryAt = max(t.retryAt, at)
			rest = append(rest, c)
			continue
		}
		lb.drop(c)
		lb.connectTo(c.node, t)
	}
	t.failed = rest
	lb.urgent.Store(t.connecting == 0 && len(rest) > 0) // once more, after retryAfter
}

// connectWanted makes the connections that picks asked for, and makes those again that were in use when they were lost.
func (lb *lb) connectWanted(t *tally) {
	for _, c := range t.idle {
		if c.used.Swap(false) {
			lb.connect(c, t)
		}
	}
	lb.mu.Lock()
	wanted := lb.wanted
	lb.wanted = nil
	lb.mu.Unlock()
	for n := range wanted {
		if !n.Retired() {
			lb.connectTo(n, t)
		}
	}
}

// warm makes connections ahead, from a place that differs from client to client.
func (lb *lb) warm(nodes []*stack.Node, t *tally) {
	want := lb.feed.warm
	if lb.asked.Swap(false) {
		want = max(want, 1)
	}
	want = min(want, len(nodes))
	have := func() int { return len(t.ready) + len(t.failed) + t.connecting }
	if have() >= want {
		return
	}
	start := rand.IntN(len(nodes))
	for i := 0; i < len(nodes) && have() < want && t.connecting < maxConnecting; i++ {
		lb.connectTo(nodes[(start+i)%len(nodes)], t)
	}
}

func (lb *lb) connectTo(n *stack.Node, t *tally) {
	if t.connecting >= maxConnecting {
		return
	}
	c := lb.conn(n)
	if c == nil {
		var err error
		if c, err = lb.newConn(n); err != nil {
			return // the connection is closing
		}
		lb.conns.Store(n, c)
	}
	lb.connect(c, t)
}

func (lb *lb) connect(c *conn, t *tally) {
	if c.State() != connectivity.Idle || t.connecting >= maxConnecting {
		return
	}
	c.since.Store(t.now.UnixNano())
	c.state.Store(uint32(connectivity.Connecting))
	c.sc.Connect()
	t.connecting++
	t.youngest = max(t.youngest, c.since.Load())
}

func (lb *lb) drop(c *conn) {
	lb.conns.Delete(c.node)
	c.sc.Shutdown()
}

func (lb *lb) shutdown() {
	lb.conns.Range(func(_, v any) bool {
		lb.drop(v.(*conn))
		return true
	})
}
