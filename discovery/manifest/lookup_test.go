package manifest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// zone is a DNS server in memory.
type zone struct {
	mu    sync.Mutex
	hosts map[string][]netip.Addr
	err   error
}

func (z *zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.err != nil {
		return nil, z.err
	}
	if z.hosts[host] == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return z.hosts[host], nil
}

func (z *zone) set(host string, addrs ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.hosts[host] = nil
	for _, a := range addrs {
		z.hosts[host] = append(z.hosts[host], netip.MustParseAddr(a))
	}
}

// TestLookups: hosts are followed in DNS, beside endpoints that have addresses; a new state that asks for others takes nothing
// away until they have an answer.
func TestLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{hosts: map[string][]netip.Addr{}}
		z.set("a.com", "10.0.0.1", "10.0.0.2")
		dns, err := discovery.NewDNS(discovery.DNSConfig{Resolver: z})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var set []discovery.Endpoint
		kinds := ""
		w := newWatch(ctx, &Plane{dns: dns}, "orders.com:80", func(u discovery.Update) {
			set = u.Apply(set)
			kinds += u.Kind.String() + " "
		})
		state := func(endpoints string) *State {
			return parse(t, Config{}, entryText("{hosts: [orders.com], resolution: DNS, "+web+", endpoints: ["+endpoints+"]}"))
		}
		is := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := show(&plan{known: true, ready: set}); got != want {
				t.Errorf("it is at %s, want %s", got, want)
			}
		}
		w.look(state("{address: a.com, weight: 2, labels: {v: x}}, {address: 10.1.0.1}"))
		is("10.0.0.1:8000 weight 2 v=x, 10.0.0.2:8000 weight 2 v=x, 10.1.0.1:8000")
		z.set("a.com", "10.0.0.3")
		time.Sleep(time.Minute)
		is("10.1.0.1:8000, 10.0.0.3:8000 weight 2 v=x")
		z.err = errors.New("server misbehaving")
		w.look(state("{address: b.com}"))
		is("10.1.0.1:8000, 10.0.0.3:8000 weight 2 v=x")
		z.err = nil
		z.set("b.com", "10.0.0.4")
		time.Sleep(time.Minute)
		is("10.0.0.4:8000")
		w.look(state("{address: gone.com}"))
		is("")
		if len(set) != 0 || kinds[len(kinds)-4:] != "set " {
			t.Errorf("a host that DNS does not know makes %q", kinds)
		}
		cancel()
		w.end()
	})
}
