package manifest

import (
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
)

const subsets = "{host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}"

// TestVirtualServiceRules holds Istio's rules for routing, one a case: the name says which.
func TestVirtualServiceRules(t *testing.T) {
	for name, c := range map[string]struct {
		cfg   Config
		local traffic.Local
		text  string
		goes  map[string]string // by request
	}{
		"the first route that matches, in order": {text: vs("a", "{hosts: [reviews], http: [{match: [{uri: {prefix: /a}}], "+to("one")+"}, {match: [{uri: {prefix: /a/b}}, {uri: {exact: /c}}], "+to("two")+"}]}"),
			goes: map[string]string{"GET http://reviews/a/b": "one", "GET http://reviews/c": "two"}},
		"what no route matches is a 404": {text: vs("a", "{hosts: [reviews], http: [{match: [{uri: {prefix: /a}}], "+to("one")+"}]}"),
			goes: map[string]string{"GET http://reviews/b": "404", "GET http://reviews.default.svc:9080/b": "404", "GET http://other/b": "-"}},
		"short names are of the resource's namespace": {text: vs("shop/a", "{hosts: [reviews], http: [{"+to("ratings", "x.y.svc.cluster.local")+"}]}"),
			goes: map[string]string{"GET http://reviews/": "-", "GET http://reviews.shop/": "ratings.shop=50 x.y=50", "GET http://reviews.shop.svc.cluster.local/": "ratings.shop=50 x.y=50"}},
		"a name with a dot stands as it is": {text: vs("shop/a", "{hosts: [a.example.com], http: [{"+to("b.example.com")+"}]}"),
			goes: map[string]string{"GET http://a.example.com/": "b.example.com"}},
		"names of callers of the same namespace": {cfg: Config{Namespace: "shop", Domain: "mesh"}, text: vs("a", "{hosts: [reviews], http: [{"+to("ratings")+"}]}"),
			goes: map[string]string{"GET http://reviews/": "ratings", "GET http://REVIEWS.shop.svc.mesh/": "ratings"}},
		"wildcards, the longest first": {text: vs("a", "{hosts: ['*.example.com'], http: [{"+to("one")+"}]}") + vs("b", "{hosts: ['*.shop.example.com'], http: [{"+to("two")+"}]}") + vs("c", "{hosts: [x.shop.example.com], http: [{"+to("three")+"}]}"),
			goes: map[string]string{"GET http://a.example.com/": "one", "GET http://a.shop.example.com/": "two", "GET http://x.shop.example.com/": "three", "GET http://example.com/": "-"}},
		"a wildcard holds for all names of a service below it": {text: kubeService("orders") + vs("a", "{hosts: ['*.default.svc.cluster.local'], http: [{"+to("one")+"}]}"),
			goes: map[string]string{"GET http://orders/": "one", "GET http://orders.default.svc/": "one", "GET http://x.default.svc.cluster.local/": "one"}},
		"of two for a host the older one counts": {text: vs("a@2025", "{hosts: [reviews], http: [{"+to("new")+"}]}") + vs("b@2024", "{hosts: [reviews, other], http: [{match: [{uri: {prefix: /x}}], "+to("old")+"}]}"),
			goes: map[string]string{"GET http://reviews/x": "old", "GET http://reviews/y": "404", "GET http://other/x": "old"}},
		"of two without an age the one that comes first by name": {text: vs("b", "{hosts: [reviews], http: [{"+to("second")+"}]}") + vs("a", "{hosts: [reviews], http: [{"+to("first")+"}]}"),
			goes: map[string]string{"GET http://reviews/": "first"}},
		"a resource for other ports leaves the host to the next": {text: vs("a", "{hosts: [reviews], http: [{match: [{port: 8080, uri: {prefix: /x}}], "+to("one")+"}]}") + vs("b", "{hosts: [reviews], http: [{"+to("two")+"}]}"),
			goes: map[string]string{"GET http://reviews:8080/x": "one:8080", "GET http://reviews:8080/y": "404", "GET http://reviews/x": "two"}},
		"where a resource is for other ports the service itself is left": {text: vs("a", "{hosts: [reviews], http: [{match: [{port: 8080}], "+to("one")+"}]}"),
			goes: map[string]string{"GET http://reviews:8080/x": "one:8080", "GET http://reviews/x": "reviews", "GET http://reviews.default:81/x": "reviews:81"}},
		"labels of the caller": {local: traffic.Local{Labels: map[string]string{"app": "web", "v": "1"}},
			text: vs("a", "{hosts: [reviews], http: [{match: [{sourceLabels: {app: web}, uri: {prefix: /x}}], "+to("one")+"}]}"),
			goes: map[string]string{"GET http://reviews/x": "one", "GET http://reviews/y": "404"}},
		"a resource for other callers is not there": {local: traffic.Local{Labels: map[string]string{"app": "batch"}},
			text: vs("a", "{hosts: [reviews], http: [{match: [{sourceLabels: {app: web}, uri: {prefix: /x}}], "+to("one")+"}]}"),
			goes: map[string]string{"GET http://reviews/x": "reviews", "GET http://reviews/y": "reviews"}},
		"namespace of the caller": {text: vs("a", "{hosts: [reviews], http: [{match: [{sourceNamespace: default, uri: {exact: /x}}, {sourceNamespace: shop, uri: {exact: /y}}], "+to("one")+"}]}"),
			goes: map[string]string{"GET http://reviews/x": "one", "GET http://reviews/y": "404"}},
		"a match for gateways is not for callers, and one for the mesh heeds no labels": {text: vs("a", "{hosts: [reviews], gateways: [gw, mesh], http: [{match: [{gateways: [gw]}], "+to("gw")+"}, {match: [{gateways: [mesh], sourceLabels: {no: body}}], "+to("mesh")+"}]}"),
			goes: map[string]string{"GET http://reviews/x": "mesh"}},
		"for gateways only":               {text: vs("a", "{hosts: ['*'], gateways: [gw], http: [{"+to("one")+"}]}"), goes: map[string]string{"GET http://reviews/": "-"}},
		"exported to others":              {text: vs("shop/a", "{hosts: [a.com], exportTo: ['.'], http: [{"+to("one")+"}]}"), goes: map[string]string{"GET http://a.com/": "-"}},
		"exported to this namespace":      {text: vs("shop/a", "{hosts: [a.com], exportTo: [default], http: [{"+to("b.com")+"}]}"), goes: map[string]string{"GET http://a.com/": "b.com"}},
		"a prefix is of letters":          {text: vs("a", "{hosts: [r], http: [{match: [{uri: {prefix: /v1}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/v1x": "one", "GET http://r/V1": "404"}},
		"case of the path can be ignored": {text: vs("a", "{hosts: [r], http: [{match: [{uri: {prefix: /V1}, ignoreUriCase: true}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/v1x": "one"}},
		"a regex is for the whole text":   {text: vs("a", "{hosts: [r], http: [{match: [{uri: {regex: '/v[12]'}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/v1": "one", "GET http://r/v1x": "404", "GET http://r/v2?q": "one"}},
		"all conditions of a match must hold": {text: vs("a", "{hosts: [r], http: [{match: [{uri: {prefix: /v1}, method: {exact: GET}, scheme: {exact: http}, authority: {prefix: r}, headers: {x: {exact: y}}, queryParams: {q: {regex: '\\d+'}}}], "+to("one")+"}]}"),
			goes: map[string]string{"GET http://r/v1?q=12  x: y": "one", "POST http://r/v1?q=12  x: y": "404", "GET http://r/v1?q=a  x: y": "404", "GET http://r/v1?q=12  x: Y": "404", "GET http://r/v1?q=12": "404"}},
		"a header without a condition must be there":   {text: vs("a", "{hosts: [r], http: [{match: [{headers: {x: {}}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/  x:": "one", "GET http://r/  x: 1": "one", "GET http://r/": "404"}},
		"the regex * asks for presence":                {text: vs("a", "{hosts: [r], http: [{match: [{headers: {x: {regex: '*'}}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/  x:": "one", "GET http://r/": "404"}},
		"an exact header may be empty":                 {text: vs("a", "{hosts: [r], http: [{match: [{headers: {x: {exact: ''}}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/  x:": "one", "GET http://r/  x: 1": "404", "GET http://r/": "404"}},
		"withoutHeaders turns round":                   {text: vs("a", "{hosts: [r], http: [{match: [{withoutHeaders: {x: {exact: y}}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/  x: y": "404", "GET http://r/  x: z": "one", "GET http://r/": "one"}},
		"withoutHeaders without a condition":           {text: vs("a", "{hosts: [r], http: [{match: [{withoutHeaders: {x: {}}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/  x: y": "404", "GET http://r/": "one"}},
		"withoutHeaders takes a missing one as empty":  {text: vs("a", "{hosts: [r], http: [{match: [{withoutHeaders: {x: {regex: 'y?'}}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/  x: y": "404", "GET http://r/": "404", "GET http://r/  x: z": "one"}},
		"a parameter without a value is empty":         {text: vs("a", "{hosts: [r], http: [{match: [{queryParams: {k: {exact: ''}}}], "+to("one")+"}]}"), goes: map[string]string{"GET http://r/?k": "one", "GET http://r/?k=1": "404", "GET http://r/": "404"}},
		"a single destination gets all":                {text: vs("a", "{hosts: [r], http: [{route: [{destination: {host: one}, weight: 0}]}]}"), goes: map[string]string{"GET http://r/": "one"}},
		"a weight of 0 gets none":                      {text: vs("a", "{hosts: [r], http: [{route: [{destination: {host: one}}, {destination: {host: two}, weight: 7}]}]}"), goes: map[string]string{"GET http://r/": "one=0 two=7"}},
		"a destination that is there twice":            {text: vs("a", "{hosts: [r], http: [{route: [{destination: {host: one}, weight: 1}, {destination: {host: two}, weight: 2}, {destination: {host: one}, weight: 3}]}]}"), goes: map[string]string{"GET http://r/": "one=4 two=2"}},
		"subsets":                                      {text: dr("r", subsets) + vs("a", "{hosts: [reviews], http: [{"+to("reviews:v1", "reviews:v2")+"}]}"), goes: map[string]string{"GET http://reviews:80/": "reviews:80/v1=50 reviews:80/v2=50"}},
		"the port of a destination":                    {text: vs("a", "{hosts: [r], http: [{route: [{destination: {host: one, port: {number: 81}}}]}]}"), goes: map[string]string{"GET http://r:80/": "one:81"}},
		"the only port of another service":             {text: kubeService("one") + vs("a", "{hosts: [r], http: [{"+to("one")+"}]}"), goes: map[string]string{"GET http://r:9/": "one:8080"}},
		"the caller's port of the same service":        {text: kubeService("one") + vs("a", "{hosts: [one], http: [{"+to("one")+"}]}"), goes: map[string]string{"GET http://one:8080/": "one:8080", "GET http://one/": "one"}},
		"a prefix is replaced as it stands":            {text: vs("a", "{hosts: [r], http: [{match: [{uri: {prefix: /a}}], rewrite: {uri: /}, "+to("one")+"}]}"), goes: map[string]string{"GET http://r/a/b": "one //b"}},
		"an exact path is replaced":                    {text: vs("a", "{hosts: [r], http: [{match: [{uri: {exact: /a}}], rewrite: {uri: /b}, "+to("one")+"}]}"), goes: map[string]string{"GET http://r/a": "one /b"}},
		"of a regex the whole path is replaced":        {text: vs("a", "{hosts: [r], http: [{match: [{uri: {prefix: /p}}, {uri: {regex: '/[xy].*'}}], rewrite: {uri: /b}, "+to("one")+"}]}"), goes: map[string]string{"GET http://r/x/y": "one /b", "GET http://r/p/y": "one /b/y"}},
		"without a match the prefix / is replaced":     {text: vs("a", "{hosts: [r], http: [{rewrite: {uri: /v2/}, "+to("one")+"}]}"), goes: map[string]string{"GET http://r/x": "one /v2/x"}},
		"uriRegexRewrite":                              {text: vs("a", "{hosts: [r], http: [{rewrite: {uriRegexRewrite: {match: '^/service/([^/]+)(/.*)$', rewrite: '/customprefix\\2/\\1'}}, "+to("one")+"}]}"), goes: map[string]string{"GET http://r/service/update/v1/api": "one /customprefix/v1/api/update"}},
		"the authority, by rewrite":                    {text: vs("a", "{hosts: [r], http: [{rewrite: {authority: a.com}, "+to("one")+"}]}"), goes: map[string]string{"GET http://r/": "one as a.com"}},
		"the authority, by headers":                    {text: vs("a", "{hosts: [r], http: [{headers: {request: {set: {Host: a.com}}}, "+to("one")+"}]}"), goes: map[string]string{"GET http://r/": "one as a.com"}},
		"the authority, by headers of the destination": {text: vs("a", "{hosts: [r], http: [{route: [{destination: {host: one}, headers: {request: {set: {':authority': a.com}}}}]}]}"), goes: map[string]string{"GET http://r/": "one as a.com"}},
		"redirect":                                                  {text: vs("a", "{hosts: [r], http: [{redirect: {uri: /x, authority: a.com}}]}"), goes: map[string]string{"GET http://r:81/y?q": "301 http://a.com/x?q"}},
		"redirect to another scheme":                                {text: vs("a", "{hosts: [r], http: [{redirect: {scheme: https, redirectCode: 308}}]}"), goes: map[string]string{"GET http://r:81/y": "308 https://r/y"}},
		"redirect to a port":                                        {text: vs("a", "{hosts: [r], http: [{redirect: {port: 8443, scheme: https}}]}"), goes: map[string]string{"GET http://r:81/y": "301 https://r:8443/y"}},
		"redirect to the port of the request":                       {text: vs("a", "{hosts: [r], http: [{redirect: {authority: a.com, derivePort: FROM_REQUEST_PORT}}]}"), goes: map[string]string{"GET http://r:81/y": "301 http://a.com:81/y"}},
		"redirect to the port of the match":                         {text: vs("a", "{hosts: [r], http: [{match: [{port: 81}], redirect: {scheme: https, derivePort: FROM_REQUEST_PORT}}]}"), goes: map[string]string{"GET http://r:81/y": "301 https://r:81/y"}},
		"redirect with an authority that has a port":                {text: vs("a", "{hosts: [r], http: [{redirect: {authority: 'a.com:82'}}]}"), goes: map[string]string{"GET http://r:81/y": "301 http://a.com:82/y"}},
		"redirect of a prefix":                                      {text: vs("a", "{hosts: [r], http: [{match: [{uri: {prefix: /foo/}}], redirect: {authority: a.com, prefixRewrite: /}}]}"), goes: map[string]string{"GET http://r/foo/bar": "301 http://a.com/bar"}},
		"directResponse":                                            {text: vs("a", "{hosts: [r], http: [{directResponse: {status: 503, body: {string: sorry}}}]}"), goes: map[string]string{"GET http://r/": "503 sorry"}},
		"directResponse in base64":                                  {text: vs("a", "{hosts: [r], http: [{directResponse: {status: 503, body: {bytes: dW5rbm93biBlcnJvcg==}}}]}"), goes: map[string]string{"GET http://r/": "503 unknown error"}},
		"a service with a rule and no route has Istio's own way":    {text: dr("r", "{host: orders, trafficPolicy: {tls: {mode: DISABLE}}}"), goes: map[string]string{"GET http://orders/": "orders", "GET http://orders.default.svc.cluster.local:81/": "orders:81"}},
		"hosts with a wildcard rule and no route go where they say": {text: dr("r", "{host: '*.a.com', trafficPolicy: {tls: {mode: SIMPLE}}}"), goes: map[string]string{"GET http://x.a.com/": "called"}},
	} {
		t.Run(name, func(t *testing.T) {
			table, _ := compiled(t, c.cfg, c.local, c.text)
			for line, want := range c.goes {
				if got := goes(table, asked(t, line)); got != want {
					t.Errorf("%s goes to %q, want %q", line, got, want)
				}
			}
		})
	}
}

