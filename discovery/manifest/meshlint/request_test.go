package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/client/traffic"
)

func TestParseRequest(t *testing.T) {
	for line, want := range map[string]traffic.Request{
		"GET http://orders/v1/orders/7": {
			Scheme: "http", Service: "orders", Authority: "orders", Path: "/v1/orders/7", Method: "GET",
		},
		" POST  https://orders:8443/a%2Fb?x=1&y ": {
			Scheme: "https", Service: "orders:8443", Authority: "orders:8443", Path: "/a%2Fb", RawQuery: "x=1&y", Method: "POST",
		},
		"HEAD mesh://orders": {Scheme: "mesh", Service: "orders", Authority: "orders", Path: "/", Method: "HEAD"},
		"GET http://[::1]:80/": {
			Scheme: "http", Service: "[::1]:80", Authority: "[::1]:80", Path: "/", Method: "GET",
		},
		"grpc orders/shop.v1.Orders/Place": {
			GRPC: true, Service: "orders", Authority: "orders", Path: "/shop.v1.Orders/Place", Method: "POST",
		},
		"gRPC mesh:///orders:9090/shop.v1.Orders/Place": {
			GRPC: true, Service: "orders:9090", Authority: "orders:9090", Path: "/shop.v1.Orders/Place", Method: "POST",
		},
	} {
		got, err := parseRequest(line, nil)
		got.Header = nil
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q: %v\n%s", line, err, cmp.Diff(want, got))
		}
	}
}

func TestParseRequestErrors(t *testing.T) {
	for line, want := range map[string]string{
		"":                              "want a method and a URL",
		"http://orders/":                "want a method and a URL",
		"GET http://orders/ HTTP/1.1":   "want a method and a URL",
		"G(T http://orders/":            "not a method of HTTP",
		"GET orders/v1":                 "must begin with http://",
		"GET ftp://orders/v1":           "must begin with http://",
		"GET http:///v1":                "has no host",
		"GET http://orders:0/":          "not a port",
		"GET http://orders:99999/":      "not a port",
		"GET http://orders/%zz":         "not a URL",
		"grpc orders":                   "want a host, a service and a method",
		"grpc orders/Place":             "want a host, a service and a method",
		"grpc orders/a/b/c":             "want a host, a service and a method",
		"grpc /shop.v1.Orders/Place":    "want a host, a service and a method",
		"grpc a@b/shop.v1.Orders/Place": "not a host",
		"grpc orders:x/a.B/C":           "not a host",
		"grpc orders:70000/a.B/C":       "not a port",
	} {
		if _, err := parseRequest(line, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
}

func TestReadHeaders(t *testing.T) {
	q, err := parseRequest("GET http://orders/", []string{"x-user: 42", "X-USER:43", "Host: shop.example.com", "empty:"})
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := q.Header.Lookup("x-user", "X-User"); v != "42" || !ok {
		t.Errorf("x-user: %q %t", v, ok)
	}
	if v, ok := q.Header.Lookup("empty", "Empty"); v != "" || !ok {
		t.Errorf("empty: %q %t", v, ok)
	}
	if _, ok := q.Header.Lookup("host", "Host"); ok || q.Authority != "shop.example.com" {
		t.Errorf("%+v", q)
	}
	for _, bad := range []string{"", "x", ": x", "a b: x"} {
		if _, err := parseRequest("GET http://orders/", []string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzRequest: what is read is a request that a table can be asked about.
func FuzzRequest(f *testing.F) {
	for _, line := range []string{"GET http://orders/v1?x=1", "grpc orders:80/a.B/C", "grpc mesh:///o/a/b", "POST mesh://[::1]", "GET http://a:b@c/", "x"} {
		f.Add(line, "x-user: 42")
	}
	table, err := traffic.Compile(traffic.Policy{Routes: []traffic.Route{{
		Hosts: []string{"orders", "*.shop"}, Match: []traffic.Match{{Path: traffic.Regex("/v[0-9]+"), Query: []traffic.Field{{Name: "x", Value: traffic.Present()}}}},
	}}}, traffic.Local{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line, header string) {
		q, err := parseRequest(line, []string{header})
		if err != nil {
			return
		}
		if q.Service == "" || q.Authority == "" && !strings.Contains(strings.ToLower(header), "host") || q.Method == "" || q.Path == "" || q.Header == nil {
			t.Errorf("%q: %+v", line, q)
		}
		if q.GRPC != (q.Scheme == "") {
			t.Errorf("%q: %+v", line, q)
		}
		_ = table.Explain(&q).String()
	})
}
