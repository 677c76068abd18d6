package clientgrpc

import (
	"errors"
	"fmt"
	"slices"
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

// lb holds the connections of one grpc.ClientConn to the endpoints of its destination. It decides which to make and says
// which are ready; it does not choose. Its keeper, a goroutine, is the only one that makes and ends connections.
type lb struct {
	cc      balancer.ClientConn
	feed    *feed    // set once, before the keeper starts
	conns   sync.Map // *stack.Node to *conn
	ready   atomic.Pointer[readySet]
	failed  atomic.Int64 // connections that nobody waits for, having failed too often
	lastErr atomic.Pointer[error]
	changes atomic.Uint64 // counts what may matter to calls that wait
	asked   atomic.Bool   // the caller wants to be connected (grpc.ClientConn.Connect)
	urgent  atomic.Bool   // calls fail because nothing is connected

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

// ExitIdle makes the keeper connect, to one endpoint at least.
func (lb *lb) ExitIdle() {
	lb.asked.Store(true)
	lb.nudge()
}

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
	var told news
	for {
		now := news{once: true, changes: lb.changes.Load()}
		var changed <-chan struct{}
		now.eps, changed = lb.feed.dest.Watch()
		renewed := lb.renewed()
		count := lb.reconcile(now.eps)
		// Every publication wakes the calls that wait for a connection, and they may ask for one: without news there must
		// be none.
		if told != now {
			lb.publish(count, now.eps, told.eps != now.eps)
			told = now
		}
		select {
		case <-changed:
		case <-renewed:
		case <-lb.wake:
		case <-count.alarm():
			lb.changes.Add(1)
		case <-lb.stop:
			return
		}
	}
}

// news is what grpc was last told.
type news struct {
	once    bool
	changes uint64
	eps     *stack.Endpoints
}

// publish tells grpc what is ready. Weights may have changed where the endpoints have.
func (lb *lb) publish(t *tally, eps *stack.Endpoints, weights bool) {
	if weights || !slices.Equal(lb.ready.Load().nodes, t.ready) {
		lb.ready.Store(&readySet{nodes: t.ready, picker: lb.feed.dest.PickerOf(t.ready)})
	}
	lb.failed.Store(t.hopeless())
	state := connectivity.Idle
	switch {
	case len(t.ready) > 0:
		state = connectivity.Ready
	case t.connecting > 0, eps == nil:
		state = connectivity.Connecting
	case len(t.failed) > 0, len(eps.Nodes) == 0:
		state = connectivity.TransientFailure
	}
	lb.cc.UpdateState(balancer.State{ConnectivityState: state, Picker: &picker{lb}})
}

// hasten makes the keeper connect to what has failed.
func (lb *lb) hasten() {
	lb.urgent.Store(true)
	lb.nudge()
}

// trouble is the reason why nothing can be connected to. Being no status it lets calls with WaitForReady wait. That a
// call fails for it makes the keeper hurry.
func (lb *lb) trouble(err error) error {
	lb.hasten()
	if last := lb.lastErr.Load(); last != nil {
		return fmt.Errorf("%w: %w", err, *last)
	}
	return err
}
