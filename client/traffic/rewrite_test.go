package traffic

import "testing"

//go:fix inline
func ruleFor(t *testing.T, r Route, q *Request) *Rule {
	t.Helper()
	table, err := Compile(Policy{Routes: []Route{r}}, Local{})
	if err != nil {
		t.Fatal(err)
	}
	rule := table.Match(q)
	if rule == nil {
		t.Fatalf("%+v does not match %+v", r, q)
	}
	return rule
}

func TestRewritePath(t *testing.T) {
	for _, tt := range []struct {
		name    string
		match   Value
		rewrite *Rewrite
		path    string
		want    string
	}{
		{"none", Value{}, nil, "/a", "/a"},
		{"authority alone", Value{}, &Rewrite{Authority: "x"}, "/a", "/a"},
		{"whole path", Prefix("/"), &Rewrite{Path: "/b"}, "/a/c", "/b"},
		{"prefix of letters", Prefix("/v1"), &Rewrite{Prefix: new("/v2")}, "/v1x", "/v2x"},
		{"prefix of letters by a slash, as Envoy does", Prefix("/v1"), &Rewrite{Prefix: new("/")}, "/v1/x", "//x"},
		{"prefix of letters with its slash", Prefix("/v1/"), &Rewrite{Prefix: new("/")}, "/v1/x", "/x"},
		{"prefix of letters by nothing", Prefix("/v1"), &Rewrite{Prefix: new("")}, "/v1/x", "/x"},
		{"prefix of letters by nothing, nothing left", Prefix("/v1"), &Rewrite{Prefix: new("")}, "/v1", "/"},
		// The table of the Gateway API's HTTPPathModifier.
		{"/foo/bar", PathPrefix("/foo"), &Rewrite{Prefix: new("/xyz")}, "/foo/bar", "/xyz/bar"},
		{"/foo/bar by /xyz/", PathPrefix("/foo"), &Rewrite{Prefix: new("/xyz/")}, "/foo/bar", "/xyz/bar"},
		{"/foo/bar of /foo/", PathPrefix("/foo/"), &Rewrite{Prefix: new("/xyz")}, "/foo/bar", "/xyz/bar"},
		{"/foo/bar of /foo/ by /xyz/", PathPrefix("/foo/"), &Rewrite{Prefix: new("/xyz/")}, "/foo/bar", "/xyz/bar"},
		{"/foo", PathPrefix("/foo"), &Rewrite{Prefix: new("/xyz")}, "/foo", "/xyz"},
		{"/foo/", PathPrefix("/foo"), &Rewrite{Prefix: new("/xyz")}, "/foo/", "/xyz/"},
		{"/foo/bar by nothing", PathPrefix("/foo"), &Rewrite{Prefix: new("")}, "/foo/bar", "/bar"},
		{"/foo/ by nothing", PathPrefix("/foo"), &Rewrite{Prefix: new("")}, "/foo/", "/"},
		{"/foo by nothing", PathPrefix("/foo"), &Rewrite{Prefix: new("")}, "/foo", "/"},
		{"/foo/ by /", PathPrefix("/foo"), &Rewrite{Prefix: new("/")}, "/foo/", "/"},
		{"/foo by /", PathPrefix("/foo"), &Rewrite{Prefix: new("/")}, "/foo", "/"},
		{"exact", Exact("/a/b"), &Rewrite{Prefix: new("/c")}, "/a/b", "/c"},
		{"any case", Value{Op: OpPrefix, Text: "/V1", IgnoreCase: true}, &Rewrite{Prefix: new("/v2")}, "/v1/x", "/v2/x"},
		{"regex", Value{}, &Rewrite{Regex: "^/(.*)/(.*)$", Substitution: `/\2/\1`}, "/a/b", "/b/a"},
		{"regex everywhere", Value{}, &Rewrite{Regex: "a", Substitution: `\0$1\\`}, "/a/a", `/a$1\/a$1\`},
		{"regex that finds nothing", Value{}, &Rewrite{Regex: "x", Substitution: "y"}, "/a", "/a"},
		{"regex that takes the slash", Value{}, &Rewrite{Regex: "^/a/", Substitution: ""}, "/a/b", "/b"},
	} {
		r := Route{Rewrite: tt.rewrite}
		if tt.match != (Value{}) {
			r.Match = []Match{{Path: tt.match}}
		}
		if got := ruleFor(t, r, &Request{Path: tt.path}).RewritePath(tt.path); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The prefix that counts is that of the match that holds, not of another of the route.
func TestRewriteGoesByTheMatchThatHolds(t *testing.T) {
	r := Route{
		Match: []Match{
			{Path: Prefix("/a"), Headers: []Field{{Name: "x", Value: Present()}}},
			{Path: Prefix("/a/b")},
		},
		Rewrite: &Rewrite{Prefix: new("/z")},
	}
	q := &Request{Path: "/a/b/c"}
	if got := ruleFor(t, r, q).RewritePath(q.Path); got != "/z/c" {
		t.Errorf("without the header %q", got)
	}
	q.Header = naiveHeader{"x": {""}}
	if got := ruleFor(t, r, q).RewritePath(q.Path); got != "/z/b/c" {
		t.Errorf("with the header %q", got)
	}
}

func TestLocation(t *testing.T) {
	q := Request{Scheme: "http", Service: "orders", Authority: "orders:8080", Path: "/v1/x", RawQuery: "a=b"}
	with := func(change func(*Request)) *Request { p := q; change(&p); return &p }
	for _, tt := range []struct {
		name     string
		redirect Redirect
		q        *Request
		status   int
		want     string
	}{
		{"host", Redirect{Host: "new"}, &q, 301, "http://new:8080/v1/x?a=b"},
		{"scheme", Redirect{Scheme: "https", Status: 308}, &q, 308, "https://orders/v1/x?a=b"},
		{"port", Redirect{Port: 81}, &q, 301, "http://orders:81/v1/x?a=b"},
		{"scheme and port", Redirect{Scheme: "https", Port: 8443}, &q, 301, "https://orders:8443/v1/x?a=b"},
		{"usual port", Redirect{Scheme: "https", Port: 443}, &q, 301, "https://orders/v1/x?a=b"},
		{"path", Redirect{Path: "/new", Status: 302}, &q, 302, "http://orders:8080/new?a=b"},
		{"path with a query", Redirect{Path: "/new?c=d"}, &q, 301, "http://orders:8080/new?c=d"},
		{"prefix", Redirect{Prefix: new("/v2")}, &q, 301, "http://orders:8080/v2/x?a=b"},
		{"no query", Redirect{Host: "new"}, with(func(q *Request) { q.RawQuery = "" }), 301, "http://new:8080/v1/x"},
		{"no port", Redirect{Path: "/n"}, with(func(q *Request) { q.Authority = "orders" }), 301, "http://orders/n?a=b"},
		{"IPv6", Redirect{Path: "/n"}, with(func(q *Request) { q.Authority = "[::1]:80" }), 301, "http://[::1]/n?a=b"},
		{"IPv6 host", Redirect{Host: "::1", Port: 81}, &q, 301, "http://[::1]:81/v1/x?a=b"},
		{"no scheme", Redirect{Host: "new"}, with(func(q *Request) { q.Scheme = "" }), 301, "http://new:8080/v1/x?a=b"},
	} {
		r := Route{Redirect: &tt.redirect, Match: []Match{{Path: PathPrefix("/v1")}}}
		status, got := ruleFor(t, r, tt.q).Location(tt.q)
		if status != tt.status || got != tt.want {
			t.Errorf("%s: %d %q, want %d %q", tt.name, status, got, tt.status, tt.want)
		}
	}
	if status, got := ruleFor(t, Route{}, &q).Location(&q); status != 0 || got != "" {
		t.Errorf("no redirect: %d %q", status, got)
	}
}
