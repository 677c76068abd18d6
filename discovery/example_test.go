package discovery_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/intramesh/intramesh/discovery"
)

// show prints the first thing that a source says of a service.
func show(s discovery.Source, service string) {
	ctx, cancel := context.WithCancel(context.Background())
	err := s.Watch(ctx, service, func(u discovery.Update) {
		fmt.Print(service, ": ", u.Kind)
		for _, e := range u.Endpoints {
			fmt.Print(" ", e.Addr)
		}
		fmt.Println()
		cancel()
	})
	if err != nil {
		fmt.Println(err)
	}
}

func ExampleStatic() {
	s := discovery.Static{
		"orders":  {{Addr: "127.0.0.1:8080"}, {Addr: "127.0.0.1:8081", Weight: 2}},
		"reviews": {},
	}
	show(s, "orders")
	show(s, "reviews")
	show(s, "orders:9090")
	// Output:
	// orders: set 127.0.0.1:8080 127.0.0.1:8081
	// reviews: set
	// orders:9090: absent
}

func ExampleNewFile() {
	dir, err := os.MkdirTemp("", "endpoints")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "endpoints.yaml")
	err = os.WriteFile(path, []byte(`
services:
  orders:
    - addr: 127.0.0.1:8080
      zone: a
    - 127.0.0.1:8081
`), 0o600)
	if err != nil {
		panic(err)
	}
	f, err := discovery.NewFile(discovery.FileConfig{Path: path})
	if err != nil {
		panic(err)
	}
	defer f.Close()
	show(f, "orders")
	show(f, "stock")
	// Output:
	// orders: set 127.0.0.1:8080 127.0.0.1:8081
	// stock: absent
}

// answers is a resolver for the example; programs leave DNSConfig.Resolver empty.
type answers []netip.Addr

func (a answers) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) { return a, nil }

func ExampleNewDNS() {
	d, err := discovery.NewDNS(discovery.DNSConfig{
		Port:     8080,
		Suffix:   ".prod.svc.cluster.local",
		Resolver: answers{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.1")},
	})
	if err != nil {
		panic(err)
	}
	show(d, "orders")
	show(d, "orders:9090")
	// Output:
	// orders: set 10.0.0.1:8080 10.0.0.2:8080
	// orders:9090: set 10.0.0.1:9090 10.0.0.2:9090
}

func ExampleMerge() {
	local := discovery.Static{"orders": {{Addr: "127.0.0.1:8080"}}}
	shared := discovery.Static{"orders": {{Addr: "10.0.0.1:8080"}}, "stock": {{Addr: "10.0.0.2:8080"}}}
	m := discovery.Merge(local, shared)
	show(m, "orders")
	show(m, "stock")
	show(m, "nobody")
	// Output:
	// orders: set 10.0.0.1:8080 127.0.0.1:8080
	// stock: set 10.0.0.2:8080
	// nobody: absent
}

func ExampleUpdate_Apply() {
	set := []discovery.Endpoint{{Addr: "10.0.0.1:80"}, {Addr: "10.0.0.2:80"}, {Addr: "10.0.0.3:80"}}
	u := discovery.Update{
		Kind:      discovery.Diff,
		Endpoints: []discovery.Endpoint{{Addr: "10.0.0.4:80"}, {Addr: "10.0.0.1:80", Zone: "b"}},
		Removed:   []string{"10.0.0.2:80"},
	}
	for _, e := range u.Apply(set) {
		fmt.Printf("%s zone %q\n", e.Addr, e.Zone)
	}
	// Output:
	// 10.0.0.1:80 zone "b"
	// 10.0.0.3:80 zone ""
	// 10.0.0.4:80 zone ""
}
