package discovery_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/intramesh/intramesh/discovery"
)

// zone is a name server.
type zone struct {
	mu      sync.Mutex
	hosts   map[string][]netip.Addr
	err     error
	denies  bool // says that no host exists
	lookups int
}

func newZone() *zone { return &zone{hosts: map[string][]netip.Addr{}} }

func (z *zone) change(f func()) {
	z.mu.Lock()
	defer z.mu.Unlock()
	f()
}

func (z *zone) set(host string, addrs []netip.Addr) { z.change(func() { z.hosts[host] = addrs }) }
func (z *zone) remove(host string)                  { z.change(func() { delete(z.hosts, host) }) }
func (z *zone) fail(err error)                      { z.change(func() { z.err = err }) }
func (z *zone) deny(yes bool)                       { z.change(func() { z.denies = yes }) }

func (z *zone) count() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.lookups
}

func (z *zone) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.lookups++
	addrs, known := z.hosts[host]
	switch {
	case network != "ip":
		return nil, fmt.Errorf("unexpected network %q", network)
	case z.err != nil:
		return nil, &net.DNSError{Err: z.err.Error(), Name: host, IsTemporary: true}
	case !known || z.denies:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

func hostOf(service string) string {
	host, _, err := net.SplitHostPort(service)
	if err != nil {
		return service
	}
	return host
}

func addrsOf(endpoints []discovery.Endpoint) []netip.Addr {
	var addrs []netip.Addr
	for _, e := range endpoints {
		addrs = append(addrs, netip.MustParseAddrPort(e.Addr).Addr())
	}
	return addrs
}
