package clientgrpc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/stack"
)

// balancerName is how the service config names the balancer.
const balancerName = "intramesh"

// grpc knows balancers by a registry of the process alone; this is the one registration that the mesh makes.
func init() { balancer.Register(builder{}) }

type builder struct{}

func (builder) Name() string { return balancerName }

func (builder) Build(cc balancer.ClientConn, _ balancer.BuildOptions) balancer.Balancer {
	lb := &lb{cc: cc, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	lb.ready.Store(&readySet{})
	return lb
}

// maxConnecting bounds the connections that a grpc.ClientConn makes at the same time. A picker that connects to whatever
// it is asked for opens hundreds for one call when nothing is ready.
const maxConnecting = 16

// lb holds the connections of one grpc.ClientConn to the endpoints of its destination. It decides which to make and says
// which are ready; it does not choose. Its keeper, a goroutine, is the only one that makes and ends connections.
type lb struct {
	cc      balancer.ClientConn
	feed    *feed    // set once, before the keeper starts
	conns   sync.Map // *stack.Node to *conn
	ready   atomic.Pointer[readySet]
	failed  atomic.Int64 // connections in TRANSIENT_FAILURE
	lastErr atomic.Pointer[error]
	changes atomic.Uint64 // counts what grpc said of connections

	mu     sync.Mutex
	wanted map[*stack.Node]struct{} // asked for and not yet looked at
	wake   chan struct{}
	stop   chan struct{}
	once   sync.Once
	done   sync.WaitGroup
}

// readySet is the connections that are ready at one moment.
type readySet struct {
	nodes  []*stack.Node
	picker balance.Picker
}

// UpdateClientConnState starts the keeper at the first state; later ones only carry another service config.
func (lb *lb) UpdateClientConnState(s balancer.ClientConnState) error {
	f, ok := s.ResolverState.Attributes.Value(feedKey{}).(*feed)
	if !ok {
		return errors.New("clientgrpc: the balancer works only with targets of the scheme mesh")
	}
	if lb.feed == nil {
		lb.feed = f
		lb.done.Go(lb.keep)
	}
	return nil
}

// ResolverError has nothing to say: the resolver never fails once it is built.
func (lb *lb) ResolverError(error) {}

// UpdateSubConnState is not called: every SubConn has a listener.
func (lb *lb) UpdateSubConnState(balancer.SubConn, balancer.SubConnState) {}

// ExitIdle makes the keeper look for connections to make.
func (lb *lb) ExitIdle() { lb.nudge() }

// Close ends the keeper and its connections.
func (lb *lb) Close() {
	lb.once.Do(func() { close(lb.stop) })
	lb.done.Wait()
}

// nudge makes the keeper look again. It never blocks.
func (lb *lb) nudge() {
	select {
	case lb.wake <- struct{}{}:
	default:
	}
}

// keep makes the connections that are wanted, ends those to endpoints that have gone, and tells grpc what is ready.
func (lb *lb) keep() {
	defer lb.shutdown()
	var told struct { // when grpc was last told
		once    bool
		changes uint64
		eps     *stack.Endpoints
	}
	for {
		changes := lb.changes.Load()
		eps, changed := lb.feed.dest.Watch()
		count := lb.reconcile(eps)
		// Every publication wakes the calls that wait for a connection, and they may ask for one: without news there must
		// be none.
		if !told.once || told.changes != changes || told.eps != eps {
			told.once, told.changes, told.eps = true, changes, eps
			lb.publish(count, eps)
		}
		select {
		case <-changed:
		case <-lb.wake:
		case <-lb.stop:
			return
		}
	}
}

// reconcile makes the connections be what they should be, and counts them.
func (lb *lb) reconcile(eps *stack.Endpoints) *tally {
	count := new(tally)
	lb.conns.Range(func(_, v any) bool {
		c := v.(*conn)
		if c.node.Retired() {
			lb.drop(c)
			return true
		}
		count.add(c)
		return true
	})
	lb.connectWanted(count)
	if eps != nil {
		lb.warm(eps.Nodes, count)
	}
	return count
}

// tally is what the connections amount to.
type tally struct {
	ready              []*stack.Node
	idle               []*conn
	connecting, failed int
}

func (t *tally) add(c *conn) {
	switch c.State() {
	case connectivity.Ready:
		t.ready = append(t.ready, c.node)
	case connectivity.Connecting:
		t.connecting++
	case connectivity.TransientFailure:
		t.failed++
	default:
		t.idle = append(t.idle, c)
	}
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
	want := min(lb.feed.warm, len(nodes))
	if have := len(t.ready) + t.connecting + t.failed; have >= want {
		return
	}
	start := rand.IntN(len(nodes))
	for i := 0; i < len(nodes) && len(t.ready)+t.connecting+t.failed < want; i++ {
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
	if c.State() == connectivity.Idle && t.connecting < maxConnecting {
		c.state.Store(uint32(connectivity.Connecting))
		c.sc.Connect()
		t.connecting++
	}
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

// publish tells grpc what is ready.
func (lb *lb) publish(t *tally, eps *stack.Endpoints) {
	if !same(lb.ready.Load().nodes, t.ready) {
		lb.ready.Store(&readySet{nodes: t.ready, picker: lb.feed.dest.PickerOf(t.ready)})
	}
	lb.failed.Store(int64(t.failed))
	state := connectivity.Idle
	switch {
	case len(t.ready) > 0:
		state = connectivity.Ready
	case t.connecting > 0, eps == nil:
		state = connectivity.Connecting
	case t.failed > 0, len(eps.Nodes) == 0:
		state = connectivity.TransientFailure
	}
	lb.cc.UpdateState(balancer.State{ConnectivityState: state, Picker: &picker{lb}})
}

// same reports whether two ready sets hold the same nodes in the same order.
func same(a, b []*stack.Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// trouble is the reason why nothing can be connected to. Being no status it lets calls with WaitForReady wait.
func (lb *lb) trouble(err error) error {
	if last := lb.lastErr.Load(); last != nil {
		return fmt.Errorf("%w: %w", err, *last)
	}
	return err
}
