package traffic

import (
	"fmt"
	"net/http"
	"testing"
)

// httpHeader looks up as the HTTP client does.
type httpHeader http.Header

func (h httpHeader) Lookup(_, canonical string) (string, bool) {
	if v := h[canonical]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// A scene is a policy of n routes and a request that the last of them, or one near it, matches.
type scene struct {
	name   string
	routes func(n int) []Route
	q      func(n int) *Request
}

func each(n int, route func(i int) Route) []Route {
	list := make([]Route, n)
	for i := range list {
		list[i] = route(i)
	}
	return list
}

func paths(path func(i int) Value) func(n int) []Route {
	return func(n int) []Route {
		return each(n, func(i int) Route {
			return Route{Hosts: []string{"orders"}, Match: []Match{{Path: path(i)}}, To: []Backend{{Service: "a"}}}
		})
	}
}

var scenes = []scene{
	{"host", func(n int) []Route {
		return each(n, func(i int) Route { return Route{Hosts: []string{fmt.Sprintf("service-%d:8080", i)}} })
	}, func(n int) *Request { return &Request{Service: fmt.Sprintf("service-%d:8080", n-1), Path: "/v1"} }},
	{"suffix", func(n int) []Route {
		return each(n, func(i int) Route { return Route{Hosts: []string{fmt.Sprintf("*.ns-%d.shop", i)}} })
	}, func(n int) *Request { return &Request{Service: fmt.Sprintf("a.b.c.ns-%d.shop", n-1), Path: "/v1"} }},
	{"exact path", paths(func(i int) Value { return Exact(fmt.Sprintf("/v1/users/%d", i)) }),
		func(n int) *Request { return &Request{Service: "orders", Path: fmt.Sprintf("/v1/users/%d", n-1)} }},
	{"exact path, any case", paths(func(i int) Value { return Value{OpExact, fmt.Sprintf("/v1/users/%d", i), true} }),
		func(n int) *Request { return &Request{Service: "orders", Path: fmt.Sprintf("/V1/Users/%d", n-1)} }},
	{"prefix", paths(func(i int) Value { return PathPrefix(fmt.Sprintf("/v1/users/%d", i)) }),
		func(n int) *Request {
			return &Request{Service: "orders", Path: fmt.Sprintf("/v1/users/%d/items/7", n-1)}
		}},
	{"regex with a literal beginning", paths(func(i int) Value { return Regex(fmt.Sprintf("/v1/users-%d/[0-9]+", i)) }),
		func(n int) *Request { return &Request{Service: "orders", Path: fmt.Sprintf("/v1/users-%d/12", n-1)} }},
	{"grpc method", func(n int) []Route {
		return each(n, func(i int) Route {
			return Route{Match: []Match{{GRPC: &GRPCMatch{Service: Exact(fmt.Sprintf("shop.S%d", i)), Method: Exact("Get")}}}}
		})
	}, func(n int) *Request {
		return &Request{GRPC: true, Service: "orders", Path: fmt.Sprintf("/shop.S%d/Get", n-1)}
	}},
	{"none", paths(func(i int) Value { return Exact(fmt.Sprintf("/v1/users/%d", i)) }),
		func(n int) *Request { return &Request{Service: "users", Path: fmt.Sprintf("/v1/users/%d", n-1)} }},
}

// worst are scenes in which every route must be asked.
var worst = []scene{
	{"header alone", func(n int) []Route {
		return each(n, func(i int) Route {
			return Route{Match: []Match{{Headers: []Field{{Name: "x-user", Value: Exact(fmt.Sprint("u", i))}}}}}
		})
	}, func(n int) *Request {
		return &Request{Service: "orders", Path: "/v1", Header: httpHeader{"X-User": {fmt.Sprint("u", n-1)}}}
	}},
	{"another header each", func(n int) []Route {
		return each(n, func(i int) Route {
			return Route{Match: []Match{{Headers: []Field{{Name: fmt.Sprint("x-", i), Value: Present()}}}}}
		})
	}, func(n int) *Request {
		return &Request{Service: "orders", Path: "/v1", Header: httpHeader{fmt.Sprint("X-", n-1): {"a"}}}
	}},
	{"regex alone", paths(func(i int) Value { return Regex(fmt.Sprintf(".*/users-%d", i)) }),
		func(n int) *Request { return &Request{Service: "orders", Path: fmt.Sprintf("/v1/users-%d", n-1)} }},
}

func (s scene) table(t testing.TB, n int) (*Table, *Request) {
	table, err := Compile(Policy{Routes: s.routes(n)}, Local{})
	if err != nil {
		t.Fatal(err)
	}
	return table, s.q(n)
}

var sink *Rule

func BenchmarkMatch(b *testing.B) {
	for _, s := range append(scenes, worst...) {
		for _, n := range []int{1, 100, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", s.name, n), func(b *testing.B) {
				table, q := s.table(b, n)
				b.ReportAllocs()
				for b.Loop() {
					sink = table.Match(q)
				}
			})
		}
	}
}

// large is the policy of a company: services with a canary and a version header, ten routes each.
func large(services int) Policy {
	var p Policy
	for s := range services {
		name := fmt.Sprintf("service-%d", s)
		for r := range 10 {
			p.Routes = append(p.Routes, Route{
				Name: fmt.Sprintf("%s-%d", name, r), Hosts: []string{name, name + ".shop.svc.cluster.local"},
				Match: []Match{{Path: PathPrefix(fmt.Sprintf("/v%d", r)), Headers: []Field{{Name: "x-env", Value: Regex("prod|staging")}}}},
				To:    []Backend{{Subset: "v1", Weight: 90}, {Subset: "v2", Weight: 10}},
			})
		}
		d := Destination{Service: name, Settings: Settings{Balance: &Balance{Algorithm: "round_robin"}}}
		for v := range 3 {
			d.Subsets = append(d.Subsets, Subset{Name: fmt.Sprint("v", v), Labels: map[string]string{"version": fmt.Sprint(v)}})
		}
		local := d
		local.Service += ".shop.svc.cluster.local"
		p.Destinations = append(p.Destinations, d, local)
	}
	return p
}

func BenchmarkCompile(b *testing.B) {
	p := large(1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(p, Local{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(large(1000).String())
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChoose(b *testing.B) {
	for _, n := range []int{1, 2, 10} {
		for _, key := range []*Key{nil, {Header: "x-user"}} {
			b.Run(fmt.Sprintf("%d/sticky=%t", n, key != nil), func(b *testing.B) {
				r := Route{Sticky: key}
				for i := range n {
					r.To = append(r.To, Backend{Service: fmt.Sprint("s", i), Weight: 1})
				}
				table, err := Compile(Policy{Routes: []Route{r}}, Local{})
				if err != nil {
					b.Fatal(err)
				}
				q := &Request{Header: httpHeader{"X-User": {"user-7"}}}
				rule := table.Match(q)
				var i uint64
				b.ReportAllocs()
				for b.Loop() {
					rule.Choose(q, i)
					i++
				}
			})
		}
	}
}
