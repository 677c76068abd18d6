package consul

import (
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	cfg := Config{Datacenter: "home", Services: map[string]Query{
		"canary":      {Service: "orders", Tags: []string{"v2", "a"}, Filter: "Service.Meta.x == y"},
		"orders:9090": {Service: "orders-admin", Datacenter: "dc9"},
		"a.b.c":       {Service: "dotted"},
	}}
	for _, c := range []struct {
		name string
		want question
		bad  bool
	}{
		{name: "orders", want: question{service: "orders", datacenter: "home"}},
		{name: "orders.dc2", want: question{service: "orders", datacenter: "dc2"}},
		{name: "orders.service", want: question{service: "orders", datacenter: "home"}},
		{name: "orders.service.consul", want: question{service: "orders", datacenter: "home"}},
		{name: "orders.service.dc2.consul.", want: question{service: "orders", datacenter: "dc2"}},
		{name: "v2.orders.service.dc2", want: question{service: "orders", datacenter: "dc2", tags: "v2", subset: true}},
		{name: "orders:8080", want: question{service: "orders", datacenter: "home", filter: "Service.Port == 8080"}},
		{name: "service", want: question{service: "service", datacenter: "home"}},
		{name: "canary", want: question{service: "orders", datacenter: "home", tags: "a\x00v2", filter: "Service.Meta.x == y", subset: true}},
		{name: "canary:1", want: question{service: "orders", datacenter: "home", tags: "a\x00v2",
			filter: "(Service.Meta.x == y) and Service.Port == 1", subset: true}},
		{name: "orders:9090", want: question{service: "orders-admin", datacenter: "dc9"}},
		{name: "a.b.c", want: question{service: "dotted", datacenter: "home"}},
		{name: "", bad: true},
		{name: "a.b.d", bad: true},
		{name: "a..b", bad: true},
		{name: "orders:0", bad: true},
		{name: "orders:http", bad: true},
		{name: "orders/x", bad: true},
		{name: "x.v2.orders.service", bad: true},
		{name: "orders?dc=x", bad: true},
	} {
		got, ok := cfg.resolve(c.name)
		if ok == c.bad || ok && got != c.want {
			t.Errorf("%q: %+v %t, want %+v", c.name, got, ok, c.want)
		}
	}
}

// FuzzResolve checks that no name reaches further than into one part of a URL's path, and no port beyond a comparison.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{"orders", "orders.dc2", "v2.orders.service.dc2.consul", "orders:80", "a:b:c", "..", "[::1]:8", "%2f", "a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		q, ok := (&Config{}).resolve(name)
		if !ok {
			return
		}
		if q.service == "" || strings.ContainsAny(q.service+q.datacenter+q.tags, "/?#% \n") {
			t.Errorf("%q is %+v", name, q)
		}
		if rest := strings.TrimPrefix(q.filter, "Service.Port == "); strings.Trim(rest, "0123456789") != "" {
			t.Errorf("%q has the filter %q", name, q.filter)
		}
		if again, ok := (&Config{}).resolve(name); !ok || again != q {
			t.Errorf("%q is %+v and %+v", name, q, again)
		}
	})
}
