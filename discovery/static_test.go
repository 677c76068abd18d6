package discovery_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/discovery"
)

// first is the first thing that a source says of a service.
func first(t *testing.T, s discovery.Source, service string) (u discovery.Update) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Watch(ctx, service, func(got discovery.Update) {
		u = got
		cancel()
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestStaticIsExact(t *testing.T) {
	s := discovery.Static{"orders": {{Addr: "h:2"}, {Addr: "h:1"}}, "stock:9090": {{Addr: "h:3"}}, "idle": nil}
	for service, want := range map[string]discovery.Update{
		"orders":      {Kind: discovery.Set, Endpoints: []discovery.Endpoint{{Addr: "h:2"}, {Addr: "h:1"}}}, // as listed
		"orders:8080": {Kind: discovery.Absent},
		"stock:9090":  {Kind: discovery.Set, Endpoints: []discovery.Endpoint{{Addr: "h:3"}}},
		"stock":       {Kind: discovery.Absent},
		"idle":        {Kind: discovery.Set},
	} {
		if d := cmp.Diff(want, first(t, s, service)); d != "" {
			t.Errorf("%s: %s", service, d)
		}
	}
}

func TestStaticServices(t *testing.T) {
	got := discovery.Static{"b": nil, "a": nil, "c:1": nil}.Services()
	if d := cmp.Diff([]string{"a", "b", "c:1"}, got); d != "" {
		t.Error(d)
	}
}

func TestStaticRefusesToReportWhatIsNotValid(t *testing.T) {
	s := discovery.Static{"bad": {{Addr: "nowhere"}}, "good": {{Addr: "h:1"}}}
	err := s.Watch(t.Context(), "bad", func(u discovery.Update) { t.Errorf("reported %+v", u) })
	if err == nil || !strings.Contains(err.Error(), "bad[0]") {
		t.Errorf("got %v", err)
	}
	if u := first(t, s, "good"); len(u.Endpoints) != 1 {
		t.Errorf("got %+v", u)
	}
}
