package traffic

import (
	"math/rand/v2"
	"testing"
)

// dice makes random policies and requests of few words, so that they meet often.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

func (d dice) in(n int) bool { return d.IntN(n) == 0 }

func (d dice) value(texts ...string) Value {
	t := pick(d, texts...)
	switch d.IntN(10) {
	case 0, 1, 2:
		return Value{Op: OpExact, Text: t, IgnoreCase: d.in(4)}
	case 3, 4:
		return Value{Op: OpPrefix, Text: t[:1+d.IntN(len(t))], IgnoreCase: d.in(4)}
	case 5:
		return Value{Op: OpSuffix, Text: t[d.IntN(len(t)):], IgnoreCase: d.in(4)}
	case 6:
		return Regex(t)
	case 7:
		return Regex(t[:1+d.IntN(len(t))] + ".*")
	case 8:
		return Regex("(?i)" + t + "|x")
	default:
		return Regex(".*" + t[len(t)/2:])
	}
}

var (
	someHosts = []string{"orders", "Orders", "orders:8080", "orders:80", "users", "*.shop", "*.eu.shop", "*.eu.shop:443", "*", "*:8080", "a.eu.shop"}
	someNames = []string{"orders", "ORDERS", "orders:8080", "orders:443", "users", "a.shop", "eu.shop", "a.eu.shop", "b.a.EU.shop", "other", "a.eu.shop:8080", ".shop"}
	somePaths = []string{"/", "/v1", "/v1/", "/v1/a", "/V1/a", "/v1/a/b", "/v1b", "/v2/a", "/shop.Orders/Place", "/shop.Orders/Get", "/shop.Users/Get", "/a/b/c"}
	someTexts = []string{"a", "ab", "abc", "b", "B", "x"}
	someField = []string{"x-a", "X-B", "user"}
	someQuery = []string{"", "a=ab", "a=a%62&b=x", "b=abc&a=b", "a=x;y&a=b", "user=%zz&user=a", "%61=abc", "a", "a=+b&b=B"}
)

func (d dice) path() Value {
	if d.in(3) {
		return Value{Op: OpPathPrefix, Text: pick(d, somePaths...), IgnoreCase: d.in(4)}
	}
	return d.value(somePaths...)
}

func (d dice) field() Field {
	f := Field{Name: pick(d, someField...), Not: d.in(4)}
	switch d.IntN(4) {
	case 0:
		f.Value = Present()
	case 1:
		f.Value = Absent()
	default:
		f.Value = d.value(someTexts...)
	}
	if d.in(3) {
		f.Name = pick(d, "a", "b", "user")
	}
	return f
}

func (d dice) match() (m Match) {
	if !d.in(3) {
		m.Path = d.path()
	}
	if d.in(4) {
		m.GRPC = &GRPCMatch{}
		if d.in(2) {
			m.GRPC.Service = d.value("shop.Orders", "shop.Users", "SHOP.orders")
		}
		if d.in(2) {
			m.GRPC.Method = d.value("Place", "Get", "get")
		}
	}
	if d.in(8) {
		m.Scheme = d.value("http", "https")
	}
	if d.in(8) {
		m.Authority = d.value("orders.example", "orders.example:80")
	}
	if d.in(8) {
		m.Port = pick[uint16](d, 80, 443, 8080)
	}
	if d.in(5) {
		m.Method = d.value("GET", "POST")
	}
	for range d.IntN(3) {
		m.Headers = append(m.Headers, d.field())
	}
	if d.in(4) {
		m.Query = append(m.Query, d.field())
	}
	if d.in(6) {
		m.Source = map[string]string{"app": pick(d, "web", "batch")}
	}
	return m
}

func (d dice) routes(n int) (p Policy) {
	for range n {
		r := Route{}
		for range d.IntN(3) {
			r.Hosts = append(r.Hosts, pick(d, someHosts...))
		}
		for range d.IntN(4) {
			r.Match = append(r.Match, d.match())
		}
		if len(r.Hosts)+len(r.Match) == 0 {
			r.Match = append(r.Match, d.match())
		}
		p.Routes = append(p.Routes, r)
	}
	return p
}

func (d dice) request() *Request {
	q := &Request{
		Service: pick(d, someNames...), Authority: pick(d, "orders.example", "Orders.example:80"), Path: pick(d, somePaths...),
		Method: pick(d, "GET", "POST"), Scheme: pick(d, "http", "https"), RawQuery: pick(d, someQuery...),
	}
	if d.in(3) {
		q.GRPC, q.Scheme, q.Method, q.RawQuery = true, "", "POST", ""
		q.Path = pick(d, "/shop.Orders/Place", "/shop.Orders/Get", "/shop.Users/Get", "/SHOP.orders/get")
	}
	h := naiveHeader{}
	for _, name := range []string{"x-a", "x-b", "user"} {
		for range d.IntN(3) {
			h[name] = append(h[name], pick(d, append(someTexts, "")...))
		}
	}
	q.Header = h
	return q
}

// tableOf makes a table of routes that need not make sense.
func tableOf(t testing.TB, p Policy, local Local) (*compiler, *Table) {
	t.Helper()
	c := newCompiler(p, local)
	c.check()
	for _, err := range c.errs {
		if e := err.(*FieldError); e.Cause != ErrNeverMatches && e.Why != "Hosts[0] is the same" {
			t.Fatalf("%v in %v", err, p)
		}
	}
	for i := range p.Routes { // what was not checked any further for a contradiction
		for j := range p.Routes[i].Match {
			for _, f := range append(p.Routes[i].Match[j].Headers, p.Routes[i].Match[j].Query...) {
				c.checkValue("", f.Value)
			}
		}
	}
	c.errs = nil
	return c, c.table()
}

// Over random policies and requests the table answers as the naive evaluator does, and so does Explain; and a route that
// is said never to match never does.
func TestTableIsTheNaiveEvaluator(t *testing.T) {
	const policies, requests = 1000, 50
	local := Local{Labels: map[string]string{"app": "web"}}
	matched, covered, places := 0, 0, map[int]int{}
	for seed := range uint64(policies) {
		d := newDice(seed)
		p := d.routes(1 + d.IntN(30))
		c, table := tableOf(t, p, local)
		c.checkShadows(table)
		dead := map[int]bool{}
		for _, err := range c.errs {
			for i := range p.Routes {
				if err.(*FieldError).Path == "Routes["+itoa(i)+"]" {
					dead[i] = true
				}
			}
		}
		covered += len(dead)
		for range requests {
			q := d.request()
			route, match := naiveMatch(p, local, q)
			got := table.Match(q)
			e := table.Explain(q)
			if dead[route] {
				t.Fatalf("seed %d: route %d is said never to match, and does\n%+v\n%v", seed, route, q, p)
			}
			if route < 0 {
				if got != nil || e.Rule != "" {
					t.Fatalf("seed %d: the table has %s, the evaluator none\n%+v\n%v", seed, got.place(), q, p)
				}
				continue
			}
			matched++
			places[min(route, 9)]++
			if got == nil || got.Index != route || got.Match != match || e.Rule != got.Name || e.Match != got.matchName() {
				t.Fatalf("seed %d: the evaluator has %d.%d, the table %+v\n%+v\n%v", seed, route, match, got, q, p)
			}
		}
	}
	if total := policies * requests; matched < total/2 || matched > total*19/20 || covered < 500 || places[9] < total/20 {
		t.Errorf("poor coverage: %d of %d matched, %d routes covered, at places %v", matched, total, covered, places)
	}
	t.Logf("%d of %d matched, %d routes covered, at places %v", matched, policies*requests, covered, places)
}
