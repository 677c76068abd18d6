package clientgrpc

import (
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/internal/stack"
)

// maxConnecting bounds the connections that a grpc.ClientConn makes to one destination at the same time. A picker that connects to whatever
// it is asked for opens hundreds for one call when nothing is ready.
const maxConnecting = 16

// patience is how long a call that has failed at the endpoints that are ready waits for one that is being connected to.
// A host that is gone takes until the connect timeout (10 s) to be found out.
const patience = time.Second

// While calls fail or wait because nothing is connected, an endpoint is connected to anew after firstRest, then after twice
// that, and so on up to maxRest. Calls wait for that until it has failed hopelessAfter times in a row; from then on they
// fail at once until it is ready, as grpc does from the first failure on. So a server that is restarted is found again when
// it listens, and what is down costs no time. While there is another endpoint grpc's own back-off holds, which ends at 30 s.
const (
	firstRest     = 10 * time.Millisecond
	maxRest       = time.Second
	hopelessAfter = 4
)

// rest is how long the endpoint is left alone after its last failure.
func (c *conn) rest() time.Duration {
	return min(firstRest<<min(max(c.fails.Load()-1, 0), 10), maxRest)
}

func (c *conn) hopeless() bool { return c.fails.Load() >= hopelessAfter }

// reconcile makes the connections be what they should be, and counts them.
func (g *group) reconcile(eps *stack.Endpoints) *tally {
	t := &tally{now: time.Now(), ready: make([]*stack.Node, 0, len(g.ready.Load().nodes)+1)}
	if g.lb.feed.unsecured(g.dest) != nil {
		g.closeAll()
		return t
	}
	g.renew()
	g.seeOff()
	g.conns.Range(func(_, v any) bool {
		c := v.(*conn)
		if c.node.Retired() {
			g.close(c)
			return true
		}
		t.add(c)
		return true
	})
	if g.urgent.Swap(false) {
		g.hurry(t)
	}
	g.connectWanted(t)
	if eps != nil && g.used.Load() != 0 {
		g.warm(eps.Nodes, t)
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
	checkAt    int64 // when one that is ready has to be looked at; 0: never
	retryAt    int64 // when the endpoints that failed may be connected to anew; 0: nobody waits for that
}

func (t *tally) add(c *conn) {
	switch c.State() {
	case connectivity.Ready:
		t.ready = append(t.ready, c.node)
		if in := c.due(clock()); in > 0 {
			t.checkAt = sooner(t.checkAt, t.now.Add(in).UnixNano())
		}
	case connectivity.Connecting:
		t.connecting++
		t.youngest = max(t.youngest, c.since.Load())
	case connectivity.TransientFailure:
		t.failed = append(t.failed, c)
	default:
		t.idle = append(t.idle, c)
	}
}

// connected is how many connections there are, or are being made, or have failed.
func (t *tally) connected() int { return len(t.ready) + len(t.failed) + t.connecting }

// hopeless is how many have failed so often that no call waits for them.
func (t *tally) hopeless() (n int64) {
	for _, c := range t.failed {
		if c.hopeless() {
			n++
		}
	}
	return n
}

// alarm is when the keeper must look again without any news, in Unix nanoseconds: at the end of the patience for what is
// connecting while something else is ready, or when failed endpoints may be connected to anew. 0: never, or it is past.
func (t *tally) alarm() int64 {
	at := t.retryAt
	if t.connecting > 0 && len(t.ready) > 0 {
		at = t.youngest + int64(patience)
	}
	if at <= time.Now().UnixNano() {
		return 0
	}
	return at
}

// hurry connects anew to endpoints that failed and that grpc would leave alone: calls fail or wait because nothing is
// connected, and the servers may be back long since. A new SubConn begins grpc's back-off anew.
func (g *group) hurry(t *tally) {
	if len(t.ready) > 0 {
		return
	}
	failed := t.failed
	t.failed = nil
	for _, c := range failed {
		if at := c.since.Load() + int64(c.rest()); at > t.now.UnixNano() || t.connecting >= maxConnecting {
			t.failed = append(t.failed, c)
			if t.retryAt == 0 || at < t.retryAt {
				t.retryAt = at
			}
			continue
		}
		g.close(c)
		g.connectTo(c.node, t, c.fails.Load())
	}
	g.urgent.Store(t.connecting == 0 && len(t.failed) > 0) // once more, at retryAt
}

// connectWanted makes the connections that picks asked for, and makes those again that were in use when they were lost.
func (g *group) connectWanted(t *tally) {
	for _, c := range t.idle {
		if t.connecting >= maxConnecting {
			break // there is news when they are ready, or have failed
		}
		if c.used.Swap(false) {
			g.connect(c, t)
		}
	}
	g.mu.Lock()
	wanted := g.wanted
	g.wanted = nil
	g.mu.Unlock()
	if len(wanted) > 0 && t.connected() == 0 {
		g.rested = false
	}
	for n := range wanted {
		if !n.Retired() {
			g.connectTo(n, t, 0)
		}
	}
}

// warm makes connections ahead, from a place that differs from client to client.
func (g *group) warm(nodes []*stack.Node, t *tally) {
	want := g.lb.feed.warm
	if g.rested && g.present().idle > 0 {
		want = 0
	}
	if g.asked.Swap(false) {
		want = max(want, 1)
	}
	want = min(want, len(nodes))
	if t.connected() >= want {
		return
	}
	start := rand.IntN(len(nodes))
	for i := 0; i < len(nodes) && t.connected() < want && t.connecting < maxConnecting; i++ {
		g.connectTo(nodes[(start+i)%len(nodes)], t, 0)
	}
}

// connectTo connects to an endpoint; a connection that is made for that begins with so many failures.
func (g *group) connectTo(n *stack.Node, t *tally, fails int32) {
	if t.connecting >= maxConnecting {
		return
	}
	c := g.conn(n)
	if c == nil {
		var err error
		if c, err = g.newConn(n); err != nil {
			return // the connection is closing
		}
		c.fails.Store(fails)
		g.conns.Store(n, c)
	}
	g.connect(c, t)
}

func (g *group) connect(c *conn, t *tally) {
	if c.State() != connectivity.Idle || t.connecting >= maxConnecting {
		return
	}
	g.begin(c)
	t.connecting++
	t.youngest = max(t.youngest, c.since.Load())
}

// begin starts an attempt to connect.
func (g *group) begin(c *conn) {
	c.anew()
	c.terms.Store(g.present())
	c.since.Store(time.Now().UnixNano())
	c.state.Store(uint32(connectivity.Connecting))
	c.sc.Connect()
}

func (g *group) closeAll() {
	g.conns.Range(func(_, v any) bool {
		g.close(v.(*conn))
		return true
	})
	for _, c := range g.parted {
		c.sc.Shutdown()
	}
	g.parted = nil
}

func (g *group) close(c *conn) {
	g.conns.Delete(c.node)
	c.sc.Shutdown()
	if c.next != nil {
		c.next.sc.Shutdown()
	}
}
