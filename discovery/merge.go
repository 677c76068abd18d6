package discovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/intramesh/intramesh/internal/again"
)

// mergeGrace is how long a [Merge] waits for all sources before it answers with what some of them say. It is long enough
// for a registry that is well, so that the first calls do not all go to the few endpoints of the quickest source, and
// well within the time that a client waits for a first answer.
const mergeGrace = time.Second

// Merge is the union of several sources. An address that several list counts once, and the details of the earlier source
// hold: put the one that may overrule first.
//
// When it answers: as soon as all sources have answered. A source that fails or hangs does not hold back the others:
// after a second, or when all others have spoken, the endpoints that are known are the answer, and the rest is added as
// it comes. That there are no endpoints is not said before every source has answered: the one that is missing might know
// some. A service is [Absent] only where every source says so, and known and empty where some know it without endpoints.
//
// A source that fails keeps what it said before and takes nothing from the others; its failures are passed on as
// [Failed]. One whose Watch ends with an error, or panics, is started again with back-off (1 s x1.6 +-20 % up to 30 s).
//
// It is a [Lister] if any of the sources is, and lists their names. Without sources every service is absent.
func Merge(sources ...Source) Source {
	m := merged(slices.Clone(sources))
	if slices.ContainsFunc(sources, func(s Source) bool { _, ok := s.(Lister); return ok }) {
		return listedMerge{m}
	}
	return m
}

type merged []Source

// listedMerge is a merged of which at least one source is a Lister.
type listedMerge struct{ merged }

var _ Lister = listedMerge{}

// Services lists the names that the sources list, in ascending order.
func (m listedMerge) Services() []string {
	var names []string
	for _, s := range m.merged {
		if l, ok := s.(Lister); ok {
			names = append(names, l.Services()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Validate passes on what the sources that can be validated say, and names those that are nil.
func (m merged) Validate() error {
	var errs []error
	for i, s := range m {
		if s == nil {
			errs = append(errs, fmt.Errorf("discovery: merge: source %d is nil", i))
		}
		if v, ok := s.(interface{ Validate() error }); ok {
			errs = append(errs, v.Validate())
		}
	}
	return errors.Join(errs...)
}

// Watch watches the service at all sources until ctx ends, and returns when all of them have.
func (m merged) Watch(ctx context.Context, service string, fn func(Update)) error {
	u := newUnion(len(m), fn)
	done := make(chan struct{})
	for i, s := range m {
		go func() {
			defer func() { done <- struct{}{} }()
			keepWatching(ctx, s, service, func(news Update) { u.take(ctx, i, news) })
		}()
	}
	u.begin(ctx)
	if again.Wait(ctx, mergeGrace) {
		u.hurry(ctx)
	}
	for range m {
		<-done
	}
	<-ctx.Done() // where there are no sources
	return nil
}

// keepWatching starts the Watch of a source again and again, until ctx ends.
func keepWatching(ctx context.Context, s Source, service string, fn func(Update)) {
	pauses := again.BackOff()
	for {
		start := time.Now()
		err := watchOnce(ctx, s, service, fn)
		if ctx.Err() != nil {
			return
		}
		fn(Update{Kind: Failed, Err: err})
		if time.Since(start) > time.Minute {
			pauses.Reset() // it was well for a while: this is a new trouble
		}
		if !again.Wait(ctx, pauses.NextBackOff()) {
			return
		}
	}
}

// watchOnce makes an error of a panic and of a Watch that ends by itself. The news of a Watch that is over is dropped.
func watchOnce(ctx context.Context, s Source, service string, fn func(Update)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("discovery: a source panicked: %v", p)
		}
	}()
	if err = s.Watch(ctx, service, fn); err == nil {
		err = errors.New("discovery: a source stopped watching")
	}
	return err
}
