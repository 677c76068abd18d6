package traffic

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/resilience"
)

func explained() Policy {
	return Policy{
		Routes: []Route{
			{Name: "users", Hosts: []string{"users"}},
			{Name: "batch", Match: []Match{{Source: map[string]string{"app": "batch"}}}},
			{Name: "checks", Hosts: []string{"orders"}, Match: []Match{
				{Port: 9090}, {Scheme: Exact("https")}, {Authority: Suffix(".example")}, {Method: Exact("POST")},
				{GRPC: &GRPCMatch{Service: Exact("shop.Orders")}}, {Path: Regex("/v[0-9]")},
				{Name: "debug", Query: []Field{{Name: "debug", Value: Exact("1")}}},
				{Headers: []Field{{Name: "X-User", Value: Exact("42"), Not: true}}},
			}},
			{
				Name: "main", Hosts: []string{"orders"}, Match: []Match{{Path: PathPrefix("/v1")}},
				To: []Backend{
					{Subset: "v2", Weight: 1, Headers: Headers{Request: HeaderOps{Set: map[string]string{"x-version": "2"}}}},
					{Service: "old", Weight: 2}, {Weight: 1, Respond: &Response{Status: 503}},
				},
				Sticky:  &Key{Header: "x-user"},
				Headers: Headers{Request: HeaderOps{Remove: []string{"X-Debug"}}, Response: HeaderOps{Add: map[string]string{"via": "mesh"}}},
				Rewrite: &Rewrite{Authority: "o.example", Prefix: new("/")}, Timeout: 2 * time.Second, NoRetry: true,
				Faults: []Fault{
					{Percent: 5, Delay: time.Second}, {Percent: 1, Abort: &Abort{Status: 500}, Match: []Match{{Method: Exact("PUT")}}},
				},
				Mirrors: []Mirror{{Service: "shadow", Percent: 1}},
			},
			{Name: "moved", Hosts: []string{"orders"}, Match: []Match{{Path: Exact("/old")}}, Redirect: &Redirect{Path: "/new"}},
			{Name: "gone", Hosts: []string{"orders"}, Match: []Match{{Path: Exact("/gone")}}, Respond: &Response{Status: 410}},
			{Name: "retried", Hosts: []string{"orders"}, Retry: &resilience.Retry{Retries: 1}},
		},
		Destinations: []Destination{{Service: "orders", Subsets: []Subset{
			{Name: "v2", Labels: map[string]string{"version": "2"}, Settings: Settings{Balance: &Balance{Algorithm: "random"}}},
		}}},
	}
}

const explanation = `not batch (match[0]): source: this process has other labels
not checks (match[0]): port: 80 is not 9090
not checks (match[1]): scheme: "http" is not exact "https"
not checks (match[2]): authority: "orders" is not suffix ".example"
not checks (match[3]): method: "GET" is not exact "POST"
not checks (match[4]): grpc: the call is not gRPC
not checks (match[5]): path: "/v1/x" is not regex "/v[0-9]"
not checks (debug): query debug: there is none, must be exact "1"
not checks (match[7]): header x-user: "42", must be other than exact "42"
not 1 more: for other hosts
rule main (match[0])
  path /x
  authority o.example
  timeout 2s
  no retries
  fault {"percent":5,"scope":"call","delay":"1s"}
  mirror shadow 1 %
  sticky {"header":"x-user"}
  25 % to orders subset v2
    labels {"version":"2"}
    request: remove x-debug
    request: set x-version: "2"
    response: add via: "mesh"
    settings {"balance":{"algorithm":"random"}}
  50 % to old
    request: remove x-debug
    response: add via: "mesh"
  25 % to respond 503
    response: add via: "mesh"
`

func TestExplain(t *testing.T) {
	table, err := Compile(explained(), Local{Labels: map[string]string{"app": "web"}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(change func(*Request)) Explanation {
		q := &Request{
			Service: "orders", Authority: "orders", Scheme: "http", Method: "GET", Path: "/v1/x", Header: naiveHeader{"x-user": {"42"}},
		}
		change(q)
		return table.Explain(q)
	}
	if got := ask(func(*Request) {}).String(); got != explanation {
		t.Errorf("%s\nwant\n%s", got, explanation)
	}
	for want, change := range map[string]func(*Request){
		"rule moved (match[0])\n  redirect 301 http://orders/new\n":                        func(q *Request) { q.Path = "/old" },
		"rule gone (match[0])\n  respond 410\n":                                            func(q *Request) { q.Path = "/gone" },
		"rule retried\n  retry {\"retries\":1}\n  100 % to orders\n":                       func(q *Request) { q.Path = "/" },
		"rule users\n  100 % to users\n":                                                   func(q *Request) { q.Service = "users" },
		"not 13 more: for other hosts\nno rule matches\n  100 % to other\n":                func(q *Request) { q.Service = "other" },
		"fault {\"percent\":1,\"scope\":\"call\",\"abort\":{\"status\":500}}":              func(q *Request) { q.Method = "PUT" },
		"not checks (match[0]): port: no port was asked for, not 9090":                     func(q *Request) { q.Scheme = "" },
		"not checks (match[4]): grpc.service: \"shop.Users\" is not exact \"shop.Orders\"": func(q *Request) { q.GRPC, q.Path = true, "/shop.Users/Get" },
	} {
		if got := ask(change).String(); !strings.Contains(got, want) {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
}

// An explanation is data: JSON with the names of its tags, and the policy's own spelling within.
func TestExplanationIsData(t *testing.T) {
	table, err := Compile(explained(), Local{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(table.Explain(&Request{Service: "orders", Path: "/v1/x", Header: naiveHeader{"x-user": {"42"}}}))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Rule, Timeout string
		Destinations  []struct {
			Subset  string
			Percent float64
		}
		Faults []struct{ Delay string }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Rule != "main" || got.Timeout != "2s" || len(got.Destinations) != 3 || got.Destinations[0].Percent != 25 || got.Faults[0].Delay != "1s" {
		t.Errorf("%+v of %s", got, text)
	}
}

func TestExplainTellsWhereASubsetIsMissing(t *testing.T) {
	p := Policy{
		Routes:       []Route{{To: []Backend{{Subset: "v1"}}}},
		Destinations: []Destination{{Service: "orders", Subsets: []Subset{{Name: "v1"}}}},
	}
	table, err := Compile(p, Local{})
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Explain(&Request{Service: "users"}).String(); !strings.Contains(got, `fails: traffic: unknown subset: "v1" of service "users"`) {
		t.Error(got)
	}
}
