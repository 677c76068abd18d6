package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/discovery"
)

// show writes a plan in one line: addresses with all that is known of them; "?" for those that are looked up.
func show(p *plan) string {
	if !p.known {
		return "absent"
	}
	var list []string
	add := func(mark string, e discovery.Endpoint) {
		text := mark + e.Addr
		if place := strings.TrimRight(e.Region+"/"+e.Zone+"/"+e.SubZone, "/"); place != "" {
			text += " in " + place
		}
		if e.Weight > 0 {
			text += fmt.Sprintf(" weight %d", e.Weight)
		}
		for _, k := range slices.Sorted(maps.Keys(e.Metadata)) {
			text += " " + k + "=" + e.Metadata[k]
		}
		if e.ID != "" {
			text += " " + e.ID
		}
		list = append(list, text)
	}
	for _, e := range p.ready {
		add("", e)
	}
	for _, e := range p.lookup {
		add("?", e)
	}
	return strings.Join(list, ", ")
}

const static = `
apiVersion: networking.istio.io/v1beta1
kind: ServiceEntry
metadata: {name: orders}
spec:
  hosts: [orders.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
  - {number: 80, name: http, protocol: HTTP, targetPort: 8080}
  - {number: 9090, name: grpc, protocol: GRPC}
  endpoints:
  - {address: 10.0.0.1, labels: {version: v1}, locality: eu/a/r1/x, weight: 3, serviceAccount: orders}
  - {address: "::1", ports: {grpc: 9999}, labels: {istio-locality: us.b}}
`

const selecting = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: orders, namespace: shop}
spec:
  hosts: [orders]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: orders, tier: front}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: a, namespace: shop, labels: {tier: front}}
spec: {address: 10.0.0.1, labels: {app: orders}, serviceAccount: x, ports: {http: 81}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: other-app, namespace: shop, labels: {tier: front}}
spec: {address: 10.0.0.2, labels: {app: reviews}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: other-namespace, labels: {tier: front}}
spec: {address: 10.0.0.3, labels: {app: orders}}
`

const kube = `
apiVersion: v1
kind: Service
metadata: {name: orders}
spec:
  clusterIP: 10.96.0.1
  selector: {app: orders}
  ports: [{name: http-web, port: 8080, targetPort: web}, {name: dns, port: 53, protocol: UDP}, {name: grpc, port: 9090}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-1, labels: {kubernetes.io/service-name: orders, version: v1}}
