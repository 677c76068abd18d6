package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// settle is how long the last requests on connections of the old certificates may take.
const settle = 300 * time.Millisecond

// renewCertificates gives every process a new certificate of the same root.
func renewCertificates(ctx context.Context, sh *shop, _ time.Duration) error {
	sh.moments.begin()
	if err := sh.issuer.renew(); err != nil {
		return err
	}
	return sh.allRenewed(ctx)
}

// replaceRoot replaces the root in three steps, so that at no time somebody shows a certificate that another cannot check.
func replaceRoot(ctx context.Context, sh *shop, _ time.Duration) error {
	sh.moments.begin()
	authority := sh.issuer.authority
	for _, do := range []func() error{
		authority.AddRoot, // a new root is trusted, and signs nothing yet
		authority.UseRoot, // it signs; the old one is still trusted
		func() error { sleep(ctx, settle); return authority.DropRoots() },
	} {
		if err := do(); err != nil {
			return err
		}
		if err := sh.issuer.renew(); err != nil {
			return err
		}
		if err := sh.allRenewed(ctx); err != nil {
			return err
		}
	}
	return nil
}

var errStale = errors.New("a process does not take its new certificate")

// allRenewed returns when every process uses the certificate that it was given last, and the roots that came with it.
func (sh *shop) allRenewed(ctx context.Context) error {
	defer func() { sh.moments.renewed = time.Now() }()
	return until(ctx, errStale, func() (bool, error) {
		for _, p := range sh.running() {
			s, err := p.ask(question{})
			if err != nil || s.Serial != sh.issuer.serial(p.name) {
				return false, err
			}
		}
		return true, nil
	})
}

// renewed says how requests came through a renewal: by the certificates that their callers have now, or by earlier ones.
func (sh *shop) renewed(s events) string {
	latest := sh.issuer.latest()
	old, now := 0, 0
	for key, e := range s {
		switch serial, ok := strings.CutPrefix(key, served+" "); {
		case !ok:
		case latest[serial]:
			now += e.Times
		default:
			old += e.Times
		}
	}
	m := sh.moments
	return fmt.Sprintf("%d processes had them after %s; requests under earlier certificates %d, under the last %d",
		len(sh.running()), round(m.renewed.Sub(m.began)), old, now)
}

// until asks done again and again, and gives up after some time, or when ctx ends.
func until(ctx context.Context, late error, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, late)
	defer cancel()
	for ctx.Err() == nil {
		if ok, err := done(); ok || err != nil {
			return err
		}
		sleep(ctx, 10*time.Millisecond)
	}
	return context.Cause(ctx)
}
