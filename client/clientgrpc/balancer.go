package clientgrpc

import (
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/internal/stack"
)

// balancerName is how the service config names the balancer.
const balancerName = "intramesh"

// grpc knows balancers by a registry of the process alone; this is the one registration that the mesh makes.
func init() { balancer.Register(builder{}) }

type builder struct{}

func (builder) Name() string { return balancerName }

func (builder) Build(cc balancer.ClientConn, _ balancer.BuildOptions) balancer.Balancer {
	return &lb{cc: cc, wake: make(chan struct{}, 1), stop: make(chan struct{})}
}

// lb holds the connections of one grpc.ClientConn, in groups: one for each destination that its calls go to. It decides
// which to make and says which are ready; it does not choose. Its keeper, a goroutine, is the only one that makes and ends
// connections.
type lb struct {
	cc     balancer.ClientConn
	feed   *feed    // set once, before the keeper starts
	home   *group   // of the service that the target names; it stays as long as lb does
	groups sync.Map // *stack.Destination to *group: where routes lead elsewhere

	wake chan struct{}
	stop chan struct{}
	once sync.Once
	done sync.WaitGroup
}

// UpdateClientConnState starts the keeper at the first state; later ones only carry another service config.
func (lb *lb) UpdateClientConnState(s balancer.ClientConnState) error {
	f, ok := s.ResolverState.Attributes.Value(feedKey{}).(*feed)
	if !ok {
		return errors.New("clientgrpc: the balancer works only with targets of the scheme mesh")
	}
	if lb.feed == nil {
		lb.start(f)
		lb.done.Go(lb.keep)
	}
	return nil
}

func (lb *lb) start(f *feed) {
	lb.feed = f
	lb.home = newGroup(lb, f.dest)
}

// ResolverError has nothing to say: the resolver never fails once it is built.
func (lb *lb) ResolverError(error) {}

// UpdateSubConnState is not called: every SubConn has a listener.
func (lb *lb) UpdateSubConnState(balancer.SubConn, balancer.SubConnState) {}

// ExitIdle makes the keeper connect, to one endpoint of the target's service at least. Where there is no keeper yet there
// is nothing to connect to.
func (lb *lb) ExitIdle() {
	if lb.home != nil {
		lb.home.asked.Store(true)
		lb.home.touch(time.Now())
		lb.home.nudge()
	}
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
	for {
		// A channel that is closed need not be the one that select takes: what has changed is found out here.
		eps, changed := lb.home.dest.Watch()
		if eps != lb.home.told.eps {
			lb.home.dirty.Store(true)
		}
		identity, policy := lb.ruled()
		// Every publication wakes the calls that wait for a connection, and they may ask for one: without news there must
		// be none.
		news, next := lb.look(time.Now())
		if news {
			lb.publish()
		}
		select {
		case <-changed:
		case <-identity:
		case <-policy:
		case <-lb.wake:
		case <-after(next):
		case <-lb.stop:
			return
		}
	}
}

// after is a channel that speaks at a moment, in Unix nanoseconds; nil where there is none.
func after(at int64) <-chan time.Time {
	if at == 0 {
		return nil
	}
	return time.After(max(time.Until(time.Unix(0, at)), time.Nanosecond))
}

// look goes through the groups. It reports whether grpc is to be told, and when to look again at the latest; 0: not before
// there is a reason.
func (lb *lb) look(now time.Time) (news bool, next int64) {
	lb.each(func(g *group) {
		if g.unused(now) {
			g.drop()
			news = true // who waits for one of its connections has to ask for the group anew
			return
		}
		if g.look(now) {
			news = true
		}
		next = sooner(next, g.due())
	})
	return news, next
}

func (lb *lb) each(f func(*group)) {
	f(lb.home)
	lb.groups.Range(func(_, v any) bool {
		f(v.(*group))
		return true
	})
}

// publish tells grpc that something has changed. One group that is ready makes the whole ready: the others are for other
// calls.
func (lb *lb) publish() {
	state := connectivity.Idle
	lb.each(func(g *group) {
		if rank[g.state] > rank[state] {
			state = g.state
		}
	})
	lb.cc.UpdateState(balancer.State{ConnectivityState: state, Picker: &picker{lb}})
}

// rank says which state is told of several. That calls to one destination fail is news where nothing else goes on.
var rank = map[connectivity.State]int{connectivity.TransientFailure: 1, connectivity.Connecting: 2, connectivity.Ready: 3}

// group is the one for a destination, made where there is none yet.
func (lb *lb) group(d *stack.Destination, now time.Time) *group {
	g := lb.home
	if d != g.dest {
		if v, ok := lb.groups.Load(d); ok {
			g = v.(*group)
		} else {
			g = lb.newcomer(d)
		}
	}
	g.touch(now)
	return g
}

func (lb *lb) newcomer(d *stack.Destination) *group {
	g := newGroup(lb, d)
	g.touch(time.Now()) // the call may have waited for long
	v, _ := lb.groups.LoadOrStore(d, g)
	lb.nudge()
	return v.(*group)
}

func (lb *lb) shutdown() { lb.each((*group).drop) }