addressType: IPv4
ports: [{name: http-web, port: 3000}, {name: dns, port: 53, protocol: UDP}]
endpoints:
- {addresses: [10.0.0.1, 10.0.0.9], zone: a, nodeName: n1, targetRef: {kind: Pod, name: p}}
- {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}}
- {addresses: [10.0.0.3], conditions: {ready: true}, deprecatedTopology: {topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: b}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm}
spec: {address: 10.0.1.1, labels: {app: orders}, ports: {web: 3001}}
`

const ending = `
{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
ports: [{port: 8080}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: false}}
- {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}}
- {addresses: [10.0.0.3], conditions: {ready: false, serving: false, terminating: true}}
`

func entryText(spec string) string {
	return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: x}\nspec: " + spec + "\n"
}

const web = `ports: [{number: 443, name: tls, protocol: HTTPS}, {number: 80, name: http, protocol: HTTP, targetPort: 8000}]`

func TestEndpoints(t *testing.T) {
	dns := entryText(`{hosts: [api.example.com], resolution: DNS, ` + web + `}`)
	for _, c := range []struct{ name, text, ask, want string }{
		{"static", static, "orders", "10.0.0.1:8080 in eu/a/r1/x weight 3 version=v1 spiffe://cluster.local/ns/default/sa/orders, " +
			"[::1]:8080 in us/b istio-locality=us.b"},
		{"static by port", static, "orders.default:9090", "10.0.0.1:9090 in eu/a/r1/x weight 3 version=v1 " +
			"spiffe://cluster.local/ns/default/sa/orders, [::1]:9999 in us/b istio-locality=us.b"},
		{"static by full name", static, "Orders.Default.svc.cluster.local.:9090", "10.0.0.1:9090 in eu/a/r1/x weight 3 version=v1 " +
			"spiffe://cluster.local/ns/default/sa/orders, [::1]:9999 in us/b istio-locality=us.b"},
		{"no such port", static, "orders:81", "absent"},
		{"no such service", static, "order", "absent"},
		{"selected", selecting, "orders.shop", "10.0.0.1:81 app=orders tier=front spiffe://cluster.local/ns/shop/sa/x"},
		{"short name of another namespace", selecting, "orders", "absent"},
		{"kubernetes", kube, "orders", "10.0.0.1:3000 in /a version=v1, 10.0.0.3:3000 in eu/b version=v1, 10.0.1.1:3001 app=orders"},
		{"a port that slices do not have", kube, "orders.default.svc:9090", "10.0.1.1:9090 app=orders"},
		{"UDP", kube, "orders:53", "absent"},
		{"only those that end are left", ending, "a", "10.0.0.2:8080"},
		{"DNS", dns, "api.example.com", "?api.example.com:8000"},
		{"DNS by port", dns, "api.example.com:443", "?api.example.com:443"},
		{"DNS of endpoints", entryText(`{hosts: [a.com], resolution: DNS, ` + web + `, endpoints: [{address: b.com, weight: 2, labels: {x: y}}, {address: 10.0.0.1}]}`),
			"a.com:80", "10.0.0.1:8000, ?b.com:8000 weight 2 x=y"},
		{"DNS_ROUND_ROBIN", entryText(`{hosts: [a.com], resolution: DNS_ROUND_ROBIN, ` + web + `}`), "a.com:80", "a.com:8000"},
		{"NONE", entryText(`{hosts: ["*.a.com"], ` + web + `}`), "x.y.a.com:443", "x.y.a.com:443"},
		{"NONE, above the wildcard", entryText(`{hosts: ["*.a.com"], ` + web + `}`), "a.com:443", "absent"},
		{"DYNAMIC_DNS", entryText(`{hosts: ["*.a.com"], resolution: DYNAMIC_DNS, ` + web + `}`), "x.a.com:80", "x.a.com:8000"},
		{"wildcard with endpoints", entryText(`{hosts: ["*.a.com"], resolution: STATIC, ` + web + `, endpoints: [{address: 10.0.0.1}]}`),
			"x.a.com:80", "10.0.0.1:8000"},
		{"the longer wildcard", entryText(`{hosts: ["*.a.com"], `+web+`}`) + "---\n" +
			strings.Replace(entryText(`{hosts: ["*.b.a.com"], resolution: STATIC, `+web+`, endpoints: [{address: 10.0.0.1}]}`), "name: x", "name: y", 1),
			"x.b.a.com:80", "10.0.0.1:8000"},
		{"unix", entryText(`{hosts: [a], resolution: STATIC, ports: [{number: 80, name: http}], endpoints: [{address: "unix:///run/a"}]}`),
			"a", "unix:/run/a"},
		{"short host", entryText(`{hosts: [a], resolution: STATIC, ports: [{number: 80, name: http}], endpoints: [{address: 10.0.0.1}]}`),
			"a.default.svc.cluster.local", "10.0.0.1:80"},
		{"addresses", entryText(`{hosts: [a], addresses: [240.0.0.1/32], resolution: STATIC, ports: [{number: 80, name: http}], endpoints: [{address: 10.0.0.1}]}`),
			"240.0.0.1:80", "10.0.0.1:80"},
		{"exported to others", entryText(`{hosts: [a], exportTo: [shop], resolution: STATIC, ports: [{number: 80, name: http}], endpoints: [{address: 10.0.0.1}]}`),
			"a", "absent"},
		{"subjectAltNames", entryText(`{hosts: [a], location: MESH_INTERNAL, subjectAltNames: ["spiffe://x/y"], resolution: STATIC, ports: [{number: 80, name: http}],
			endpoints: [{address: 10.0.0.1}, {address: 10.0.0.2, serviceAccount: z}, {address: 10.0.0.1}]}`),
			"a", "10.0.0.1:80 spiffe://x/y, 10.0.0.2:80 spiffe://cluster.local/ns/default/sa/z"},
		{"ExternalName", "{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {type: ExternalName, externalName: db.example.com}}",
			"db:5432", "?db.example.com:5432"},
		{"exportTo of a Service", "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b, annotations: {networking.istio.io/exportTo: \".,c\"}}, spec: {ports: [{port: 80}]}}",
			"a.b", "absent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := show(parse(t, Config{}, c.text).plan(c.ask)); got != c.want {
				t.Errorf("%s is at\n%s\nwant\n%s", c.ask, got, c.want)
			}
		})
	}
}

// TestUsualPort: what a name without a port means.
func TestUsualPort(t *testing.T) {
	for ports, want := range map[string]uint16{
		"[{number: 8080, name: a}]": 8080,
		"[{number: 9090, name: grpc, protocol: GRPC}, {number: 80, name: http, protocol: HTTP}]":  80,
		"[{number: 5432, name: db, protocol: TCP}, {number: 9090, name: grpc, protocol: GRPC}]":   9090,
		"[{number: 443, name: tls, protocol: HTTPS}, {number: 8080, name: http, protocol: HTTP}]": 443,
		"[{number: 5432, name: db, protocol: TCP}, {number: 6379, name: redis, protocol: REDIS}]": 5432,
	} {
		s := parse(t, Config{}, entryText("{hosts: [a.com], ports: "+ports+"}"))
		if got := s.services.hosts["a.com"].usual().number; got != want {
			t.Errorf("of %s port %d is taken, want %d", ports, got, want)
		}
	}
}

// TestServices: callers of a client need not say which hosts are of the mesh.
func TestServices(t *testing.T) {
	s := parse(t, Config{Namespace: "shop"}, selecting)
	want := []string{"orders", "orders.shop", "orders.shop.svc", "orders.shop.svc.cluster.local"}
	if got := s.Services(); !slices.Equal(got, want) {
		t.Errorf("services are %q", got)
	}
}
