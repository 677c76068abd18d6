package stack

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/intramesh/intramesh/internal/call"
)

// events hands changes of state to the log and to the listener, in their order and with no lock held. Every line that is
// written where a lock of the client may be held goes this way.
//
// They are noted where they happen, under the locks that order them, and told by whoever lets go of the locks. A second
// teller leaves what it noted to the first one: so order is kept, and a log handler that itself makes calls through the
// client cannot wait for itself.
type events struct {
	log      *slog.Logger
	listener call.Listener // nil: none

	pending atomic.Bool // there may be something to tell: every call asks
	mu      sync.Mutex
	noted   []news
	telling bool
}

// news is an event, or a line for the log where it has a text.
type news struct {
	event call.Event
	level slog.Level
	text  string
	args  []any
}

// note takes an event in. The caller may hold locks; somebody calls tell afterwards.
func (e *events) note(ev call.Event) { e.take(news{event: ev}) }

// line does the same with a line for the log.
func (e *events) line(level slog.Level, text string, args ...any) {
	if e.log.Enabled(context.Background(), level) {
		e.take(news{level: level, text: text, args: args})
	}
}

func (e *events) take(n news) {
	e.mu.Lock()
	e.noted = append(e.noted, n)
	e.pending.Store(true)
	e.mu.Unlock()
}

// tell hands out what was noted. The caller holds no lock.
func (e *events) tell() {
	if !e.pending.Load() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.telling {
		return
	}
	e.telling = true
	defer func() { e.telling = false }()
	for len(e.noted) > 0 {
		next := e.noted
		e.noted = nil
		e.pending.Store(false)
		e.hand(next)
	}
}

// hand lets go of mu while it hands the events out, and has it again when it returns, or when one of those who hear of
// them panics.
func (e *events) hand(next []news) {
	e.mu.Unlock()
	defer e.mu.Lock()
	for _, n := range next {
		if n.text != "" {
			e.log.Log(context.Background(), n.level, n.text, n.args...)
			continue
		}
		e.record(n.event)
		if e.listener != nil {
			e.listener.Event(n.event)
		}
	}
}

// record writes the event to the log: a warning where service gets worse, a note where it gets better.
func (e *events) record(ev call.Event) {
	if ev.Kind == call.PolicyRefused {
		return // who noted it has logged the error itself
	}
	level := slog.LevelInfo
	switch ev.Kind {
	case call.BreakerOpened, call.EndpointEjected, call.PanicEntered, call.EndpointSuspected:
		level = slog.LevelWarn
	}
	attrs := make([]slog.Attr, 0, 6)
	attrs = append(attrs, slog.String("service", ev.Service))
	if ev.Endpoint != "" {
		attrs = append(attrs, slog.String("endpoint", ev.Endpoint))
	}
	if ev.Reason != "" {
		attrs = append(attrs, slog.String("reason", ev.Reason))
	}
	if ev.For > 0 {
		attrs = append(attrs, slog.Duration("for", ev.For))
	}
	if ev.Endpoints > 0 {
		attrs = append(attrs, slog.Int("ejected", ev.Ejected), slog.Int("endpoints", ev.Endpoints))
	}
	e.log.LogAttrs(context.Background(), level, "intramesh: "+eventTexts[ev.Kind], attrs...)
}

var eventTexts = map[call.EventKind]string{
	call.BreakerOpened:      "circuit breaker opened",
	call.BreakerHalfOpen:    "circuit breaker half-open",
	call.BreakerClosed:      "circuit breaker closed",
	call.EndpointEjected:    "endpoint ejected",
	call.EndpointReadmitted: "endpoint readmitted",
	call.PanicEntered:       "too many endpoints are ejected, ejections are ignored",
	call.PanicLeft:          "ejections count again",
	call.EndpointSuspected:  "endpoint would be ejected",
}
