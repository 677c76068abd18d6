package ca_test

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newCA(t testing.TB, cfg ca.Config) *ca.CA {
	t.Helper()
	if cfg.TrustDomain == "" {
		cfg.TrustDomain = "shop"
	}
	cfg.Logger = slog.New(slog.DiscardHandler)
	c, err := ca.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func identity(t testing.TB, c *ca.CA, id string) *ca.Identity {
	t.Helper()
	i, err := c.Identity(id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func now(id security.Identity) *security.Material {
	m, _ := id.Watch()
	return m
}

func TestNewErrors(t *testing.T) {
	for want, cfg := range map[string]ca.Config{
		`Config.TrustDomain is ""`:      {},
		`Config.TrustDomain is "a b"`:   {TrustDomain: "a b"},
		"Config.TTL is 1ms":             {TrustDomain: "shop", TTL: time.Millisecond},
		"Config.TTL is -1s":             {TrustDomain: "shop", TTL: -time.Second},
		"Config.RootTTL is 1m0s, which": {TrustDomain: "shop", RootTTL: time.Minute},
	} {
		c, err := ca.New(cfg)
		if c != nil || err == nil || !strings.HasPrefix(err.Error(), "ca: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

// The certificate is what the X509-SVID specification wants.
func TestIssue(t *testing.T) {
	c := newCA(t, ca.Config{TTL: 10 * time.Minute})
	s, err := c.Issue("spiffe://shop/ns/a/sa/web")
	if err != nil {
		t.Fatal(err)
	}
	leaf := s.Certificate.Leaf
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != "spiffe://shop/ns/a/sa/web" || leaf.IsCA || !leaf.BasicConstraintsValid ||
		leaf.KeyUsage != x509.KeyUsageDigitalSignature || len(leaf.ExtKeyUsage) != 2 {
		t.Errorf("%+v", leaf)
	}
	if left := time.Until(leaf.NotAfter); left < 9*time.Minute || left > 11*time.Minute || time.Since(leaf.NotBefore) < 50*time.Second {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	root := c.Bundle().X509Authorities()[0]
	if !root.IsCA || !root.MaxPathLenZero || root.KeyUsage&x509.KeyUsageCertSign == 0 || root.URIs[0].String() != "spiffe://shop" {
		t.Errorf("%+v", root)
	}
	if m, err := s.Material(); err != nil || m.ID() != s.ID {
		t.Error(err)
	}
	if s, err := c.Issue("/web"); err != nil || s.ID.String() != "spiffe://shop/web" {
		t.Error(s, err)
	}
	for _, id := range []string{"", "web", "spiffe://shop", "spiffe://evil/web", "/", "/a//b", "/a/../b", "https://shop/web", "/a b"} {
		if s, err := c.Issue(id); s != nil || err == nil || !strings.HasPrefix(err.Error(), "ca: ") {
			t.Errorf("%q: %v", id, err)
		}
		if i, err := c.Identity(id); i != nil || err == nil {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// An identity is renewed at about half of its life, again and again, and never expires.
func TestIdentityRenewsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCA(t, ca.Config{TTL: time.Hour})
		id := identity(t, c, "/web")
		for range 20 {
			m, changed := id.Watch()
			<-changed
			life := m.NotAfter().Sub(m.NotBefore())
			if share := float64(time.Since(m.NotBefore())) / float64(life); share < 0.4 || share > 0.601 {
				t.Errorf("renewed at %.2f of its life", share)
			}
			if now(id).Certificate().Leaf.Equal(m.Certificate().Leaf) {
				t.Error("not renewed")
			}
		}
		if err := id.Close(); err != nil {
			t.Error(err)
		}
		_, changed := id.Watch()
		time.Sleep(2 * time.Hour)
		select {
		case <-changed:
			t.Error("renewed after Close")
		default:
		}
		if !now(id).Expired(time.Now()) {
			t.Error("does not expire")
		}
		_ = c.Close()
	})
}

// Those who began together do not renew together.
func TestRenewalsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCA(t, ca.Config{TTL: time.Hour})
		heard := make(chan time.Time)
		for range 10 {
			_, changed := identity(t, c, "/web").Watch()
			go func() {
				<-changed
				heard <- time.Now()
			}()
		}
		times := map[time.Time]bool{}
		for range 10 {
			times[<-heard] = true
		}
		if len(times) < 2 {
			t.Errorf("ten renewals at %d times", len(times))
		}
		_ = c.Close()
	})
}

// No certificate outlives its root; when the root ends, renewal fails until there is another.
func TestRootExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCA(t, ca.Config{TTL: time.Hour, RootTTL: 90 * time.Minute})
		id := identity(t, c, "/web")
		time.Sleep(80 * time.Minute)
		root := c.Bundle().X509Authorities()[0]
		if m := now(id); m.NotAfter().After(root.NotAfter) || m.Expired(time.Now()) {
			t.Errorf("valid to %v, the root to %v", m.NotAfter(), root.NotAfter)
		}
		time.Sleep(20 * time.Minute)
		if _, err := c.Issue("/web"); err == nil || !strings.Contains(err.Error(), "root has expired") {
			t.Error(err)
		}
		if !now(id).Expired(time.Now()) {
			t.Error("outlives its root")
		}
		// An expired root in the bundle harms nobody.
		if err := errors.Join(c.AddRoot(), c.UseRoot()); err != nil {
			t.Error(err)
		}
		if m := now(id); m.Expired(time.Now()) {
			t.Error("not renewed by the new root")
		}
		_ = c.Close()
	})
}

func TestClose(t *testing.T) {
	c := newCA(t, ca.Config{})
	id := identity(t, c, "/web")
	for range 2 {
		if err := errors.Join(c.Close(), id.Close()); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Identity("/web"); err == nil {
		t.Error("an identity that nobody renews")
	}
	if id.ID().String() != "spiffe://shop/web" || now(id) == nil {
		t.Error("closing took the identity away")
	}
}

func TestFederate(t *testing.T) {
	shop, partner := newCA(t, ca.Config{}), newCA(t, ca.Config{TrustDomain: "partner"})
	id := identity(t, shop, "/web")
	if err := shop.Federate(partner.Bundle()); err != nil {
		t.Fatal(err)
	}
	if tds := now(id).TrustDomains(); len(tds) != 2 || len(now(identity(t, shop, "/new")).TrustDomains()) != 2 {
		t.Errorf("trusts %v", tds)
	}
	for _, err := range []error{shop.Federate(nil), shop.Federate(shop.Bundle())} {
		if err == nil {
			t.Error("federated with nobody")
		}
	}
}

// The three steps of a rotation, and what is trusted after each.
func TestRotationSteps(t *testing.T) {
	c := newCA(t, ca.Config{})
	id := identity(t, c, "/web")
	first := now(id).Certificate().Leaf
	trusted := func(want int) {
		t.Helper()
		if n := len(now(id).Authorities(c.TrustDomain())); n != want || len(c.Bundle().X509Authorities()) != want {
			t.Errorf("%d roots, want %d", n, want)
		}
	}
	trusted(1)
	if err := c.AddRoot(); err != nil {
		t.Fatal(err)
	}
	trusted(2)
	if !now(id).Certificate().Leaf.Equal(first) {
		t.Error("renewed before the root is in use")
	}
	if err := c.UseRoot(); err != nil {
		t.Fatal(err)
	}
	trusted(2)
	if leaf := now(id).Certificate().Leaf; leaf.Equal(first) || leaf.Issuer.String() == first.Issuer.String() {
		t.Error("not renewed by the new root")
	}
	if err := c.DropRoots(); err != nil {
		t.Fatal(err)
	}
	trusted(1)
	if err := errors.Join(c.AddRoot(), c.DropRoots()); err != nil { // a rotation that is called off
		t.Error(err)
	}
	trusted(1)
}

func TestRotateTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCA(t, ca.Config{TTL: time.Hour})
		id := identity(t, c, "/web")
		start := time.Now()
		var at []time.Duration
		done := make(chan error, 1)
		go func() { done <- c.Rotate(context.Background(), time.Minute) }()
		roots, issuer := 1, now(id).Certificate().Leaf.Issuer.String()
		for {
			m, changed := id.Watch()
			if n, i := len(m.Authorities(c.TrustDomain())), m.Certificate().Leaf.Issuer.String(); n != roots || i != issuer {
				roots, issuer = n, i
				at = append(at, time.Since(start))
			}
			if len(at) == 3 {
				break
			}
			<-changed
		}
		if err := <-done; err != nil || at[0] != 0 || at[1] != time.Minute || at[2] != time.Hour+2*time.Minute {
			t.Errorf("steps at %v, %v", at, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := c.Rotate(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) || len(c.Bundle().X509Authorities()) != 2 {
			t.Errorf("%v, %d roots", err, len(c.Bundle().X509Authorities()))
		}
		_ = c.Close()
	})
}
