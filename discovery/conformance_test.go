package discovery_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/discoverytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStaticConforms(t *testing.T) {
	discoverytest.Run(t, discoverytest.Harness{
		Open: func(_ *testing.T, content discoverytest.Content) discoverytest.Registry {
			return discoverytest.Registry{Source: discovery.Static(content)}
		},
	})
}

func TestFileConforms(t *testing.T) {
	discoverytest.Run(t, discoverytest.Harness{
		Open: func(t *testing.T, content discoverytest.Content) discoverytest.Registry {
			e := newEndpointFile(t, content)
			return discoverytest.Registry{
				Source: e.open(t),
				Set:    func(s string, endpoints []discovery.Endpoint) { e.content[s] = endpoints; e.write(e.json()) },
				Remove: func(s string) { delete(e.content, s); e.write(e.json()) },
				Fail:   func() { e.write([]byte("services: {orders: [oops")); e.logs.until("is bad") },
				Recover: func() {
					e.write(e.json())
					e.logs.until("is good again")
				},
			}
		},
	})
}

func TestDNSConforms(t *testing.T) {
	discoverytest.Run(t, discoverytest.Harness{
		Port:        8080,
		AddressOnly: true,
		Bubble:      synctest.Test,
		Open: func(t *testing.T, content discoverytest.Content) discoverytest.Registry {
			zone := newZone()
			for service, endpoints := range content {
				zone.set(hostOf(service), addrsOf(endpoints))
			}
			d, err := discovery.NewDNS(discovery.DNSConfig{Resolver: zone})
			if err != nil {
				t.Fatal(err)
			}
			return discoverytest.Registry{
				Source:  d,
				Set:     func(s string, endpoints []discovery.Endpoint) { zone.set(hostOf(s), addrsOf(endpoints)) },
				Remove:  func(s string) { zone.remove(hostOf(s)) },
				Fail:    func() { zone.fail(errors.New("server misbehaving")); time.Sleep(10 * time.Minute) },
				Recover: func() { zone.fail(nil) },
			}
		},
	})
}

// TestMergeConforms lists even endpoints in one registry and odd ones in another; the first knows the details.
func TestMergeConforms(t *testing.T) {
	for _, diffs := range []bool{false, true} {
		t.Run(fmt.Sprintf("diffs=%v", diffs), func(t *testing.T) {
			discoverytest.Run(t, discoverytest.Harness{
				Bubble: synctest.Test,
				Open: func(_ *testing.T, content discoverytest.Content) discoverytest.Registry {
					a, b := &memory{diffs: diffs}, &memory{diffs: diffs}
					set := func(s string, endpoints []discovery.Endpoint) {
						var even, odd []discovery.Endpoint
						for i, e := range endpoints {
							if i%2 == 0 {
								even = append(even, e)
								odd = append(odd, discovery.Endpoint{Addr: e.Addr, Zone: "overruled"})
							} else {
								odd = append(odd, e)
							}
						}
						b.set(s, odd)
						a.set(s, even)
					}
					a.set("-", nil)
					b.set("-", nil)
					for s, endpoints := range content {
						set(s, endpoints)
					}
					return discoverytest.Registry{
						Source:  discovery.Merge(a, discovery.Static{}, b),
						Set:     func(s string, e []discovery.Endpoint) { set(s, e); synctest.Wait() },
						Remove:  func(s string) { a.remove(s); b.remove(s) },
						Fail:    func() { a.fail(errors.New("away")); b.fail(errors.New("away")); time.Sleep(time.Hour) },
						Recover: func() { a.fail(nil); b.fail(nil) },
					}
				},
			})
		})
	}
}
