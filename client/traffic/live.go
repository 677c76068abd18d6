package traffic

import (
	"context"

	"github.com/intramesh/intramesh/internal/snapshot"
)

// Live is a policy that the process itself changes while it runs: a [Source] for any number of watchers. It is safe for
// use by many goroutines. The zero Live has the empty policy, under which calls go to the service that they name.
type Live struct {
	policy snapshot.Value[Policy]
}

// NewLive makes a Live with a first policy, which must not be changed afterwards. The error is that of [Policy.Validate].
func NewLive(p Policy) (*Live, error) {
	l := &Live{}
	if err := l.Set(p); err != nil {
		return nil, err
	}
	return l, nil
}

// Set puts a policy in force, which must not be changed afterwards. One that cannot be honoured is refused with the error
// of [Policy.Validate], and the one before stays in force.
func (l *Live) Set(p Policy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	l.policy.Store(&p)
	return nil
}

// Policy is the policy in force. It must not be changed.
func (l *Live) Policy() Policy { return orEmpty(l.policy.Load()) }

func orEmpty(p *Policy) Policy {
	if p == nil {
		return Policy{}
	}
	return *p
}

// WatchTraffic tells fn the policy in force and each one that comes after it. A watcher that is slow misses those that were
// replaced meanwhile, never the last.
func (l *Live) WatchTraffic(ctx context.Context, fn func(Update)) error {
	for ctx.Err() == nil {
		p, changed := l.policy.Watch()
		fn(Update{Policy: orEmpty(p)})
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil
}
