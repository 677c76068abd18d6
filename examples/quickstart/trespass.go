package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

// trespass is a call that must be refused.
type trespass struct {
	says string
	as   func(*shop) (security.Identity, error)
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
func trespassAll(ctx context.Context, sh *shop, _ time.Duration) error {
	sh.moments.begin()
	for _, t := range trespasses {
		outcome, err := sh.try(ctx, t)
		if err == nil && outcome != t.want {
			err = fmt.Errorf("%s, want %s", outcome, t.want)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.says, err)
		}
		sh.moments.refusals = append(sh.moments.refusals, t.says+": "+outcome)
	}
	reason, err := sh.strangerSeen(ctx)
	sh.moments.refusals = append(sh.moments.refusals, "the log of payments has the reason: "+reason)
	return err
}

// try makes the call.
func (sh *shop) try(ctx context.Context, t trespass) (outcome string, err error) {
	id, err := t.as(sh)
	if err != nil {
		return "", err
	}
	c, end, err := trespasser(sh.dir, id)
	if err != nil {
		return "", err
	}
	defer end()
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	return t.call(ctx, c)
}

var errNoStranger = errors.New("payments has not noticed who knocked")

// strangerSeen waits until payments has noted the connection that it refused: whom it refused was not told why.
func (sh *shop) strangerSeen(ctx context.Context) (reason string, err error) {
	err = until(ctx, errNoStranger, func() (bool, error) {
		s, err := sh.state()
		for key, e := range s.Events {
			if r, ok := strings.CutPrefix(key, stranger+" payments "); ok && e.Last.After(sh.moments.began) {
				reason = r
			}
		}
		return reason != "", err
	})
	return reason, err
}

// member is the identity of a service, by the shop's own authority.
func member(service string) func(*shop) (security.Identity, error) {
	return func(sh *shop) (security.Identity, error) {
		svid, err := sh.issuer.authority.Issue(identityOf(service))
		if err != nil {
			return nil, err
		}
		return svid.Material()
	}
}

// forged is the same by an authority of which the shop knows nothing. Whom the shop trusts is no secret, so the forger can
// tell the real servers.
func forged(service string) func(*shop) (security.Identity, error) {
	return func(sh *shop) (security.Identity, error) {
		other, err := ca.New(ca.Config{TrustDomain: trustDomain})
		if err != nil {
			return nil, err
		}
		svid, err := other.Issue(identityOf(service))
		if err != nil {
			return nil, err
		}
		for _, root := range sh.issuer.authority.Bundle().X509Authorities() {
			svid.Bundles[0].AddX509Authority(root)
		}
		return svid.Material()
	}
}
