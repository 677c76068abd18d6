package manifest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// routeDice throws routes and requests of few texts, so that many meet.
type routeDice struct{ *rand.Rand }

func oneOf[T any](d routeDice, of ...T) T { return of[d.IntN(len(of))] }

// sometimes is a pointer to one of the values, or nil.
func sometimes[T any](d routeDice, of ...T) *T {
	if d.IntN(2) == 0 {
		return nil
	}
	v := oneOf(d, of...)
	return &v
}

// The Services of every throw: two of the own namespace and two of others, of which one has no manifest.
var diceServices = []string{"a/default", "b/default", "c/other", "d/third"}

var dicePorts = map[string][]int32{"a/default": {80, 8080}, "b/default": {8080, 9090}, "c/other": {80, 8080, 9090}}

func (d routeDice) services() (objects []*Object) {
	for _, full := range diceServices {
		name, namespace, _ := strings.Cut(full, "/")
		spec := &serviceSpec{}
		for _, p := range dicePorts[full] {
			spec.Ports = append(spec.Ports, servicePort{Name: fmt.Sprint("http-", p), Port: p})
		}
		if len(spec.Ports) > 0 {
			objects = append(objects, &Object{Version: "v1", Kind: "Service", Namespace: namespace, Name: name, Spec: spec, label: "Service/" + full})
		}
	}
	return objects
}

func (d routeDice) parents(namespace string) (list []gateway.ParentReference) {
	for _, i := range d.Perm(len(diceServices))[:1+d.IntN(2)] {
		name, of, _ := strings.Cut(diceServices[i], "/")
		p := gateway.ParentReference{Group: new(gateway.Group("")), Kind: new(gateway.Kind("Service")), Name: gateway.ObjectName(name)}
		if of != namespace || d.IntN(2) == 0 {
			p.Namespace = new(gateway.Namespace(of))
		}
		ports := dicePorts[diceServices[i]]
		if len(ports) == 0 {
			ports = []int32{80, 8080}
		}
		p.Port = sometimes(d, ports...)
		list = append(list, p)
	}
	return list
}

func (d routeDice) route(i int) *Object {
	o := &Object{Group: gatewayGroup, Version: "v1", Namespace: oneOf(d, "default", "default", "other", "third"), Name: fmt.Sprintf("r%d", d.IntN(1000)*10+i)}
	if d.IntN(3) > 0 {
		o.Created = time.Unix(int64(1+d.IntN(3)), 0)
	}
	common := gateway.CommonRouteSpec{ParentRefs: d.parents(o.Namespace)}
	backend := gateway.BackendRef{BackendObjectReference: gateway.BackendObjectReference{Name: "z", Port: new(gateway.PortNumber(80))}}
	rules := 1 + d.IntN(3)
	if d.IntN(3) > 0 {
		spec := &gateway.HTTPRouteSpec{CommonRouteSpec: common}
		for range rules {
			rule := gateway.HTTPRouteRule{BackendRefs: []gateway.HTTPBackendRef{{BackendRef: backend}}}
			for range d.IntN(4) {
				rule.Matches = append(rule.Matches, d.httpMatch())
			}
			spec.Rules = append(spec.Rules, rule)
		}
		o.Kind, o.Spec = "HTTPRoute", spec
	} else {
		spec := &gateway.GRPCRouteSpec{CommonRouteSpec: common}
		for range rules {
			rule := gateway.GRPCRouteRule{BackendRefs: []gateway.GRPCBackendRef{{BackendRef: backend}}}
			for range d.IntN(4) {
				rule.Matches = append(rule.Matches, d.grpcMatch())
			}
			spec.Rules = append(spec.Rules, rule)
		}
		o.Kind, o.Spec = "GRPCRoute", spec
	}
	o.label = o.Kind + "/" + o.Namespace + "/" + o.Name
	return o
}

func (d routeDice) httpMatch() (m gateway.HTTPRouteMatch) {
	switch d.IntN(5) {
	case 0:
		m.Path = &gateway.HTTPPathMatch{Type: new(gateway.PathMatchExact), Value: new(oneOf(d, "/", "/a", "/a/", "/a/b", "/p.S/M"))}
	case 1, 2:
		m.Path = &gateway.HTTPPathMatch{Type: sometimes(d, gateway.PathMatchPathPrefix), Value: new(oneOf(d, "/", "/a", "/a/", "/a/b", "/ab", "/p.S"))}
	case 3:
		m.Path = &gateway.HTTPPathMatch{Type: new(gateway.PathMatchRegularExpression), Value: new(oneOf(d, "/a.*", "/[ab]+", ".*/b", "/p.*"))}
	}
	m.Method = sometimes(d, gateway.HTTPMethodGet, gateway.HTTPMethodPost)
	for _, i := range d.Perm(3)[:d.IntN(3)] {
		m.Headers = append(m.Headers, gateway.HTTPHeaderMatch{
			Type: sometimes(d, gateway.HeaderMatchExact, gateway.HeaderMatchRegularExpression), Value: oneOf(d, "1", "2"),
			Name: gateway.HTTPHeaderName([]string{"x-a", "X-A", "x-b"}[i]),
		})
	}
	for _, i := range d.Perm(2)[:d.IntN(2)] {
		m.QueryParams = append(m.QueryParams, gateway.HTTPQueryParamMatch{
			Type: sometimes(d, gateway.QueryParamMatchRegularExpression), Name: gateway.HTTPHeaderName([]string{"p", "P"}[i]), Value: oneOf(d, "1", "2"),
		})
	}
	return m
}

