package ca

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// Config says what a [CA] issues.
type Config struct {
	// TrustDomain is the name of the trust domain, "shop". It is needed.
	TrustDomain string
	// TTL is how long certificates are valid, from a second up. 0: 1 h, as SPIRE has it.
	TTL time.Duration
	// RootTTL is how long roots are valid; no certificate outlives its root. 0: ten years, as Istio's own authority has it.
	RootTTL time.Duration
	// Logger hears of renewals and of their failure. Nil: [slog.Default].
	Logger *slog.Logger
}

// CA is a certificate authority. Its methods may be called from many goroutines at once.
type CA struct {
	domain  spiffeid.TrustDomain
	ttl     time.Duration
	rootTTL time.Duration
	log     *slog.Logger

	mu         sync.Mutex // held while roots and identities change, so that a step of a rotation is one step
	signer     *root
	roots      []*root // all that are trusted; the last is the newest
	federated  map[spiffeid.TrustDomain]*x509bundle.Bundle
	identities map[*Identity]struct{}
	closed     bool
}

// New makes a CA with a root of its own.
func New(cfg Config) (*CA, error) {
	c, err := newCA(cfg)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	return c, nil
}

func newCA(cfg Config) (*CA, error) {
	c := &CA{
		ttl: cfg.TTL, rootTTL: cfg.RootTTL, log: cfg.Logger,
		federated:  map[spiffeid.TrustDomain]*x509bundle.Bundle{},
		identities: map[*Identity]struct{}{},
	}
	if c.ttl == 0 {
		c.ttl = time.Hour
	}
	if c.rootTTL == 0 {
		c.rootTTL = 10 * 365 * 24 * time.Hour
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	if c.ttl < time.Second { // the times of certificates are in seconds
		return nil, fmt.Errorf("Config.TTL is %v: want at least 1s", cfg.TTL)
	}
	if c.rootTTL < c.ttl {
		return nil, fmt.Errorf("Config.RootTTL is %v, which is less than a certificate's %v", c.rootTTL, c.ttl)
	}
	var err error
	if c.domain, err = spiffeid.TrustDomainFromString(cfg.TrustDomain); err != nil {
		return nil, fmt.Errorf("Config.TrustDomain is %q: %w", cfg.TrustDomain, err)
	}
	if c.signer, err = newRoot(c.domain, c.rootTTL); err != nil {
		return nil, err
	}
	c.roots = []*root{c.signer}
	return c, nil
}

// TrustDomain is the trust domain that the CA issues for.
func (c *CA) TrustDomain() spiffeid.TrustDomain { return c.domain }

// Bundle is the roots of the CA that are trusted now, for others to federate with.
func (c *CA) Bundle() *x509bundle.Bundle {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bundle()
}

// bundle needs mu.
func (c *CA) bundle() *x509bundle.Bundle {
	b := x509bundle.New(c.domain)
	for _, r := range c.roots {
		b.AddX509Authority(r.cert)
	}
	return b
}

// bundles are the own and the federated ones. It needs mu.
func (c *CA) bundles() []*x509bundle.Bundle {
	all := []*x509bundle.Bundle{c.bundle()}
	for _, b := range c.federated {
		all = append(all, b)
	}
	return all
}

// Federate makes the CA's identities trust the members of another trust domain, by the roots that b has now; again, to
// replace them. Files that were written before do not know of it.
func (c *CA) Federate(b *x509bundle.Bundle) error {
	if b == nil || b.TrustDomain() == c.domain || b.Empty() {
		return errors.New("ca: federate: want roots of another trust domain")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.federated[b.TrustDomain()] = b.Clone()
	return c.refresh(false)
}

// Close ends the renewal of all identities. What was issued stays valid until it expires. It may be called many times.
func (c *CA) Close() error {
	c.mu.Lock()
	c.closed = true
	var open []*Identity
	for id := range c.identities {
		open = append(open, id)
	}
	c.mu.Unlock()
	for _, id := range open {
		_ = id.Close()
	}
	return nil
}
