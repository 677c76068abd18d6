package discoverytest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/discoverytest"
)

// breach wraps the news of a good source, and breaks one rule.
type breach struct {
	name string
	rule string // that must notice
	says string
	do   func(ctx context.Context, good discovery.Source, service string, fn func(discovery.Update)) error
}

var breaches = []breach{
	{"says nothing", "first_answer", "waited", func(ctx context.Context, _ discovery.Source, _ string, _ func(discovery.Update)) error {
		<-ctx.Done()
		return nil
	}},
	{"empty is absent", "empty_answer", "waited", rewrite(func(u discovery.Update) discovery.Update {
		if len(u.Endpoints) == 0 {
			return discovery.Update{Kind: discovery.Absent}
		}
		return u
	})},
	{"absent is empty", "absent", "waited", rewrite(func(u discovery.Update) discovery.Update {
		u.Kind = discovery.Set
		return u
	})},
	{"drops details", "details", "waited", rewrite(func(u discovery.Update) discovery.Update {
		next := discovery.Update{Kind: u.Kind}
		for _, e := range u.Endpoints {
			next.Endpoints = append(next.Endpoints, discovery.Endpoint{Addr: e.Addr})
		}
		return next
	})},
	{"starts with a diff", "first_answer", "a diff without a set before it", rewrite(func(u discovery.Update) discovery.Update {
		u.Kind = discovery.Diff
		return u
	})},
	{"lists twice", "first_answer", "is there twice", rewrite(func(u discovery.Update) discovery.Update {
		u.Endpoints = append(u.Endpoints, u.Endpoints...)
		return u
	})},
	{"bad address", "first_answer", "host:port", rewrite(func(u discovery.Update) discovery.Update {
		u.Endpoints = append(u.Endpoints, discovery.Endpoint{Addr: "nowhere"})
		return u
	})},
	{"fails without a reason", "first_answer", "without Err", func(ctx context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		fn(discovery.Update{Kind: discovery.Failed})
		return good.Watch(ctx, service, fn)
	}},
	{"returns the context's error", "end_of_context", "expected nil", func(ctx context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		_ = good.Watch(ctx, service, fn)
		return ctx.Err()
	}},
	{"ignores the context", "end_of_context", "has not returned", func(_ context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		return good.Watch(context.Background(), service, fn)
	}},
	{"reports after the end", "context_has_ended", "although ctx has ended", func(_ context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		fn(discovery.Update{Kind: discovery.Absent})
		return nil
	}},
	{"reports twice", "context_ends_in_the_callback", "although ctx has ended", func(ctx context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		return good.Watch(ctx, service, func(u discovery.Update) { fn(u); fn(u) })
	}},
	{"overlaps", "first_answer", "overlap", func(ctx context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		for range 2 {
			go func() {
				for ctx.Err() == nil {
					fn(discovery.Update{Kind: discovery.Set})
				}
			}()
		}
		<-ctx.Done()
		return nil
	}},
	{"changes what it gave", "first_answer", "was changed after", func(ctx context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		var given []discovery.Endpoint
		err := good.Watch(ctx, service, func(u discovery.Update) { given = u.Endpoints; fn(u) })
		for i := range given {
			given[i].Zone = "changed"
		}
		return err
	}},
	{"mixes services", "services_are_independent", "waited", func(ctx context.Context, good discovery.Source, _ string, fn func(discovery.Update)) error {
		return good.Watch(ctx, "orders", fn)
	}},
	{"leaves goroutines", "nothing_is_left_behind", "after all watches have ended", func(ctx context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		go func() { select {} }()
		return good.Watch(ctx, service, fn)
	}},
}

// patience is short where the breach is that something never happens.
func (b breach) patience() time.Duration {
	if b.says == "waited" || b.says == "has not returned" {
		return 100 * time.Millisecond
	}
	return 0
}

// rewrite changes each piece of news.
func rewrite(f func(discovery.Update) discovery.Update) func(context.Context, discovery.Source, string, func(discovery.Update)) error {
	return func(ctx context.Context, good discovery.Source, service string, fn func(discovery.Update)) error {
		return good.Watch(ctx, service, func(u discovery.Update) { fn(f(u)) })
	}
}

// broken is a source with a breach.
type broken struct {
	breach
	good discovery.Source
}

func (b broken) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	return b.do(ctx, b.good, service, fn)
}

const variable = "DISCOVERYTEST_BREACH"

// TestBreach is the test that must fail; it runs in a process of its own.
func TestBreach(t *testing.T) {
	for _, b := range breaches {
		if b.name != os.Getenv(variable) {
			continue
		}
		discoverytest.Run(t, discoverytest.Harness{
			Patience: b.patience(),
			Open: func(_ *testing.T, content discoverytest.Content) discoverytest.Registry {
				return discoverytest.Registry{Source: broken{b, discovery.Static(content)}}
			},
		})
	}
}

// Every breach is noticed, by the rule that is meant for it.
func TestBreachesAreNoticed(t *testing.T) {
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestBreach$/^"+b.rule+"$")
			cmd.Env = append(os.Environ(), variable+"="+b.name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestBreach/"+b.rule) || !strings.Contains(string(out), b.says) {
				t.Errorf("ended with %v and said:\n%s", err, out)
			}
		})
	}
}