// kubeService is a Service of Kubernetes with the port 8080 alone.
func kubeService(name string) string {
	return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {ports: [{port: 8080, name: http}]}\n"
}

// TestDelegates holds the rules of delegation, one a case.
func TestDelegates(t *testing.T) {
	root := func(match string) string {
		return vs("root", "{hosts: [shop.com], http: [{"+match+"timeout: 3s, delegate: {name: leaf, namespace: other}}, {"+to("rest")+"}]}")
	}
	leaf := func(routes string) string { return vs("other/leaf", "{http: ["+routes+"]}") }
	for name, c := range map[string]struct {
		text string
		goes map[string]string
	}{
		"the delegate's routes stand in the place of the root's, its short names in its namespace": {root("match: [{uri: {prefix: /p}}], ") + leaf("{match: [{uri: {prefix: /p/v1}}], "+to("one")+"}, {"+to("two")+"}"),
			map[string]string{"GET http://shop.com/p/v1": "one.other", "GET http://shop.com/p": "two.other", "GET http://shop.com/q": "rest"}},
		"matches are put together": {root("match: [{uri: {prefix: /p}, headers: {a: {exact: b}}}, {uri: {prefix: /r}}], ") + leaf("{match: [{headers: {c: {exact: d}}}], "+to("one")+"}"),
			map[string]string{"GET http://shop.com/p  a: b  c: d": "one.other", "GET http://shop.com/p  c: d": "rest", "GET http://shop.com/r  c: d": "one.other", "GET http://shop.com/r": "rest"}},
		"a match that is not within the root's is left out": {root("match: [{uri: {prefix: /p}}], ") + leaf("{match: [{uri: {prefix: /q}}], "+to("one")+"}"),
			map[string]string{"GET http://shop.com/q": "rest", "GET http://shop.com/p": "rest"}},
		"an exact path within a prefix": {root("match: [{uri: {prefix: /p}}], ") + leaf("{match: [{uri: {exact: /p/x}}], "+to("one")+"}"),
			map[string]string{"GET http://shop.com/p/x": "one.other", "GET http://shop.com/p/y": "rest"}},
		"a prefix within an exact path is in conflict": {root("match: [{uri: {exact: /p}}], ") + leaf("{match: [{uri: {prefix: /p}}], "+to("one")+"}"),
			map[string]string{"GET http://shop.com/p": "rest"}},
		"ports in conflict": {root("match: [{port: 80}], ") + leaf("{match: [{port: 81}], "+to("one")+"}"), map[string]string{"GET http://shop.com:80/": "rest:80", "GET http://shop.com:81/": "rest:81"}},
		"the same port": {root("match: [{port: 81}], ") + leaf("{match: [{port: 81, uri: {prefix: /p}}], "+to("one")+"}"),
			map[string]string{"GET http://shop.com:81/p": "one.other:81", "GET http://shop.com:80/p": "rest:80"}},
		"not exported": {root("") + vs("other/leaf", "{exportTo: [third], http: [{"+to("one")+"}]}"), map[string]string{"GET http://shop.com/": "rest"}},
	} {
		t.Run(name, func(t *testing.T) {
			table, s := compiled(t, Config{}, traffic.Local{}, c.text)
			for line, want := range c.goes {
				if got := goes(table, asked(t, line)); got != want {
					t.Errorf("%s goes to %q, want %q", line, got, want)
				}
			}
			for i, r := range s.Policy.Routes {
				if s.RouteOrigin(i).Object.Namespace == "other" && r.Timeout.Seconds() != 3 {
					t.Errorf("%s: the root's timeout is not there: %v", r.Name, r.Timeout)
				}
			}
		})
	}
}
