package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// boundText is a route of a kind, namespace and name for a parent, whose backend has the route's name.
func boundText(kind, namespace, name, parent string) string {
	return fmt.Sprintf("apiVersion: gateway.networking.k8s.io/v1\nkind: %s\nmetadata: {name: %s, namespace: %s}\nspec:\n"+
		"  parentRefs: [{group: \"\", kind: Service, %s}]\n  rules: [{backendRefs: [{name: %s, port: 1}]}]\n---\n", kind, name, namespace, parent, name)
}

func serviceText(namespace, name string, ports ...int) string {
	var list []string
	for _, p := range ports {
		list = append(list, fmt.Sprintf("{name: p%d, port: %d}", p, p))
	}
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec: {ports: [%s]}\n---\n", name, namespace, strings.Join(list, ", "))
}

// TestGatewayBinding holds GEP-1294: which routes apply to a call that a process of the namespace default makes.
func TestGatewayBinding(t *testing.T) {
	mine, theirs := serviceText("default", "orders", 80, 8080), serviceText("shop", "orders", 80, 8080)
	for name, c := range map[string]struct {
		text string
		want map[string]string
	}{
		"producer, for everybody": {
			boundText("HTTPRoute", "shop", "producer", "name: orders"),
			map[string]string{"GET http://orders.shop/": "producer.shop:1", "GET http://orders/": "-", "GET http://orders.shop.svc.cluster.local/": "producer.shop:1"},
		},
		"consumer, before producer": {
			boundText("HTTPRoute", "shop", "producer", "name: orders") + boundText("HTTPRoute", "default", "consumer", "name: orders, namespace: shop"),
			map[string]string{"GET http://orders.shop/": "consumer:1", "GET http://orders/": "-"},
		},
		"consumer of another namespace": {
			boundText("HTTPRoute", "third", "consumer", "name: orders, namespace: shop"), map[string]string{"GET http://orders.shop/": "-"},
		},
		"consumer of another namespace, and a producer": {
			boundText("HTTPRoute", "third", "consumer", "name: orders, namespace: shop") + boundText("HTTPRoute", "shop", "producer", "name: orders"),
			map[string]string{"GET http://orders.shop/": "producer.shop:1"},
		},
		"all ports": {
			mine + boundText("HTTPRoute", "default", "r", "name: orders"),
			map[string]string{"GET http://orders/": "r:1", "GET http://orders:8080/": "r:1", "grpc orders/p.S/M": "r:1"},
		},
		"a port": {
			mine + boundText("HTTPRoute", "default", "r", "name: orders, port: 8080"),
			map[string]string{"GET http://orders/": "-", "GET http://orders:8080/": "r:1", "grpc orders/p.S/M": "-"},
		},
		"the usual port": {
			mine + boundText("HTTPRoute", "default", "r", "name: orders, port: 80"),
			map[string]string{"GET http://orders/": "r:1", "GET http://orders:8080/": "-", "GET http://orders:80/": "r:1", "grpc orders/p.S/M": "r:1"},
		},
		"the only port, which is not the scheme's": {
			serviceText("default", "orders", 8080) + boundText("HTTPRoute", "default", "r", "name: orders, port: 8080"),
			map[string]string{"GET http://orders/": "r:1", "GET http://orders:8080/": "r:1", "grpc orders/p.S/M": "r:1"},
		},
		"a section": {
			theirs + boundText("HTTPRoute", "shop", "r", "name: orders, sectionName: p8080"),
			map[string]string{"GET http://orders.shop/": "-", "GET http://orders.shop:8080/": "r.shop:1"},
		},
		"a port of a Service that no manifest defines": {
			boundText("HTTPRoute", "default", "r", "name: orders, port: 8080"),
			map[string]string{"GET http://orders/": "-", "GET http://orders:8080/": "r:1", "grpc orders/p.S/M": "-"},
		},
		"a port, and another route for all": { // both have the same precedence there, so that the name decides
			mine + boundText("HTTPRoute", "default", "a", "name: orders, port: 8080") + boundText("HTTPRoute", "default", "b", "name: orders"),
			map[string]string{"GET http://orders/": "b:1", "GET http://orders:8080/": "a:1"},
		},
		"a GRPCRoute goes before an HTTPRoute": {
			mine + boundText("HTTPRoute", "default", "a", "name: orders") + boundText("GRPCRoute", "default", "b", "name: orders, port: 8080"),
			map[string]string{"GET http://orders/": "a:1", "GET http://orders:8080/": "404", "grpc orders:8080/p.S/M": "b:1"},
		},
		"two parents": {
			mine + theirs + strings.Replace(boundText("HTTPRoute", "default", "r", "name: orders"), "orders}]", `orders}, {group: "", kind: Service, name: orders, namespace: shop, port: 80}]`, 1),
			map[string]string{"GET http://orders:8080/": "r:1", "GET http://orders.shop/": "r:1", "GET http://orders.shop:8080/": "-"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := readRoutes(t, c.text)
			for call, want := range c.want {
				if got := r.send(call); got != want {
					t.Errorf("%s: got %s, want %s\n%v", call, got, want, r.state.Policy)
				}
			}
		})
	}
}

