package main

import (
	"context"
	"fmt"
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// settle is how long the last requests on connections of the old certificates may take.
const settle = 300 * time.Millisecond

// renewCertificates gives every process a new certificate of the same root.
func (s *show) renewCertificates(ctx context.Context, sh *shop.Shop, _ time.Duration) error {
	s.moments.begin()
	defer func() { s.moments.renewed = time.Now() }()
	return sh.Renew(ctx)
}

// replaceRoot replaces the root in three steps, so that at no time somebody shows a certificate that another cannot check.
func (s *show) replaceRoot(ctx context.Context, sh *shop.Shop, _ time.Duration) error {
	s.moments.begin()
	defer func() { s.moments.renewed = time.Now() }()
	authority := sh.Authority()
	for _, do := range []func() error{
		authority.AddRoot, // a new root is trusted, and signs nothing yet
		authority.UseRoot, // it signs; the old one is still trusted
		func() error { shop.Sleep(ctx, settle); return authority.DropRoots() },
	} {
		if err := do(); err != nil {
			return err
		}
		if err := sh.Renew(ctx); err != nil {
			return err
		}
	}
	return nil
}

// renewed says how the processes and their requests came through a renewal.
func (s *show) renewed(sh *shop.Shop, _, during shop.State) string {
	return fmt.Sprintf("%d processes had them after %s; %s",
		len(sh.Running()), shop.Round(s.moments.renewed.Sub(s.moments.began)), sh.Renewed(during.Events))
}
