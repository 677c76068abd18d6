package shop

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/intramesh/intramesh/security/ca"
)

// The identities of the shop, which are of TrustDomain. Lives are short, so that certificates are renewed while you watch;
// an hour is usual.
const (
	TrustDomain = "shop"
	life        = 20 * time.Second
)

// IdentityOf is who the processes of a service are: all of them the same, each with a key of its own.
func IdentityOf(service string) string { return "spiffe://" + TrustDomain + "/" + service }

// identityDir is where a process finds its certificate, its key and the roots that it trusts.
func identityDir(dir, name string) string { return filepath.Join(dir, "identities", name) }

// issuer holds the authority of the shop and keeps the files of all processes up to date. In a real system this is what
// cert-manager, SPIRE or a sidecar's agent does; the processes would not notice the difference.
type issuer struct {
	authority *ca.CA
	dir       string

	mu       sync.Mutex
	services map[string]string // of the processes that there are, by name
	serials  map[string]string // of their latest certificates
}

func newIssuer(dir string) (*issuer, error) {
	authority, err := ca.New(ca.Config{TrustDomain: TrustDomain, TTL: life})
	if err != nil {
		return nil, err
	}
	return &issuer{authority: authority, dir: dir, services: map[string]string{}, serials: map[string]string{}}, nil
}

// enrol gives a new process its first certificate.
func (i *issuer) enrol(name, service string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.services[name] = service
	return i.write(name)
}

// strike forgets a process.
func (i *issuer) strike(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.services, name)
	delete(i.serials, name)
}

// renew gives every process a new certificate, and the roots of now.
func (i *issuer) renew() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for name := range i.services {
		if err := i.write(name); err != nil {
			return err
		}
	}
	return nil
}

// write needs mu.
func (i *issuer) write(name string) error {
	svid, err := i.authority.Issue(IdentityOf(i.services[name]))
	if err != nil {
		return err
	}
	i.serials[name] = svid.Certificate.Leaf.SerialNumber.String()
	return svid.WritePEM(identityDir(i.dir, name))
}

// keep renews when half of a life is over, until ctx ends.
func (i *issuer) keep(ctx context.Context) error {
	t := time.NewTicker(life / 2)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := i.renew(); err != nil {
				return err
			}
		}
	}
}

// serial is that of the latest certificate of a process; empty for one that there is not.
func (i *issuer) serial(name string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.serials[name]
}

// latest are all of them.
func (i *issuer) latest() map[string]bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := make(map[string]bool, len(i.serials))
	for _, s := range i.serials {
		all[s] = true
	}
	return all
}
