package consul

import (
	"context"
	"fmt"
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
	// in maxPause at the least, so that a change is heard of in under a second.
	minPause = 100 * time.Millisecond
	maxPause = 800 * time.Millisecond
	// oddPause is kept after an answer that should have been held back.
	oddPause = time.Second
	// share is how many times longer than reading an answer took the pause after it is: reading costs 5 % of a core.
	share = 20
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
	index uint64
	again *backoff.ExponentialBackOff
	bad   string // the problem that was logged last; empty: none
	odd   int    // instances that could not be used, at the last count
}

func follow(p *Plane, q question) *follower {
	ctx, cancel := context.WithCancel(context.Background())
	f := &follower{plane: p, q: q, cancel: cancel, done: make(chan struct{}), again: again.BackOff()}
	f.state.Store(new(state))
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
	entries, meta, err := f.query(ctx)
	if ctx.Err() != nil {
		return 0
	}
	if err == nil {
		err = f.credible(ctx, entries, meta)
	}
	if err == nil {
		err = f.take(ctx, entries)
	}
	if err != nil {
		f.index = 0 // who was away may have forgotten, and would wait for an index that does not come
		f.failed(err)
		return f.again.NextBackOff()
	}
	reading := time.Since(start) - meta.RequestTime
	return f.advance(meta.LastIndex, time.Since(start), reading)
}

// query is one blocking query.
func (f *follower) query(ctx context.Context) ([]*api.ServiceEntry, *api.QueryMeta, error) {
	cfg := &f.plane.cfg
	ctx, cancel := context.WithTimeout(ctx, cfg.Wait+cfg.Wait/16+grace)
	defer cancel()
	o := f.plane.options(ctx)
	o.Datacenter, o.Filter = f.q.datacenter, f.q.filter
	o.AllowStale, o.UseCache = cfg.Stale, cfg.Cached
	o.WaitIndex, o.WaitTime = f.index, cfg.Wait
	var tags []string
	if f.q.tags != "" {
		tags = strings.Split(f.q.tags, "\x00")
	}
	ask := f.plane.api.Health().ServiceMultipleTags
	if f.q.connect {
		ask = f.plane.api.Health().ConnectMultipleTags
	}
	// Unhealthy instances are asked for too: they tell a service that is down from one that is not there.
	entries, meta, err := ask(f.q.service, tags, false, o)
	return entries, meta, explain(err)
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
func (f *follower) take(ctx context.Context, entries []*api.ServiceEntry) error {
	r := reader{warning: f.plane.cfg.Warning, tagged: f.plane.cfg.TaggedAddress}
	for _, e := range entries {
		if e != nil && e.Service != nil && inMesh(e.Service) != "" {
			domain, err := f.plane.trustDomain(ctx, f.q.datacenter)
			if err != nil {
				return err
			}
			r.trustDomain = domain
			break
		}
	}
	got := r.read(entries)
	if len(got.bad) != f.odd && len(got.bad) > 0 {
		f.plane.cfg.Logger.Warn("discovery: consul: instances cannot be used", "service", f.q.service,
			"count", len(got.bad), "first", got.bad[0])
	}
	f.odd = len(got.bad)
	f.good() // before who watches can know
	absent := len(entries) == 0 && !f.q.subset
	f.state.Update(func(s *state) *state { return s.answer(got.endpoints, absent) })
	return nil
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
