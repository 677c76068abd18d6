package traffic

import (
	"slices"
	"testing"
)

func TestHeaderOps(t *testing.T) {
	route := HeaderOps{Set: map[string]string{"x-B": "1", "X-a": "2"}, Add: map[string]string{"y": "3"}, Remove: []string{"z", "X-a"}}
	backend := HeaderOps{Set: map[string]string{"x-b": "4"}}
	r := ruleFor(t, Route{
		Headers: Headers{Request: route}, To: []Backend{{Headers: Headers{Request: backend, Response: backend}}},
	}, &Request{})
	want := []HeaderOp{
		{HeaderRemove, "x-a", "X-A", ""}, {HeaderRemove, "z", "Z", ""}, {HeaderSet, "x-a", "X-A", "2"}, {HeaderSet, "x-b", "X-B", "1"},
		{HeaderAdd, "y", "Y", "3"}, {HeaderSet, "x-b", "X-B", "4"},
	}
	if got := r.Targets[0].RequestHeaders; !slices.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	if got := r.RequestHeaders; !slices.Equal(got, want[:5]) {
		t.Errorf("%v\nwant %v", got, want[:5])
	}
	if got := r.Targets[0].ResponseHeaders; !slices.Equal(got, want[5:]) {
		t.Errorf("%v\nwant %v", got, want[5:])
	}
}

func TestFaultRule(t *testing.T) {
	r := ruleFor(t, Route{Faults: []Fault{
		{Delay: 1},
		{Abort: &Abort{Code: "UNAVAILABLE"}, Scope: ScopeAttempt, Match: []Match{{Method: Exact("PUT")}, {Path: Exact("/a")}}},
		{Body: &BodyFault{Corrupt: 1}},
		{FromHeaders: true, Match: []Match{{}}},
	}}, &Request{})
	for i, tt := range []struct {
		scope    Scope
		get, put bool
	}{{ScopeCall, true, true}, {ScopeAttempt, false, true}, {ScopeAttempt, true, true}, {ScopeCall, true, true}} {
		f := &r.Faults[i]
		get, put := f.Match(&Request{Method: "GET", Path: "/"}), f.Match(&Request{Method: "PUT", Path: "/"})
		if f.Scope != tt.scope || get != tt.get || put != tt.put || !f.Match(&Request{Path: "/a"}) {
			t.Errorf("%d: %s %v %v, want %+v", i, f.Scope, get, put, tt)
		}
	}
}
