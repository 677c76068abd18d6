package traffic_test

import (
	"fmt"
	"net/http"

	"github.com/intramesh/intramesh/client/traffic"
)

// headers are those of an HTTP request.
type headers http.Header

func (h headers) Lookup(_, canonical string) (string, bool) {
	if v := h[canonical]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

func canary() traffic.Policy {
	return traffic.Policy{
		Routes: []traffic.Route{{
			Name:  "testers",
			Hosts: []string{"orders"},
			Match: []traffic.Match{{Headers: []traffic.Field{{Name: "x-tester", Value: traffic.Present()}}}},
			To:    []traffic.Backend{{Subset: "v2"}},
		}, {
			Name:  "canary",
			Hosts: []string{"orders"},
			Match: []traffic.Match{{Path: traffic.PathPrefix("/v1")}},
			To:    []traffic.Backend{{Subset: "v1", Weight: 90}, {Subset: "v2", Weight: 10}},
		}},
		Destinations: []traffic.Destination{{
			Service: "orders",
			Subsets: []traffic.Subset{
				{Name: "v1", Labels: map[string]string{"version": "1"}},
				{Name: "v2", Labels: map[string]string{"version": "2"}},
			},
		}},
	}
}

func ExampleCompile() {
	_, err := traffic.Compile(traffic.Policy{Routes: []traffic.Route{{
		Match: []traffic.Match{{Path: traffic.Regex("/v1/(")}},
	}}}, traffic.Local{})
	fmt.Println(err)
	// Output: traffic: Routes[0].Match[0].Path: regex "/v1/(": missing closing )
}

func ExampleTable_Match() {
	table, err := traffic.Compile(canary(), traffic.Local{})
	if err != nil {
		panic(err)
	}
	q := &traffic.Request{Service: "orders", Path: "/v1/orders/7", Method: "GET"}
	rule := table.Match(q)
	sent := map[string]int{}
	for n := range uint64(1000) { // the caller counts
		sent[rule.Choose(q, n).Backend.Subset]++
	}
	fmt.Println(rule.Name, sent)

	q.Header = headers{"X-Tester": {"yes"}}
	rule = table.Match(q)
	fmt.Println(rule.Name, rule.Choose(q, 0).Backend.Subset)
	// Output:
	// canary map[v1:899 v2:101]
	// testers v2
}

func ExampleTable_Explain() {
	table, err := traffic.Compile(canary(), traffic.Local{})
	if err != nil {
		panic(err)
	}
	fmt.Print(table.Explain(&traffic.Request{Service: "orders", Path: "/v1/orders/7", Method: "GET"}))
	// Output:
	// not testers (match[0]): header x-tester: there is none, must be present
	// rule canary (match[0])
	//   90 % to orders subset v1
	//     labels {"version":"1"}
	//   10 % to orders subset v2
	//     labels {"version":"2"}
}

func ExampleParse() {
	p, err := traffic.Parse([]byte(`{
	  "routes": [{"hosts": ["orders"], "match": [{"path": {"prefix": "/v1"}}], "timeout": "1.5s"}]
	}`))
	fmt.Println(p, err)

	_, err = traffic.Parse([]byte(`{
	  "routes": [{"hosts": ["orders"], "timout": "1.5s"}]
	}`))
	fmt.Println(err)
	// Output:
	// {"routes":[{"hosts":["orders"],"match":[{"path":{"prefix":"/v1"}}],"timeout":"1.5s"}]} <nil>
	// traffic: 2:37: routes[0].timout: unknown field, did you mean "timeout"?
}

func ExampleNewLive() {
	live, err := traffic.NewLive(canary())
	if err != nil {
		panic(err)
	}
	next := canary()
	next.Routes[1].To[0].Weight, next.Routes[1].To[1].Weight = 50, 50
	fmt.Println(live.Set(next))

	next.Routes[0].Match[0].Path = traffic.Regex("(")
	fmt.Println(live.Set(next))
	// Output:
	// <nil>
	// traffic: Routes[0].Match[0].Path: regex "(": missing closing )
}
