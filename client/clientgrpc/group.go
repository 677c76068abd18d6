package clientgrpc

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/stack"
)

// unusedAfter is how long a group is kept that no call goes to: as long as grpc by default keeps a connection without calls.
const unusedAfter = 30 * time.Minute

// group is the connections of a grpc.ClientConn to the endpoints of one destination. Groups know nothing of each other: who
// waits for a connection of one neither fails nor waits because of another.
type group struct {
	lb   *lb
	dest *stack.Destination

	conns   sync.Map // *stack.Node to *conn
	ready   atomic.Pointer[readySet]
	failed  atomic.Int64 // connections that nobody waits for, having failed too often
	lastErr atomic.Pointer[error]
	changes atomic.Uint64 // counts what may matter to calls that wait
	dirty   atomic.Bool   // something has changed since the keeper looked
	asked   atomic.Bool   // the caller wants to be connected (grpc.ClientConn.Connect)
	urgent  atomic.Bool   // calls fail because nothing is connected
	used    atomic.Int64  // when a call last went here, in Unix seconds; 0: not yet

	mu     sync.Mutex
	wanted map[*stack.Node]struct{} // asked for and not yet looked at

	// What follows is the keeper's.
	told   news
	state  connectivity.State
	terms  *terms        // of now, as the keeper last saw them; nil: it has not
	alarm  int64         // when it has to be looked at without any news, in Unix nanoseconds; 0: never
	check  int64         // when a connection of it has been idle or in use for as long as it may, likewise
	rested bool          // connections were closed for being idle: none is made ahead until calls find none at all
	parted []*conn       // those that were replaced while calls were under way on them
	gone   chan struct{} // ends the watcher; nil while there is none
}

// readySet is the connections that are ready at one moment.
type readySet struct {
	nodes  []*stack.Node
	picker balance.Picker
}

// news is what grpc was last told.
type news struct {
	once    bool
	changes uint64
	eps     *stack.Endpoints
}

func newGroup(lb *lb, d *stack.Destination) *group {
	g := &group{lb: lb, dest: d}
	g.ready.Store(&readySet{})
	g.dirty.Store(true)
	return g
}

// nudge makes the keeper look at the group. It never blocks.
func (g *group) nudge() {
	g.dirty.Store(true)
	g.lb.nudge()
}

// touch notes that calls go here, to the second. Before the first one no connection is made: where routes lead all calls
// elsewhere, those to the service that the target names would serve nobody.
func (g *group) touch(now time.Time) {
	t, last := now.Unix(), g.used.Load()
	if last >= t {
		return
	}
	g.used.Store(t)
	if last == 0 {
		g.nudge()
	}
}

// unused reports whether no call has gone here for long. The target's own service stays.
func (g *group) unused(now time.Time) bool { return g != g.lb.home && now.Unix() >= g.unusedAt() }

func (g *group) unusedAt() int64 { return g.used.Load() + int64(unusedAfter/time.Second) }

// due is when the group has to be looked at; 0: not before there is a reason.
func (g *group) due() int64 {
	at := sooner(g.alarm, g.check)
	if g == g.lb.home {
		return at
	}
	return sooner(at, time.Unix(g.unusedAt(), 0).UnixNano())
}

// sooner is the earlier one of two moments of which 0 is never.
func sooner(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// hasten makes the keeper connect to what has failed.
func (g *group) hasten() {
	g.urgent.Store(true)
	g.nudge()
}

// trouble is the reason why nothing can be connected to. Being no status it lets calls with WaitForReady wait. That a
// call fails for it makes the keeper hurry.
func (g *group) trouble(err error) error {
	g.hasten()
	if last := g.lastErr.Load(); last != nil {
		return fmt.Errorf("%w: %w", err, *last)
	}
	return err
}
