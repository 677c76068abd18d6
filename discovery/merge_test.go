package discovery_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/discovery"
)

// source is a Source that is one function.
type source func(ctx context.Context, service string, fn func(discovery.Update)) error

func (s source) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	return s(ctx, service, fn)
}

// silent never answers.
var silent = source(func(ctx context.Context, _ string, _ func(discovery.Update)) error {
	<-ctx.Done()
	return nil
})

// after reports updates one after the other, each after a delay. Where there is none it makes no timer: those that several
// goroutines of a bubble find due at the same moment crash the race detector (https://go.dev/issue/78156).
func after(d time.Duration, updates ...discovery.Update) source {
	return func(ctx context.Context, _ string, fn func(discovery.Update)) error {
		for _, u := range updates {
			if d > 0 {
				select {
				case <-ctx.Done():
				case <-time.After(d):
				}
			}
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the end of ctx is the end of a Watch, and no failure
			}
			fn(u)
		}
		<-ctx.Done()
		return nil
	}
}

func set(addrs ...string) discovery.Update {
	u := discovery.Update{Kind: discovery.Set}
	for _, a := range addrs {
		u.Endpoints = append(u.Endpoints, discovery.Endpoint{Addr: a})
	}
	return u
}

var (
	gone   = discovery.Update{Kind: discovery.Absent}
	failed = discovery.Update{Kind: discovery.Failed, Err: errors.New("away")}
)

func TestMergeFirstAnswer(t *testing.T) {
	const soon = 10 * time.Millisecond
	for name, c := range map[string]struct {
		sources []discovery.Source
		kind    discovery.Kind // Failed: no answer
		addrs   []string
		at      time.Duration
	}{
		"no sources":                 {nil, discovery.Absent, nil, 0},
		"all answer":                 {[]discovery.Source{after(soon, set("b:1")), after(2*soon, set("a:1"))}, discovery.Set, []string{"a:1", "b:1"}, 2 * soon},
		"all absent":                 {[]discovery.Source{after(soon, gone), after(2*soon, gone)}, discovery.Absent, nil, 2 * soon},
		"absent and empty":           {[]discovery.Source{after(soon, gone), after(2*soon, set())}, discovery.Set, nil, 2 * soon},
		"absent and known":           {[]discovery.Source{after(soon, gone), after(2*soon, set("a:1"))}, discovery.Set, []string{"a:1"}, 2 * soon},
		"one hangs":                  {[]discovery.Source{silent, after(soon, set("a:1"))}, discovery.Set, []string{"a:1"}, time.Second},
		"one fails":                  {[]discovery.Source{after(soon, failed), after(2*soon, set("a:1"))}, discovery.Set, []string{"a:1"}, 2 * soon},
		"fails, then answers":        {[]discovery.Source{after(soon, failed, set("b:1")), after(3*soon, set("a:1"))}, discovery.Set, []string{"a:1", "b:1"}, 3 * soon},
		"one hangs, one is absent":   {[]discovery.Source{silent, after(soon, gone)}, discovery.Failed, nil, 0},
		"one hangs, one is empty":    {[]discovery.Source{silent, after(soon, set())}, discovery.Failed, nil, 0},
		"one fails, one is absent":   {[]discovery.Source{after(soon, failed), after(soon, gone)}, discovery.Failed, nil, 0},
		"one hangs, one comes later": {[]discovery.Source{silent, after(3*time.Second, set("a:1"))}, discovery.Set, []string{"a:1"}, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				w := follow(t, discovery.Merge(c.sources...), "orders")
				defer w.stop()
				if c.kind == discovery.Failed {
					time.Sleep(time.Hour)
					if w.forget(); len(w.set) > 0 {
						t.Errorf("heard %v", w.set)
					}
					return
				}
				u := w.next()
				for u.Kind == discovery.Failed {
					u = w.next()
				}
				if d := cmp.Diff(c.addrs, addresses(u.Endpoints)); u.Kind != c.kind || d != "" {
					t.Errorf("heard %+v: %s", u, d)
				}
				if d := time.Since(start); d < c.at || d > c.at+soon/2 {
					t.Errorf("answered after %v, expected %v", d, c.at)
				}
			})
		})
	}
}

// A silent answer would be one too: nothing at all must be said while the truth is not known.
func TestMergeSaysNothingTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := follow(t, discovery.Merge(silent, after(0, gone), after(0, set())), "orders")
		time.Sleep(time.Hour)
		w.quiet()
		w.stop()
	})
}

func TestMergeEarlierSourceWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &memory{}, &memory{}
		a.set("orders", []discovery.Endpoint{{Addr: "h:1", Zone: "a"}})
		b.set("orders", []discovery.Endpoint{{Addr: "h:1", Zone: "b"}, {Addr: "h:2", Zone: "b"}})
		w := follow(t, discovery.Merge(a, b), "orders")
		zones := func() string { return w.set[0].Zone + " " + w.set[len(w.set)-1].Zone }
		w.is(discovery.Set, "h:1", "h:2")
		if zones() != "a b" {
			t.Error(zones())
		}
		b.set("orders", []discovery.Endpoint{{Addr: "h:1", Zone: "c"}, {Addr: "h:2", Zone: "c"}})
		if u := w.is(discovery.Diff, "h:1", "h:2"); zones() != "a c" || len(u.Endpoints) != 1 {
			t.Errorf("%s by %+v", zones(), u)
		}
		a.remove("orders") // what the other says of it comes to light
		if w.is(discovery.Diff, "h:1", "h:2"); zones() != "c c" {
			t.Error(zones())
		}
		b.set("orders", nil)
		w.is(discovery.Diff)
		b.remove("orders")
		w.is(discovery.Absent)
		a.set("orders", []discovery.Endpoint{{Addr: "h:3"}})
		w.is(discovery.Set, "h:3")
		w.stop()
	})
}

// A source that panics, returns, or fails is started again; what it said holds, and the others go on.
func TestMergeOutlivesItsSources(t *testing.T) {
	for name, end := range map[string]func() error{
		"error": func() error { return errors.New("broken") },
		"nil":   func() error { return nil },
		"panic": func() error { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				starts := 0
				frail := source(func(ctx context.Context, _ string, fn func(discovery.Update)) error {
					if starts++; starts == 1 {
						fn(set("frail:1"))
					}
					time.Sleep(100 * time.Millisecond)
					return end()
				})
				well := &memory{}
				well.set("orders", set("well:1").Endpoints)
				w := follow(t, discovery.Merge(frail, well), "orders")
				w.is(discovery.Set, "frail:1", "well:1")
				if u := w.is(discovery.Failed, "frail:1", "well:1"); !strings.HasPrefix(u.Err.Error(), "discovery: ") && u.Err.Error() != "broken" {
					t.Errorf("heard %v", u.Err)
				}
				time.Sleep(time.Hour)
				if n := w.forget(); n < 100 || n > 160 || len(w.set) != 2 {
					t.Errorf("%d failures in an hour, there is %v", n, w.set)
				}
				well.set("orders", set("well:2").Endpoints)
				w.reaches("frail:1", "well:2")
				w.stop()
			})
		})
	}
}

// A difference before a set, which the rules forbid, is passed over.
func TestMergePassesOverADiffWithoutASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := after(0, discovery.Update{Kind: discovery.Diff, Endpoints: set("bad:1").Endpoints})
		w := follow(t, discovery.Merge(bad, after(0, set("well:1"))), "orders")
		w.is(discovery.Set, "well:1")
		w.stop()
	})
}

func TestMergeListsWhatItsSourcesList(t *testing.T) {
	l, ok := discovery.Merge(silent, discovery.Static{"b": nil, "a": nil}, discovery.Static{"b": nil, "c": nil}).(discovery.Lister)
	if !ok {
		t.Fatal("a merge of listers lists nothing")
	}
	if d := cmp.Diff([]string{"a", "b", "c"}, l.Services()); d != "" {
		t.Error(d)
	}
	if _, ok := discovery.Merge(silent, silent).(discovery.Lister); ok {
		t.Error("a merge of sources that do not list is a lister")
	}
	nested := discovery.Merge(discovery.Merge(silent), discovery.Merge(discovery.Static{"d": nil}))
	if l, ok := nested.(discovery.Lister); !ok || len(l.Services()) != 1 {
		t.Error("a merge of merges forgets the list")
	}
}

func TestMergeValidates(t *testing.T) {
	m := discovery.Merge(silent, discovery.Static{"a": {{Addr: "nowhere"}}}, nil)
	v, ok := m.(interface{ Validate() error })
	if !ok {
		t.Fatal("no Validate")
	}
	if err := v.Validate(); err == nil || !strings.Contains(err.Error(), "a[0]") || !strings.Contains(err.Error(), "source 2 is nil") {
		t.Errorf("got %v", err)
	}
}
