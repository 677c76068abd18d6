package traffic

import (
	"errors"
	"strings"
	"testing"
)

func TestRoutesThatNeverMatch(t *testing.T) {
	r := func(hosts string, m ...Match) Route { return Route{Hosts: strings.Fields(hosts), Match: m} }
	path := func(v Value) Match { return Match{Path: v} }
	header := func(v Value) Match { return Match{Headers: []Field{{Name: "X", Value: v}}} }
	for _, tt := range []struct {
		name          string
		first, second Route
		dead          bool
	}{
		{"all", r(""), r("a"), true},
		{"the same", r("a", path(Exact("/a"))), r("a", path(Exact("/a"))), true},
		{"another host", r("a"), r("b"), false},
		{"fewer hosts", r("a"), r("a b"), false},
		{"more hosts", r("a b"), r("b"), true},
		{"a name below", r("*.shop"), r("x.shop"), true},
		{"a suffix below", r("*.shop"), r("*.eu.shop"), true},
		{"a suffix above", r("*.eu.shop"), r("*.shop"), false},
		{"the same suffix", r("*.shop"), r("*.shop"), true},
		{"the suffix itself", r("*.shop"), r("shop"), false},
		{"a port", r("a"), r("a:80"), true},
		{"one port of all", r("a:80"), r("a"), false},
		{"any case", r("A"), r("a"), true},
		{"every host's port", r("*:80"), r("a:80"), true},
		{"prefix over exact", r("", path(Prefix("/a"))), r("", path(Exact("/ab"))), true},
		{"prefix over prefix", r("", path(Prefix("/a"))), r("", path(Prefix("/ab"))), true},
		{"prefix under prefix", r("", path(Prefix("/ab"))), r("", path(Prefix("/a"))), false},
		{"segments over a segment", r("", path(PathPrefix("/a/"))), r("", path(PathPrefix("/a/b"))), true},
		{"segments over half a segment", r("", path(PathPrefix("/a"))), r("", path(Prefix("/ab"))), false},
		{"segments over letters below", r("", path(PathPrefix("/a"))), r("", path(Prefix("/a/"))), true},
		{"letters over segments", r("", path(Prefix("/a/"))), r("", path(PathPrefix("/a"))), false},
		{"the root", r("", path(PathPrefix("/"))), r("", path(Regex("/x"))), true},
		{"prefix over regex", r("", path(Prefix("/a"))), r("", path(Regex("/ab/[0-9]+"))), true},
		{"the same regex", r("", path(Regex("/.*"))), r("", path(Regex("/.*"))), true},
		{"a regex over exact", r("", path(Regex("/[0-9]+"))), r("", path(Exact("/12"))), true},
		{"a suffix over exact", r("", path(Suffix(".js"))), r("", path(Exact("/a.js"))), true},
		{"any case over case", r("", path(Value{OpPrefix, "/A", true})), r("", path(Exact("/ab"))), true},
		{"case over any case", r("", path(Prefix("/a"))), r("", path(Value{OpExact, "/ab", true})), false},
		{"a condition more", r("", path(Prefix("/a"))), r("", Match{Path: Prefix("/a"), Method: Exact("GET")}), true},
		{"a condition less", r("", Match{Path: Prefix("/a"), Method: Exact("GET")}), r("", path(Prefix("/a"))), false},
		{"the same header", r("", header(Exact("1"))), r("", header(Exact("1"))), true},
		{"another header", r("", header(Exact("1"))), r("", header(Exact("2"))), false},
		{"present over exact", r("", header(Present())), r("", header(Exact("2"))), true},
		{"exact over present", r("", header(Exact("2"))), r("", header(Present())), false},
		{"present over not exact", r("", header(Present())), r("", Match{Headers: []Field{{Name: "x", Value: Exact("1"), Not: true}}}), false},
		{"absent over not present", r("", header(Absent())), r("", Match{Headers: []Field{{Name: "x", Value: Present(), Not: true}}}), true},
		{"a suffix over any case", r("", path(Suffix(".js"))), r("", path(Value{OpExact, "/a.js", true})), false},
		{"a method of a gRPC service", r("", Match{GRPC: &GRPCMatch{Service: Exact("s")}}),
			r("", Match{GRPC: &GRPCMatch{Service: Exact("s"), Method: Exact("m")}}), true},
		{"any gRPC", r("", Match{GRPC: &GRPCMatch{}}), r("", Match{GRPC: &GRPCMatch{Method: Exact("m")}}), true},
		{"one of two matches", r("", path(Exact("/a"))), r("", path(Exact("/a")), path(Exact("/b"))), false},
		{"both matches", r("", path(Exact("/b")), path(Exact("/a"))), r("", path(Exact("/a")), path(Exact("/b"))), true},
		{"one of the earlier matches is empty", r("", path(Exact("/a")), Match{}), r("", path(Exact("/b"))), true},
		{"another source", r("", Match{Source: map[string]string{"app": "a"}}), r("", Match{Source: map[string]string{"app": "b"}}), false},
		{"the same source", r("", Match{Source: map[string]string{"app": "a"}}), r("", Match{Source: map[string]string{"app": "a"}}), true},
		{"a source", r("", Match{Source: map[string]string{"app": "a"}}), r("", Match{Port: 80}), false},
		{"a port less", r("", Match{Port: 80}), r("", Match{Port: 80, Scheme: Exact("http")}), true},
	} {
		for _, local := range []Local{{}, {Labels: map[string]string{"app": "a"}}} {
			_, err := Compile(Policy{Routes: []Route{tt.first, tt.second}}, local)
			if (err != nil) != tt.dead || tt.dead && !errors.Is(err, ErrNeverMatches) {
				t.Errorf("%s: %v, want an error: %v", tt.name, err, tt.dead)
			}
		}
	}
}

func TestRouteThatNeverMatchesNamesBoth(t *testing.T) {
	err := Policy{Routes: []Route{
		{Name: "canary", Hosts: []string{"orders"}, Match: []Match{{Method: Exact("PUT")}, {Path: Prefix("/v1")}}},
		{Name: "old", Hosts: []string{"orders"}, Match: []Match{{Path: Exact("/v1/x")}}},
	}}.Validate()
	want := `traffic: Routes[1]: "old": can never match: Routes[0].Match[1] ("canary") takes all its requests`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}
