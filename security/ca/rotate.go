package ca

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// AddRoot makes a new root, which all identities of this CA trust when it returns. It signs nothing before [CA.UseRoot].
func (c *CA) AddRoot() error {
	r, err := newRoot(c.domain, c.rootTTL)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roots = append(c.roots, r)
	return c.refresh(false)
}

// UseRoot lets the newest root sign from now on, and renews all identities of this CA. Whoever reads files must have read
// the new bundle before.
func (c *CA) UseRoot() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signer = c.roots[len(c.roots)-1]
	return c.refresh(true)
}

// DropRoots ends the trust in all roots but the one that signs. What the others have signed is worth nothing from then on,
// so it should have been replaced before; connections that are being made should have been finished.
func (c *CA) DropRoots() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roots = []*root{c.signer}
	return c.refresh(false)
}

// Rotate replaces the root: [CA.AddRoot], [CA.UseRoot], [CA.DropRoots]. It waits for settle between the first two, so that
// everybody trusts the new root before anything is signed by it, and for settle plus the life of a certificate before the
// last. When the context ends before that, it returns its error, and both roots remain trusted.
func (c *CA) Rotate(ctx context.Context, settle time.Duration) error {
	if err := c.AddRoot(); err != nil {
		return err
	}
	if err := wait(ctx, settle); err != nil {
		return err
	}
	if err := c.UseRoot(); err != nil {
		return err
	}
	if err := wait(ctx, settle+c.ttl); err != nil {
		return err
	}
	return c.DropRoots()
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(max(d, 1))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("ca: rotate: %w", context.Cause(ctx))
	case <-t.C:
		return nil
	}
}

// refresh gives the identities the roots of now; with a new certificate where asked for, or where theirs was signed by a
// root that is no longer trusted. One that has expired, as happens with its root, is of no use with other roots either. It
// needs mu.
func (c *CA) refresh(renew bool) error {
	var errs []error
	for i := range c.identities {
		switch {
		case renew || !c.trusts(i.svid.signer):
			errs = append(errs, i.renew())
		case !i.now.Load().Expired(time.Now()):
			svid := *i.svid
			svid.Bundles = c.bundles()
			errs = append(errs, i.use(&svid))
		}
	}
	return errors.Join(errs...)
}

func (c *CA) trusts(r *root) bool {
	return slices.Contains(c.roots, r)
}
