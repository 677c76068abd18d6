package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/examples/internal/shop"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

// trespass is a call that must be refused.
type trespass struct {
	says string
	as   func(*shop.Shop) (security.Identity, error)
	call func(context.Context, *client.Client) (outcome string, err error)
	want string
}

var trespasses = []trespass{
	{"web at payments", member("web"), charge, "PermissionDenied"},
	{"reviews at inventory", member("reviews"), look, "403 Forbidden"},
	{"at payments, as orders by another authority", forged("orders"), charge, noConnection},
}

// trespassAll tries what must be refused. Had one of the calls booked anything, the audit at the end would find it: no
// purchase explains it.
func (s *show) trespassAll(ctx context.Context, sh *shop.Shop, _ time.Duration) error {
	s.moments.begin()
	for _, t := range trespasses {
		outcome, err := s.try(ctx, sh, t)
		if err == nil && outcome != t.want {
			err = fmt.Errorf("%s, want %s", outcome, t.want)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.says, err)
		}
		s.moments.refusals = append(s.moments.refusals, t.says+": "+outcome)
	}
	reason, err := s.strangerSeen(ctx, sh)
	s.moments.refusals = append(s.moments.refusals, "the log of payments has the reason: "+reason)
	return err
}

// try makes the call.
func (s *show) try(ctx context.Context, sh *shop.Shop, t trespass) (outcome string, err error) {
	id, err := t.as(sh)
	if err != nil {
		return "", err
	}
	c, end, err := trespasser(s.path, id)
	if err != nil {
		return "", err
	}
	defer end()
	ctx, cancel := context.WithTimeout(ctx, shop.PageTime)
	defer cancel()
	return t.call(ctx, c)
}

var errNoStranger = errors.New("payments has not noticed who knocked")

// strangerSeen waits until payments has noted the connection that it refused: whom it refused was not told why.
func (s *show) strangerSeen(ctx context.Context, sh *shop.Shop) (reason string, err error) {
	err = shop.Until(ctx, errNoStranger, func() (bool, error) {
		now, err := sh.State()
		for key, e := range now.Events {
			if r, ok := strings.CutPrefix(key, shop.Stranger+" payments "); ok && e.Last.After(s.moments.began) {
				reason = r
			}
		}
		return reason != "", err
	})
	return reason, err
}

// member is the identity of a service, by the shop's own authority.
func member(service string) func(*shop.Shop) (security.Identity, error) {
	return func(sh *shop.Shop) (security.Identity, error) {
		svid, err := sh.Authority().Issue(shop.IdentityOf(service))
		if err != nil {
			return nil, err
		}
		return svid.Material()
	}
}

// forged is the same by an authority of which the shop knows nothing. Whom the shop trusts is no secret, so the forger can
// tell the real servers.
func forged(service string) func(*shop.Shop) (security.Identity, error) {
	return func(sh *shop.Shop) (security.Identity, error) {
		other, err := ca.New(ca.Config{TrustDomain: shop.TrustDomain})
		if err != nil {
			return nil, err
		}
		svid, err := other.Issue(shop.IdentityOf(service))
		if err != nil {
			return nil, err
		}
		for _, root := range sh.Authority().Bundle().X509Authorities() {
			svid.Bundles[0].AddX509Authority(root)
		}
		return svid.Material()
	}
}
