package manifest

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
)

// dice makes resources and requests at random, of few words so that they meet.
type dice struct{ *rand.Rand }

func (d dice) of(words ...string) string { return words[d.IntN(len(words))] }

func (d dice) some(percent int, text string) string {
	if d.IntN(100) < percent {
		return text
	}
	return ""
}

func (d dice) text(delegating bool, values ...string) string {
	v := "'" + d.of(values...) + "'"
	switch n := d.IntN(10); {
	case n < 5:
		return "{exact: " + v + "}"
	case n < 9 || delegating:
		return "{prefix: " + v + "}"
	}
	return "{regex: " + v + "}"
}

func (d dice) match(delegating bool) string {
	uri := "uri: " + d.text(delegating, "/a", "/a/b", "/b", "/A", "/") + ", "
	if !delegating && d.IntN(4) == 0 {
		uri = "uri: {regex: '/[ab](/.*)?'}, "
	}
	return "{" + d.some(60, uri) + d.some(15, "ignoreUriCase: true, ") + d.some(15, "method: {exact: "+d.of("GET", "POST")+"}, ") +
		d.some(25, "headers: {x: "+d.of("{}", d.text(delegating, "1", "12", "2"), d.text(delegating, "1"))+"}, ") +
		d.some(15, "withoutHeaders: {y: "+d.of("{}", "{exact: '1'}", "{exact: ''}")+"}, ") +
		d.some(10, "queryParams: {k: "+d.of("{exact: ''}", "{prefix: v}", "{}")+"}, ") +
		d.some(10, "authority: {prefix: "+d.of("o", "x", "a")+"}, ") + d.some(15, "port: "+d.of("80", "81")+", ") +
		d.some(15, "sourceLabels: {app: "+d.of("web", "db")+"}, ") + d.some(10, "sourceNamespace: "+d.of("default", "shop")+", ") +
		d.some(10, "gateways: ["+d.of("mesh", "gw", "gw, mesh")+"], ") + "name: m}"
}

func (d dice) route(delegating bool) string {
	var matches []string
	for range d.IntN(4) {
		matches = append(matches, d.match(delegating))
	}
	return d.some(80, "match: ["+strings.Join(matches, ", ")+"], ") + d.some(25, "rewrite: {uri: "+d.of("/n", "/n/")+"}, ") + "route: [{destination: {host: to}}]"
}

func (d dice) routes(delegating bool, more ...string) string {
	list := more
	for range 1 + d.IntN(4) {
		list = append(list, d.route(delegating))
	}
	d.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return "http: [{" + strings.Join(list, "}, {") + "}]"
}

// resources are some VirtualServices, of which some delegate.
func (d dice) resources() string {
	var b strings.Builder
	for i := range 1 + d.IntN(5) {
		hosts := d.of("orders", "orders, x.a.com", "orders.shop.svc.cluster.local", "'*.a.com'", "'*.com'", "x.a.com", "'*.x.a.com', x.a.com")
		name := d.of("", "shop/") + "v" + decimal(uint32(i+1)) + d.some(60, "@202"+d.of("1", "2", "3"))
		var more []string
		if d.IntN(3) == 0 {
			leaf := "leaf" + decimal(uint32(i+1))
			b.WriteString(vs(d.of("", "shop/")+leaf, "{"+d.routes(true)+"}"))
			namespace := "default"
			if strings.Contains(b.String(), "name: "+leaf+", namespace: shop") {
				namespace = "shop"
			}
			more = []string{"match: [" + d.match(true) + d.some(50, ", "+d.match(true)) + "], " + d.some(25, "rewrite: {uri: /r}, ") + "delegate: {name: " + leaf + ", namespace: " + namespace + "}"}
		}
		b.WriteString(vs(name, "{hosts: ["+hosts+"], "+d.some(20, "gateways: ["+d.of("mesh", "gw, mesh", "gw")+"], ")+
			d.some(20, "exportTo: ["+d.of("'*'", "'.'", "default", "third")+"], ")+d.routes(false, more...)+"}"))
	}
	return b.String()
}

