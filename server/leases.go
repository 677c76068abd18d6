package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

const (
	leaveTime = 5 * time.Second // bounds Leave after a drain
	shortTime = time.Second     // bounds it where there is no grace
)

// leases are the instances that a server has announced. They follow its drain.
type leases struct {
	log  *slog.Logger
	time time.Duration // bounds Leave after a drain

	mu   sync.Mutex
	over bool // a drain has begun
	all  map[*instance]struct{}
	work sync.WaitGroup // calls of Register and Leave; grows only while over is false, or by end
}

func newLeases(log *slog.Logger, drainTimeout time.Duration) *leases {
	return &leases{log: log, time: min(leaveTime, drainTimeout), all: make(map[*instance]struct{})}
}

// instance is one of them, from the call of Register on.
type instance struct {
	service, addr string
	lease         discovery.Lease    // nil while it is being registered
	cancel        context.CancelFunc // ends Register, later Lease.Drain
	drained       chan struct{}      // closed when Lease.Drain has returned; nil before the drain
}

// enter begins to register an instance, unless a drain has begun.
func (l *leases) enter(in *instance) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.all[in] = struct{}{}
	l.work.Add(1)
	return true
}

// entered is called when that is done, whatever came of it.
func (l *leases) entered(in *instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if in.lease == nil {
		delete(l.all, in)
	}
	l.work.Done()
}

// keep takes the lease of an instance. One that comes after the beginning of a drain leaves at once.
func (l *leases) keep(in *instance, lease discovery.Lease) bool {
	l.mu.Lock()
	late := l.over
	if !late {
		in.lease = lease
	}
	l.mu.Unlock()
	if late {
		ctx, cancel := context.WithTimeout(context.Background(), shortTime)
		defer cancel()
		l.report(in, "an instance was not deregistered", lease.Leave(ctx))
	}
	return !late
}

// begin is called when the drain begins, and does not wait for registries.
func (l *leases) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for in := range l.all {
		if in.lease == nil {
			in.cancel()
			continue
		}
		var ctx context.Context
		ctx, in.cancel = context.WithCancel(context.Background())
		in.drained = make(chan struct{})
		go func() {
			defer close(in.drained)
			l.report(in, "an instance was not taken out of service", in.lease.Drain(ctx))
		}()
	}
}

// end is called when all servers have stopped. The end of ctx takes the grace away.
func (l *leases) end(ctx context.Context) {
	grace, cancel := l.grace(ctx)
	defer cancel()
	l.mu.Lock()
	for in := range l.all {
		if in.lease == nil {
			continue // its Register was told to end, and leaves by itself
		}
		in.cancel()
		l.work.Go(func() {
			<-in.drained // so that nothing is said of the instance after Leave
			l.report(in, "an instance was not deregistered", in.lease.Leave(grace))
		})
	}
	l.mu.Unlock()
	l.await(grace)
}

// grace is the time to leave in.
func (l *leases) grace(ctx context.Context) (context.Context, context.CancelFunc) {
	grace, cancel := context.WithTimeout(context.Background(), l.time)
	stop := context.AfterFunc(ctx, func() {
		short := time.NewTimer(shortTime)
		defer short.Stop()
		select {
		case <-short.C:
			cancel()
		case <-grace.Done():
		}
	})
	return grace, func() { stop(); cancel() }
}

// await waits until everything has left. A Registrar that does not heed its context, as it must, is not waited for.
func (l *leases) await(grace context.Context) {
	left := make(chan struct{})
	go func() {
		l.work.Wait()
		close(left)
	}()
	select {
	case <-left:
		return
	case <-grace.Done():
	}
	over := time.NewTimer(shortTime)
	defer over.Stop()
	select {
	case <-left:
	case <-over.C:
		l.log.Warn("intramesh: a registry does not let go; it is not waited for any more")
	}
}

func (l *leases) report(in *instance, what string, err error) {
	if err != nil {
		l.log.Warn("intramesh: "+what,
			slog.String("service", in.service), slog.String("address", in.addr), slog.Any("error", err))
	}
}
