package consul

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/internal/again"
	"github.com/intramesh/intramesh/internal/snapshot"
)

const (
	// grace is how much later than it promised Consul may answer a blocking query, beyond the sixteenth that it adds to
	// the wait by itself.
	grace = 30 * time.Second
	// minPause and maxPause are between an answer and the next question. A service that changes all the time is read once
	// in maxPause and the time that it takes to answer, so that a change is heard of in under a second.
	minPause = 100 * time.Millisecond
	maxPause = 500 * time.Millisecond
	// oddPause is kept after an answer that should have been held back.
	oddPause = time.Second
	// share is how many times longer than reading an answer took the pause after it is: reading costs 3 % of a core, and with
	// what the changes in it cost further on that stays under 5 %.
	share = 30
)

// follower asks one question again and again, for all who watch its answer.
type follower struct {
	plane *Plane
	q     question
	state snapshot.Value[state]
	users int // guarded by plane.mu

	cancel context.CancelFunc
	done   chan struct{}

	// Of its goroutine alone:
	index    uint64
	again    *backoff.ExponentialBackOff
	decoder  *decoder
	hold     hold
	away     bool   // the last question was not answered
	filtered bool   // Consul said that it left out what the token may not see
	bad      string // the problem that was logged last; empty: none
	odd      int    // instances that could not be used, at the last count
}

func newFollower(p *Plane, q question) *follower {
	f := &follower{
		plane: p, q: q, done: make(chan struct{}), again: again.BackOff(),
		decoder: newDecoder(reader{warning: p.cfg.Warning, tagged: p.cfg.TaggedAddress}),
	}
	f.state.Store(new(state))
	return f
}

// follow starts one.
func follow(p *Plane, q question) *follower {
	f := newFollower(p, q)
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go f.run(ctx)
	return f
}

// stop ends the goroutine and waits for it.
func (f *follower) stop() {
	f.cancel()
	<-f.done
}

func (f *follower) run(ctx context.Context) {
	defer close(f.done)
	for ctx.Err() == nil && again.Wait(ctx, f.ask(ctx)) {
	}
}

// ask asks once and says how long to wait before the next time.
func (f *follower) ask(ctx context.Context) time.Duration {
	start := time.Now()
	got, err := f.query(ctx, f.index, f.plane.cfg.Cached)
	if err == nil && f.doubtful(got) {
		got, err = f.query(ctx, 0, false)
	}
	if err == nil {
		err = f.credible(ctx, got)
	}
	if err == nil {
		err = f.take(ctx, got)
	}
	if ctx.Err() != nil {
		return 0
	}
	if err != nil {
		f.index = 0 // who was away may have forgotten, and would wait for an index that does not come
		f.away = true
		f.failed(err)
		return f.again.NextBackOff()
	}
	return f.advance(got.meta.LastIndex, time.Since(start), got.took)
}

// response is what Consul said to one question.
type response struct {
	all  []*member
	meta *api.QueryMeta
	took time.Duration // to read it
}

// query is one query, which blocks unless index is 0. The answer is read on its way, by guard.
func (f *follower) query(ctx context.Context, index uint64, cached bool) (response, error) {
	cfg := &f.plane.cfg
	ctx, cancel := context.WithTimeout(ctx, cfg.Wait+cfg.Wait/16+grace)
	defer cancel()
	o := f.plane.options(withDecoder(ctx, f.decoder))
	o.Datacenter, o.Filter = f.q.datacenter, f.q.filter
	o.AllowStale, o.UseCache = cfg.Stale, cached
	o.WaitIndex, o.WaitTime = index, f.patience()
	var tags []string
	if f.q.tags != "" {
		tags = strings.Split(f.q.tags, "\x00")
	}
	ask := f.plane.api.Health().ServiceMultipleTags
	if f.q.connect {
		ask = f.plane.api.Health().ConnectMultipleTags
	}
	// Unhealthy instances are asked for too: they tell a service that is down from one that is not there.
	_, meta, err := ask(f.q.service, tags, false, o)
	return response{f.decoder.all, meta, f.decoder.took}, explain(err)
}

