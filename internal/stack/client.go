package stack

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/snapshot"
	"github.com/intramesh/intramesh/resilience"
)

// Config is what a [Client] is compiled from; its defaults are applied by the package at the rim.
type Config struct {
	Discovery  discovery.Source
	Traffic    traffic.Source // nil: none
	Local      traffic.Local
	Vet        func(*traffic.Policy) error // what this client cannot do of a policy; nil: it can do everything
	Resilience resilience.Config
	Balance    balance.Algorithm
	Warmup     time.Duration
	Logger     *slog.Logger
	Observer   Observer      // nil: none
	Listener   call.Listener // hears of changes of state; nil: nobody does
}

// Observer sees calls and attempts.
type Observer interface {
	call.CallObserver
	call.AttemptObserver
}

// Client is the compiled client side: the layers in their order, and the state of every destination.
type Client struct {
	source  discovery.Source
	balance balance.Algorithm
	warmup  time.Duration
	log     *slog.Logger
	routes  traffic.Source // nil: none
	local   traffic.Local
	vet     func(*traffic.Policy) error
	now     snapshot.Value[generation]
	since   atomic.Int64 // when the present generation began, in Unix nanoseconds
	setting sync.Mutex   // one change of policy after the other reaches all destinations, those being added included

	forgetting bool // of lost subsets is to come; guarded by setting

	observer Observer
	events   *events
	calls    call.Chain[*Call]
	copies   call.Chain[*Call] // those of calls that mirrors get
	attempts call.Chain[*Attempt]

	chance  func() float64 // for what is drawn by lot; tests have their own
	copying copying
	bare    *resilience.Executor  // of copies: no policy
	counts  sync.Map              // of the requests of each route, by its name: *atomic.Uint64
	trouble atomic.Pointer[error] // why the routes are not what their source last said; nil: they are
	meshed  registry              // destinations whose endpoints come from the source
	directs registry              // those with one endpoint that is not the mesh's to find
	ending  atomic.Bool
	ctx     context.Context // of the watches; ends with the client
	end     context.CancelFunc
	watches sync.WaitGroup
}

// NewClient compiles a client from a configuration that has been validated.
func NewClient(cfg Config) *Client {
	s := &Client{
		source: cfg.Discovery, balance: cfg.Balance, routes: cfg.Traffic, local: cfg.Local, vet: cfg.Vet,
		warmup: cfg.Warmup, log: cfg.Logger, observer: cfg.Observer, chance: rand.Float64,
	}
	s.events = &events{log: cfg.Logger, listener: cfg.Listener}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.evolve(func(first *generation) { first.resilience = cfg.Resilience })
	s.bare, _ = resilience.New(resilience.Policy{}) // which cannot fail
	s.calls, s.attempts = s.order()
	s.copies = s.orderOfCopies()
	s.follow()
	return s
}

// order is THE order of the client side, from the caller to the wire. Each layer stands where it does for the reason
// above it; a layer that a later capability brings has its place named here already.
func (s *Client) order() (calls call.Chain[*Call], attempts call.Chain[*Attempt]) {
	// --- once a call ---
	if s.observer != nil {
		// record: outermost, so that the caller's latency includes everything below, and refusals are seen too.
		calls = append(calls, record{s.observer})
	}
	calls = append(calls,
		// deadline: above all that spends time. There is one budget of time for the whole call; it stays a number until an
		// attempt needs a context.
		deadline{},
		// route: takes one snapshot of the policy, so that a reload cannot split a call, and finds the destination, waiting
		// for the registry's first answer if need be.
		route{s},
	)
	if s.routes != nil {
		// fault, of calls: above the fan-out and all that counts calls, because the caller is to meet it: it is not retried,
		// opens no breaker, ejects nobody and takes no place of a call that is sent. Right beneath route, which knows it.
		calls = append(calls, callFault{s})
	}
	calls = append(calls,
		// limit: above the fan-out, because refusing is free, and retries must not multiply admissions. Above the breaker,
		// which must hear nothing of calls that were never let in, and be asked when a call has waited, not before. Under
		// route, since limits are a destination's.
		limit{},
		// breaker: counts finished calls, after retries; endpoints that fail are a matter for outlier detection, so that
		// one bad endpoint of two cannot open a whole destination.
		breaker{s.events},
	)
	if s.routes != nil {
		// mirror: under all that may refuse the call or answer it, so that what is copied is what is sent. Above the
		// fan-out: a call is copied once, however many attempts it takes.
		calls = append(calls, mirror{s})
	}
	// --- the fan-out stands between: it turns the call into attempts and chooses each one's endpoint, see fanout.go ---

	// --- once an attempt ---
	attempts = call.Chain[*Attempt]{
		// timeout: makes the attempt's only context, so it stands above all that reads one.
		timeout{},
	}
	if s.routes != nil {
		// fault, of attempts: under timeout and fan-out, so that injected failures exercise them.
		attempts = append(attempts, attemptFault{s})
	}
	if s.observer != nil {
		// trace: one span a try, under all that may refuse it.
		attempts = append(attempts, trace{s.observer})
	}
	// inject: innermost, because the headers carry this try's span, remaining time and number.
	attempts = append(attempts, inject{})
	return calls, attempts
}

// orderOfCopies is the order of what copies for mirrors go through, in the place of the layers of calls. Nothing is there
// that counts calls, lets them in, keeps them alive or copies them. The layers of attempts are the same.
func (s *Client) orderOfCopies() (calls call.Chain[*Call]) {
	if s.observer != nil {
		// record: outermost, as for calls; copies have a span and a metric of their own.
		calls = append(calls, record{s.observer})
	}
	return append(calls, copied{s})
}

// Do takes the call through the layers until it has an answer. With a nil error the wire holds the last attempt's
// answer, and whoever reads it calls [Call.Finish] when it is over; with an error everything is over already.
func (s *Client) Do(c *Call) error {
	c.Start = time.Now()
	c.client = s
	if err := s.calls.Begin(c); err != nil {
		err = c.refused(err)
		c.report()
		return err
	}
	passed := false
	defer func() {
		if !passed { // refused, or a transport of the caller's panicked
			c.Finish()
		}
	}()
	err := s.fanOut(c)
	c.answered()
	c.reply(err)
	c.report()
	passed = err == nil
	return err
}

// Close ends the watches and gives idle connections back. Calls under way go on to their end.
func (s *Client) Close() {
	s.meshed.mu.Lock() // no watch begins after this
	ended := s.ending.Swap(true)
	s.meshed.mu.Unlock()
	if ended {
		return
	}
	s.copying.close()
	s.end()
	done := make(chan struct{})
	go func() {
		s.copying.all.Wait()
		s.watches.Wait()
		close(done)
	}()
	// A source that ignores the end of its context must not hold up the end of the process.
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
		s.log.Warn("intramesh: a discovery source, or the transport of a mirrored call, ignores the end of its context")
	}
	s.each((*Destination).retire)
}

// CloseIdle closes what the wire named key keeps idle, at every endpoint.
func (s *Client) CloseIdle(key any) {
	s.every(func(d *Destination) {
		if eps := d.Endpoints(); eps != nil {
			for _, n := range eps.Nodes {
				n.closeSlot(key)
			}
		}
	})
}

func (s *Client) each(f func(*Destination)) {
	s.meshed.each(f)
	s.directs.each(f)
}

// every is each with the subsets of every destination before it.
func (s *Client) every(f func(*Destination)) {
	s.each(func(d *Destination) {
		d.eachSubset(f)
		f(d)
	})
}