func (d routeDice) grpcMatch() (m gateway.GRPCRouteMatch) {
	switch d.IntN(4) {
	case 0, 1:
		m.Method = &gateway.GRPCMethodMatch{Service: new(oneOf(d, "p.S", "p.Ss", "q.T")), Method: sometimes(d, "M", "Mn")}
	case 2:
		m.Method = &gateway.GRPCMethodMatch{
			Type:    new(gateway.GRPCMethodMatchRegularExpression),
			Service: sometimes(d, "p.*", ".*S", ""), Method: new(oneOf(d, "M.?", "")),
		}
	}
	for _, i := range d.Perm(3)[:d.IntN(3)] {
		m.Headers = append(m.Headers, gateway.GRPCHeaderMatch{
			Type: sometimes(d, gateway.GRPCHeaderMatchRegularExpression), Value: oneOf(d, "1", "2"),
			Name: gateway.GRPCHeaderName([]string{"x-a", "X-A", "x-b"}[i]),
		})
	}
	return m
}

// call throws a request, under one of the names of a Service.
func (d routeDice) call() *naiveCall {
	c := &naiveCall{service: oneOf(d, diceServices...), header: naiveHeader{}}
	name, namespace, _ := strings.Cut(c.service, "/")
	names := []string{name + "." + namespace, name + "." + namespace + ".svc.cluster.local"}
	if namespace == "default" {
		names = append(names, name)
	}
	c.q.Service = oneOf(d, names...)
	if ports := dicePorts[c.service]; d.IntN(2) == 0 {
		if ports == nil {
			ports = []int32{80, 8080, 9090}
		}
		c.port = oneOf(d, ports...)
		c.q.Service += fmt.Sprint(":", c.port)
	}
	c.q.Method, c.q.Path = oneOf(d, "GET", "POST"), oneOf(d, "/", "/a", "/a/", "/a/b", "/ab", "/b", "/a/b/c", "/p.S/M")
	c.q.RawQuery = oneOf(d, "", "p=1", "p=2&P=1", "P=2")
	if d.IntN(2) == 0 {
		c.q.GRPC, c.q.Method, c.q.RawQuery = true, "POST", ""
		c.q.Path = "/" + oneOf(d, "p.S", "p.Ss", "q.T") + "/" + oneOf(d, "M", "Mn")
	} else {
		c.q.Scheme = "http"
	}
	for _, h := range []string{"x-a", "x-b"} {
		if d.IntN(2) == 0 {
			c.header[h] = oneOf(d, "1", "2")
		}
	}
	c.q.Header = c.header
	return c
}

// compiledAnswer is what the compiled policy does with a request, in the terms of the naive reader.
func compiledAnswer(s *State, table *traffic.Table, c *naiveCall) naiveAnswer {
	rule := table.Match(&c.q)
	switch {
	case rule == nil, rule.Route.Respond == nil && len(rule.Route.To) == 0:
		return naiveAnswer{}
	case rule.Route.Respond != nil && (rule.Route.Respond.Status == 501) == c.q.GRPC:
		return naiveAnswer{rule: 404} // 501 is UNIMPLEMENTED
	}
	from := s.RouteOrigin(rule.Index)
	a := naiveAnswer{route: from.Object}
	fmt.Sscanf(from.Field, "spec.rules[%d]", &a.rule)
	return a
}

// TestGatewayProperty compares the compiled policy with the naive reading, over 600 random sets of routes and 100 requests to
// each, 60,000 pairs in all. The seed is fixed.
func TestGatewayProperty(t *testing.T) {
	d := routeDice{rand.New(rand.NewPCG(6, 1294))}
	cfg := Config{}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for set := range 600 {
		var routes []*Object
		for i := range 1 + d.IntN(6) {
			routes = append(routes, d.route(i))
		}
		s, found := translate(&cfg, append(d.services(), routes...), nil)
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		table, err := traffic.Compile(s.Policy, traffic.Local{})
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			c := d.call()
			want, have := naiveRead(routes, dicePorts, "default", c), compiledAnswer(s, table, c)
			if want != have {
				t.Fatalf("set %d: %+v with %v:\nwant %v rule %d\nhave %v rule %d\n%v\n%v", set, c.q, c.header, want.route, want.rule, have.route, have.rule, s.Policy, table.Explain(&c.q))
			}
			switch {
			case want.route != nil:
				kinds[want.route.Kind]++
			default:
				kinds[fmt.Sprint(want.rule)]++
			}
		}
	}
	for _, kind := range []string{"HTTPRoute", "GRPCRoute", "404", "0"} {
		if kinds[kind] < 3000 {
			t.Errorf("only %d requests ended in %s: %v", kinds[kind], kind, kinds)
		}
	}
}
