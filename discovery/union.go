package discovery

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// union is the state of one Watch of a [Merge]: what every source says of the service, and what was made of it. A change
// of one endpoint costs one look at each source, however many endpoints there are.
type union struct {
	fn func(Update)

	mu    sync.Mutex // serialises fn; nothing that blocks is done under it
	says  []opinion  // by source
	done  map[string]Endpoint
	phase Kind // Failed until there was an answer, then Set or Absent
	late  bool // the time to wait for all sources is over
}

func newUnion(sources int, fn func(Update)) *union {
	u := &union{fn: fn, says: make([]opinion, sources), done: map[string]Endpoint{}, phase: Failed}
	for i := range u.says {
		u.says[i].phase = Failed
	}
	return u
}

// begin answers for a merge without sources.
func (u *union) begin(ctx context.Context) { u.locked(ctx, func() { u.settle(nil) }) }

// hurry answers with what there is.
func (u *union) hurry(ctx context.Context) { u.locked(ctx, func() { u.late = true; u.settle(nil) }) }

// take hears the news of one source.
func (u *union) take(ctx context.Context, source int, news Update) {
	u.locked(ctx, func() {
		o := &u.says[source]
		o.spoken = true
		if news.Kind == Failed {
			u.fn(news)
		}
		u.settle(o.apply(news))
	})
}

// locked runs f unless the Watch is over.
func (u *union) locked(ctx context.Context, f func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if ctx.Err() == nil {
		f()
	}
}

// settle works out what is new since the last report and reports it.
func (u *union) settle(touched []string) {
	news := u.merge(touched)
	phase, ok := u.judge()
	switch {
	case !ok:
		return
	case phase == Absent:
		if u.phase != Absent {
			u.fn(Update{Kind: Absent})
		}
	case u.phase != Set:
		u.fn(Update{Kind: Set, Endpoints: u.all()})
	case len(news.Endpoints)+len(news.Removed) > 0:
		u.fn(news)
	}
	u.phase = phase
}

// judge says what the union is now, and false where it is too early to say anything.
func (u *union) judge() (phase Kind, ok bool) {
	spoken, answered, absent := true, true, true
	for _, o := range u.says {
		spoken = spoken && o.spoken
		answered = answered && o.phase != Failed
		absent = absent && o.phase == Absent
	}
	switch {
	case absent:
		return Absent, true
	case u.phase != Failed, answered:
		return Set, true
	}
	return Set, len(u.done) > 0 && (spoken || u.late)
}

// merge brings the touched addresses up to date and returns the difference.
func (u *union) merge(touched []string) Update {
	news := Update{Kind: Diff}
	for _, addr := range touched {
		next, listed := u.first(addr)
		old, had := u.done[addr]
		switch {
		case listed && !(had && same(old, next)):
			u.done[addr] = next
			news.Endpoints = append(news.Endpoints, next)
		case !listed && had:
			delete(u.done, addr)
			news.Removed = append(news.Removed, addr)
		}
	}
	return news
}

// first is what the earliest source that lists the address says of it.
func (u *union) first(addr string) (Endpoint, bool) {
	for _, o := range u.says {
		if e, ok := o.set[addr]; ok {
			return e, true
		}
	}
	return Endpoint{}, false
}

// all is the union in ascending order of addresses, so that it does not depend on who answered first.
func (u *union) all() []Endpoint {
	endpoints := make([]Endpoint, 0, len(u.done))
	for _, e := range u.done {
		endpoints = append(endpoints, e)
	}
	slices.SortFunc(endpoints, func(a, b Endpoint) int { return strings.Compare(a.Addr, b.Addr) })
	return endpoints
}
