package shop

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// records are the messages of the mesh's log that are counted. (For dashboards there are metrics, see package telemetry.)
var records = map[string]string{
	"intramesh: circuit breaker opened": Opened,
	"intramesh: circuit breaker closed": Closed,
	"intramesh: endpoint ejected":       ejected,
	"intramesh: endpoint readmitted":    readmitted,
	"intramesh: client refused":         Stranger,
	"intramesh: endpoints":              known,

	"intramesh: routes refused, the last good ones hold": misrouted,
}

// diary is what happened in a process. It is the slog.Handler of its mesh: it counts records and hands other errors on.
type diary struct {
	slog.Handler
	*book
}

// book is what is shared by a diary and those that are derived from it.
type book struct {
	service string
	more    map[string]string // records that are counted beside those above
	mu      sync.Mutex
	events  Events
}

func newDiary(service string, more map[string]string, errors slog.Handler) diary {
	return diary{errors, &book{service: service, more: more, events: Events{}}}
}

// Enabled lets all pass: that an endpoint is readmitted is no error, and how many there are is for debugging.
func (diary) Enabled(context.Context, slog.Level) bool { return true }

// Handle counts the record, or hands it on.
func (d diary) Handle(ctx context.Context, r slog.Record) error {
	what := records[r.Message]
	if what == "" {
		what = d.more[r.Message]
	}
	if what != "" {
		d.write(what, r)
		return nil
	}
	if !d.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return d.Handler.Handle(ctx, r)
}

func (d diary) write(what string, r slog.Record) {
	whom, detail, unlogged := d.service, "", 0
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "service":
			whom, _, _ = strings.Cut(a.Value.String(), "/") // a subset counts for its service
		case a.Key == "endpoint", a.Key == "reason" && what == Stranger, a.Key == "count" && what == known,
			a.Key == "error" && what == Refused:
			detail = " " + a.Value.String()
		case a.Key == "unlogged": // what strangers can cause is logged once a second at most
			unlogged = int(a.Value.Int64())
		}
		return true
	})
	d.note(what+" "+whom+detail, 1+unlogged, r.Time)
}

// WithAttrs keeps counting.
func (d diary) WithAttrs(as []slog.Attr) slog.Handler { return diary{d.Handler.WithAttrs(as), d.book} }

// WithGroup keeps counting.
func (d diary) WithGroup(name string) slog.Handler { return diary{d.Handler.WithGroup(name), d.book} }

func (b *book) note(key string, times int, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events[key] = Event{b.events[key].Times + times, at}
}

// snapshot is a copy. Certificates that nobody has any more are dropped on the way, so that a long run stays small.
func (b *book) snapshot() Events {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := Events{}
	for key, e := range b.events {
		if strings.HasPrefix(key, served+" ") && time.Since(e.Last) > life {
			delete(b.events, key)
			continue
		}
		all[key] = e
	}
	return all
}
