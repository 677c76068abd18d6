package clientgrpc

import (
	"time"

	"github.com/intramesh/intramesh/internal/meshtls"
)

// terms are by which rules a connection is made and used: one look at what the policy and the identity say.
type terms struct {
	of      meshtls.Basis
	connect time.Duration // bounds the making of the connection, and again what is said over it before it is ready
	idle    time.Duration // without calls; 0: for ever
	age     time.Duration // 0: for ever
	most    int64         // calls; 0: any number
	worn    int64         // calls after which the next connection is made
}

// connectTimeout is that of connections of which the policy says nothing.
const connectTimeout = 10 * time.Second

func termsOf(b meshtls.Basis) *terms {
	t := &terms{of: b, connect: connectTimeout}
	c := b.Connections
	if c == nil {
		return t
	}
	if c.ConnectTimeout > 0 {
		t.connect = c.ConnectTimeout
	}
	t.idle, t.age = max(c.IdleTimeout, 0), max(c.MaxAge, 0)
	if c.MaxRequests > 0 {
		// The last eighth of them is the time that the next connection has to be made in, so that no call waits for it.
		t.most = int64(c.MaxRequests)
		t.worn = t.most - t.most/8
	}
	return t
}

// bounded reports whether the connection is closed at some time for how it was used: the calls on it are then counted.
func (t *terms) bounded() bool { return t.idle > 0 || t.age > 0 || t.most > 0 }

// present is the terms of now. Only the keeper asks.
func (g *group) present() *terms {
	if b := g.lb.feed.tls.Basis(g.dest.Settings()); g.terms == nil || g.terms.of != b {
		g.terms = termsOf(b)
	}
	return g.terms
}

// ruled has the keeper look at the connections of groups whose terms have changed since it last did, and returns what is
// closed when terms may have changed: the identity's, and the policy's. Either may be nil.
func (lb *lb) ruled() (identity, policy <-chan struct{}) {
	if lb.feed.tls == nil {
		return nil, nil
	}
	identity = lb.feed.tls.Changed()
	if lb.feed.dialer.config.Traffic != nil {
		_, policy = lb.feed.dialer.core.Policy()
	}
	lb.each(func(g *group) {
		if old := g.terms; old != nil && old != g.present() {
			g.dirty.Store(true)
		}
	})
	return identity, policy
}