// TestGatewayNoMatch: "When no rules matching a request have been successfully attached to the parent a request is coming from,
// a HTTP 404 status code MUST be returned". Over gRPC that is UNIMPLEMENTED.
func TestGatewayNoMatch(t *testing.T) {
	r := readRoutes(t, routeText("name: r", ruleTo("b", "matches: [{path: {value: /a}}]")))
	for call, want := range map[string]string{"GET http://orders/a": "b:80", "GET http://orders/b": "404", "grpc orders/p.S/M": "501"} {
		if got := r.send(call); got != want {
			t.Errorf("%s: got %s, want %s", call, got, want)
		}
	}
	r = readRoutes(t, strings.Replace(routeText("name: r", ruleTo("b", "matches: [{method: {service: p.S}}]")), "HTTP", "GRPC", 1))
	for call, want := range map[string]string{"GET http://orders/p.S/M": "404", "grpc orders/p.S/M": "b:80", "grpc orders/p.T/M": "501"} {
		if got := r.send(call); got != want {
			t.Errorf("%s: got %s, want %s", call, got, want)
		}
	}
}

// TestGRPCRoutePrecedence holds the list in GRPCRouteRule.matches.
func TestGRPCRoutePrecedence(t *testing.T) {
	for name, c := range map[string]struct{ first, second, want string }{
		"a service before none":                      {"{}", "{method: {service: p.S}}", "second"},
		"a service before a method":                  {"{method: {method: Method}}", "{method: {service: p.S}}", "second"},
		"a service and a method before a service":    {"{method: {service: p.S}}", "{method: {service: p.S, method: Method}}", "second"},
		"a method before headers":                    {"{method: {service: p.S}, headers: [{name: x, value: y}]}", "{method: {service: p.S, method: Method}}", "second"},
		"more headers":                               {"{method: {service: p.S}}", "{method: {service: p.S}, headers: [{name: x, value: y}]}", "second"},
		"exact before a longer regular expression":   {"{method: {type: RegularExpression, service: p.S|q.T}}", "{method: {service: p.S}}", "second"},
		"a regular expression before no method":      {"{headers: [{name: x, value: y}]}", "{method: {type: RegularExpression, service: p.*}}", "second"},
		"an empty regular expression is no method":   {`{method: {type: RegularExpression, service: "", method: ""}}`, "{headers: [{name: x, value: y}]}", "second"},
		"the first of two that are the same in rank": {"{method: {service: p.S}}", "{method: {service: p.S}}", "first"},
	} {
		t.Run(name, func(t *testing.T) {
			text := routeText("name: r", ruleTo("first", "matches: ["+c.first+"]")+ruleTo("second", "matches: ["+c.second+"]"))
			got := readRoutes(t, strings.Replace(text, "HTTP", "GRPC", 1)).send("grpc orders/p.S/Method x=y")
			if got != c.want+":80" {
				t.Errorf("got %s", got)
			}
		})
	}
}
