package stack

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// ServeStopper is a server that a drain ends; an *http.Server is one.
type ServeStopper interface {
	// Shutdown takes no new work, and returns when the work in hand is done, or with an error when ctx has ended.
	Shutdown(ctx context.Context) error
	// Close ends at once whatever is left. It may be called again.
	Close() error
}

// ServeWait waits for d or until ctx ends.
type ServeWait func(ctx context.Context, d time.Duration)

// The phases of a drain, in their order.
const (
	serveReady    int32 = iota
	serveLeaving        // not ready, and serving as before: the news has to reach balancers and registries
	serveWinding        // serving, and each answer asks its client to leave the connection
	serveStopping       // no new work
)

// ServeDrain takes a server out of service without losing a request.
//
// HTTP/1.1 has no way to close an idle connection safely: a request may be under way on it. What is safe is to say
// "Connection: close" in an answer. So the second half of DrainDelay says that in every answer, and by the time that
// http.Server.Shutdown closes the idle connections, those still open have been unused for that long.
type ServeDrain struct {
	delay, timeout time.Duration
	wait           ServeWait
	log            *slog.Logger

	phase    atomic.Int32
	stopping chan struct{} // closed when serveStopping begins
	done     chan struct{} // closed when the drain is over

	mu       sync.Mutex
	cut      context.CancelFunc // ends the grace; nil before the drain
	onDrain  []func()
	onEnd    []func(context.Context)
	stoppers []ServeStopper
	sealed   bool // the stoppers are being stopped; a new one is closed at once

	err, closeErr error // written before done is closed
}

func (d *ServeDrain) init(cfg ServerConfig) {
	d.delay, d.timeout, d.wait, d.log = cfg.DrainDelay, cfg.DrainTimeout, cfg.Wait, cfg.Logger
	if d.wait == nil {
		d.wait = serveSleep
	}
	d.stopping, d.done = make(chan struct{}), make(chan struct{})
}

func serveSleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Ready reports whether no drain has begun.
func (d *ServeDrain) Ready() bool { return d.phase.Load() == serveReady }

// Winding reports whether answers should ask their clients to leave the connection.
func (d *ServeDrain) Winding() bool { return d.phase.Load() >= serveWinding }

// Stopping is closed when no new work is taken.
func (d *ServeDrain) Stopping() <-chan struct{} { return d.stopping }

// Add hands a server to the drain. One that comes too late is closed at once.
func (d *ServeDrain) Add(st ServeStopper) {
	d.mu.Lock()
	late := d.sealed
	if !late {
		d.stoppers = append(d.stoppers, st)
	}
	d.mu.Unlock()
	if late {
		_ = st.Close() // it has not begun to serve
	}
}

// OnDrain has f called when the drain begins; at once where it has.
func (d *ServeDrain) OnDrain(f func()) {
	d.mu.Lock()
	begun := d.cut != nil
	if !begun {
		d.onDrain = append(d.onDrain, f)
	}
	d.mu.Unlock()
	if begun {
		f()
	}
}

// OnEnd has f called when all servers have stopped and before Drain returns, for what has to be done while nobody is served
// any more, such as leaving a registry: done earlier it would be a lie. ctx ends when the grace is cut. Hooks run side by
// side and bound themselves. It is called before the drain begins.
func (d *ServeDrain) OnEnd(f func(ctx context.Context)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onEnd = append(d.onEnd, f)
}

// Drain runs the drain, or joins the one that runs, and returns when it is over: nil if all work was finished. The end
// of ctx ends the grace for everybody.
func (d *ServeDrain) Drain(ctx context.Context) error {
	cut := d.begin()
	defer context.AfterFunc(ctx, cut)()
	<-d.done
	return d.err
}

// Close is a drain without grace. It cuts short one that runs.
func (d *ServeDrain) Close() error {
	d.begin()()
	<-d.done
	return d.closeErr
}

// begin starts the drain once and returns what ends its grace.
func (d *ServeDrain) begin() context.CancelFunc {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut == nil {
		ctx, cancel := context.WithCancel(context.Background())
		d.cut = cancel
		d.phase.Store(serveLeaving)
		go d.run(ctx, d.onDrain)
	}
	return d.cut
}

func (d *ServeDrain) run(ctx context.Context, onDrain []func()) {
	defer close(d.done)
	for _, f := range onDrain {
		f()
	}
	if d.delay > 0 {
		d.wait(ctx, d.delay/2)
		d.phase.Store(serveWinding)
		d.wait(ctx, d.delay-d.delay/2)
	}
	d.phase.Store(serveStopping)
	close(d.stopping)
	d.stop(ctx)
	d.end(ctx)
	d.cut() // frees the context
}

func (d *ServeDrain) end(ctx context.Context) {
	d.mu.Lock()
	all := d.onEnd
	d.mu.Unlock()
	var wg sync.WaitGroup
	for _, f := range all {
		wg.Go(func() { f(ctx) })
	}
	wg.Wait()
}

// stop shuts all servers down side by side, then closes what is left.
func (d *ServeDrain) stop(ctx context.Context) {
	d.mu.Lock()
	d.sealed = true
	all := d.stoppers
	d.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, st := range all {
		wg.Go(func() { errs[i] = st.Shutdown(ctx) })
	}
	wg.Wait()
	d.err = errors.Join(errs...)
	for i, st := range all {
		errs[i] = st.Close()
	}
	d.closeErr = errors.Join(errs...)
	if d.err != nil {
		d.log.Warn("intramesh: drain did not finish", slog.Any("error", d.err))
	}
}