// patience is how long Consul may hold the question open: not beyond the time when lost instances are given up.
func (f *follower) patience() time.Duration {
	wait := f.plane.cfg.Wait
	if left := f.hold.left(); left > 0 {
		wait = min(wait, max(left, oddPause))
	}
	return wait
}

// options carry the token of now.
func (p *Plane) options(ctx context.Context) *api.QueryOptions {
	return (&api.QueryOptions{Token: p.token.load()}).WithContext(ctx)
}

// advance follows the index by Consul's rules: one that goes back starts again at 0, and a server that does not hold
// questions back is not asked all the time.
func (f *follower) advance(index uint64, took, reading time.Duration) time.Duration {
	back := index < f.index || index == 0
	stuck := index == f.index && took < oddPause
	if f.index = index; back {
		f.index = 0
		f.plane.forget(f.q.datacenter)
		return f.again.NextBackOff()
	}
	f.again.Reset()
	if stuck {
		return oddPause
	}
	return min(max(minPause, share*reading), maxPause)
}

// take makes endpoints of an answer and tells the watchers.
func (f *follower) take(ctx context.Context, a response) error {
	domain := ""
	if slices.ContainsFunc(a.all, func(in *member) bool { return in.connect != "" }) {
		var err error
		if domain, err = f.plane.trustDomain(ctx, f.q.datacenter); err != nil {
			return err
		}
	}
	got := read(a.all, domain)
	f.complain(got.bad)
	f.keep(&got, a.meta)
	if !f.hides() {
		f.good() // before who watches can know
	}
	absent := len(a.all) == 0 && len(got.endpoints) == 0 && !f.q.subset
	f.state.Update(func(s *state) *state { return s.answer(got.endpoints, absent) })
	if f.hides() {
		f.failed(f.lacks("the token"))
	}
	return nil
}

// hides says whether instances are called of which the token learns nothing any more.
func (f *follower) hides() bool { return len(f.hold.hidden) > 0 }

// keep adds to an answer what should be called although Consul does not say so.
func (f *follower) keep(got *reading, meta *api.QueryMeta) {
	known := f.state.Load().set
	again := f.away || meta.LastIndex < f.index
	if f.away = false; again {
		f.hold.away(known)
	}
	switch filtered := meta.ResultsFilteredByACLs; {
	case filtered && !f.filtered:
		f.filtered = true
		f.hold.hide(known)
		if len(known) == 0 {
			f.plane.cfg.Logger.Warn("discovery: consul: not all instances are shown", "service", f.q.service,
				"error", f.lacks("the token"))
		}
	case !filtered:
		f.filtered = false
		f.hold.show()
	}
	if n := f.hold.apply(got); n > 0 && again {
		f.plane.cfg.Logger.Info("discovery: consul was away; instances that it does not list are kept for now",
			"service", f.q.service, "count", n, "for", f.hold.left())
	}
}

// complain logs instances that cannot be used, when their number changes.
func (f *follower) complain(bad []error) {
	if len(bad) != f.odd && len(bad) > 0 {
		f.plane.cfg.Logger.Warn("discovery: consul: instances cannot be used", "service", f.q.service,
			"count", len(bad), "first", bad[0])
	}
	f.odd = len(bad)
}

func (f *follower) failed(err error) {
	f.plane.forget(f.q.datacenter)
	err = fmt.Errorf("discovery: consul: %s: %w", f.q.service, err)
	if text := err.Error(); text != f.bad {
		f.bad = text
		f.plane.cfg.Logger.Warn("discovery: consul does not answer; the last endpoints hold", "service", f.q.service, "error", err)
	}
	f.state.Update(func(s *state) *state { return s.failure(err) })
}

func (f *follower) good() {
	if f.bad != "" {
		f.bad = ""
		f.plane.cfg.Logger.Info("discovery: consul answers again", "service", f.q.service)
	}
}