// TestVirtualServicesAgainstNaiveReading compares what random resources do to random requests with a naive reading of what
// Istio documents of them.
func TestVirtualServicesAgainstNaiveReading(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(6, 1789))}
	governed, matched := 0, 0
	for i := range 400 {
		text := d.resources()
		s, found := Parse(Config{}, map[string]string{"a.yaml": text})
		if s == nil {
			t.Fatalf("%v\n%s", found.Err(), text)
		}
		labels := map[string]string{"app": d.of("web", "db", "other")}
		table, err := traffic.Compile(s.Policy, traffic.Local{Labels: labels})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		n := &naive{namespace: "default", labels: labels, list: byCreation(s.Objects)}
		for range 40 {
			q, c := d.request()
			want, got := n.ask(c), seen(table, s, q)
			if want != got {
				t.Fatalf("configuration %d, labels %v, %s %s%s?%s headers %v: got %+v, want %+v\n%s", i, labels, q.Method, q.Service, q.Path, q.RawQuery, c.headers, got, want, text)
			}
			if want.field != "" {
				governed++
			}
			if want.field != "404" && want.object != "" {
				matched++
			}
		}
	}
	if governed < 5_000 || matched < 2_500 {
		t.Errorf("only %d requests were governed, and %d matched: the words do not meet", governed, matched)
	}
}

// request is one, as both readings see it.
func (d dice) request() (*traffic.Request, istioCall) {
	names := [][2]string{
		{"orders", "orders.default.svc.cluster.local"}, {"orders.default.svc", "orders.default.svc.cluster.local"},
		{"orders.shop", "orders.shop.svc.cluster.local"}, {"x.a.com", "x.a.com"}, {"y.a.com", "y.a.com"}, {"z.com", "z.com"},
	}
	name := names[d.IntN(len(names))]
	port := uint32(80 + d.IntN(2))
	service := fmt.Sprintf("%s:%d", name[0], port)
	headers := map[string]string{}
	for _, h := range []string{"x", "y"} {
		if d.IntN(2) == 0 {
			headers[h] = d.of("", "1", "12", "2")
		}
	}
	query := d.of("", "k", "k=v1", "z=1", "k=1&k=v")
	values, _ := url.ParseQuery(query)
	q := &traffic.Request{
		Scheme: "http", Service: service, Authority: service, Method: d.of("GET", "POST"), RawQuery: query,
		Path: d.of("/", "/a", "/a/b", "/A/b", "/b", "/bc", "/c"), Header: plainHeaders(headers),
	}
	return q, istioCall{host: name[1], port: port, method: q.Method, path: q.Path, query: values, headers: headers, authority: service}
}

type plainHeaders map[string]string

func (h plainHeaders) Lookup(lower, _ string) (string, bool) { v, ok := h[lower]; return v, ok }

// TestLookupAgainstNaiveReading compares which DestinationRule counts with the order that Istio documents.
func TestLookupAgainstNaiveReading(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(6, 1848))}
	met := 0
	for range 300 {
		type rule struct{ namespace, host, to, algorithm string }
		var rules []rule
		var b strings.Builder
		for i := range 1 + d.IntN(6) {
			r := rule{d.of("default", "shop", "istio-system", "third"), d.of("orders.shop.svc.cluster.local", "*.shop.svc.cluster.local", "*.local", "*"), d.of("", "'*'", "'.'", "default"), d.of("RANDOM", "ROUND_ROBIN", "LEAST_REQUEST")}
			rules = append(rules, r)
			spec := "{host: '" + r.host + "', trafficPolicy: {loadBalancer: {simple: " + r.algorithm + "}}"
			if r.to != "" {
				spec += ", exportTo: [" + r.to + "]"
			}
			b.WriteString(dr(r.namespace+"/r"+decimal(uint32(i+1)), spec+"}"))
		}
		b.WriteString(strings.Replace(kubeService("orders"), "name: orders", "name: orders, namespace: shop", 1))
		want := ""
		for _, namespace := range []string{"istio-system", "shop", "default"} { // the last one found counts
			for _, host := range []string{"*", "*.local", "*.shop.svc.cluster.local", "orders.shop.svc.cluster.local"} {
				i := slices.IndexFunc(rules, func(r rule) bool {
					return r.namespace == namespace && r.host == host && (namespace == "default" || r.to != "'.'")
				})
				if i >= 0 {
					want = strings.ToLower(rules[i].algorithm)
				}
			}
		}
		table, _ := compiled(t, Config{}, traffic.Local{}, b.String())
		s, err := table.Settings("orders.shop", "")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if s != nil && s.Balance != nil {
			got = string(s.Balance.Algorithm)
		}
		if got != want {
			t.Fatalf("%q, want %q\n%s", got, want, b.String())
		}
		if want != "" {
			met++
		}
	}
	if met < 150 {
		t.Errorf("only %d of 300 had a rule", met)
	}
}
