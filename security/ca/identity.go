package ca

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/internal/snapshot"
	"github.com/intramesh/intramesh/security"
)

// Identity is a [security.Identity] that a [CA] in the same process issues and renews. Close ends the renewal.
type Identity struct {
	ca  *CA
	id  spiffeid.ID
	now snapshot.Value[security.Material]

	svid *SVID // the last one; guarded by the CA's mu

	closing sync.Once
	closed  chan struct{}
	ended   chan struct{}
}

var _ security.Identity = (*Identity)(nil)

// Identity issues an identity for a workload, which renews itself when about half of its life is over: "spiffe://shop/web",
// or "/web" for the same in the CA's trust domain.
func (c *CA) Identity(id string) (*Identity, error) {
	parsed, err := c.workload(id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errors.New("ca: closed")
	}
	i := &Identity{ca: c, id: parsed, closed: make(chan struct{}), ended: make(chan struct{})}
	if err := i.renew(); err != nil {
		return nil, err
	}
	c.identities[i] = struct{}{}
	go i.run()
	return i, nil
}

// ID is the SPIFFE ID.
func (i *Identity) ID() spiffeid.ID { return i.id }

// Watch returns what holds now, and a channel that is closed when it has been renewed or the roots have changed.
func (i *Identity) Watch() (*security.Material, <-chan struct{}) { return i.now.Watch() }

// Renew issues a new certificate now.
func (i *Identity) Renew() error {
	i.ca.mu.Lock()
	defer i.ca.mu.Unlock()
	return i.renew()
}

// renew needs the CA's mu.
func (i *Identity) renew() error {
	svid, err := i.ca.issue(i.id)
	if err != nil {
		return err
	}
	return i.use(svid)
}

// use needs the CA's mu.
func (i *Identity) use(svid *SVID) error {
	m, err := svid.Material()
	if err != nil {
		return err
	}
	i.svid = svid
	i.now.Store(m)
	return nil
}

// run renews the certificate when it is time.
func (i *Identity) run() {
	defer close(i.ended)
	m := i.now.Load()
	at := due(m)
	for {
		select {
		case <-i.closed:
			return
		case <-time.After(time.Until(at)):
		}
		if now := i.now.Load(); !now.NotBefore().Equal(m.NotBefore()) || !now.NotAfter().Equal(m.NotAfter()) {
			m, at = now, due(now) // it was renewed in between
			continue
		}
		err := i.Renew()
		m = i.now.Load()
		if err != nil {
			at = again(m, time.Second)
			i.ca.log.Error("ca: an identity cannot be renewed", "id", i.id.String(), "not_after", m.NotAfter(), "error", err)
			continue
		}
		// Near the end of the root a certificate is past its half from the beginning.
		if at = due(m); at.Before(again(m, soonest)) {
			at = again(m, soonest)
		}
		i.ca.log.Debug("ca: identity renewed", "id", i.id.String(), "not_after", m.NotAfter())
	}
}

// due is when to renew: after half of the life, as SPIRE's agent does, but for a tenth of it sooner or later by chance, so
// that not all who started together renew together.
func due(m *security.Material) time.Time {
	life := m.NotAfter().Sub(m.NotBefore())
	return m.NotBefore().Add(time.Duration(float64(life) * (0.4 + 0.2*rand.Float64())))
}

// soonest is the least time between two renewals.
const soonest = 100 * time.Millisecond

// again is after a tenth of what is left, so that there is time for many attempts.
func again(m *security.Material, least time.Duration) time.Time {
	return time.Now().Add(max(time.Until(m.NotAfter())/10, least))
}

// Close ends the renewal. The certificate can be used until it expires. It may be called many times.
func (i *Identity) Close() error {
	i.closing.Do(func() {
		i.ca.mu.Lock()
		delete(i.ca.identities, i)
		i.ca.mu.Unlock()
		close(i.closed)
	})
	<-i.ended
	return nil
}
