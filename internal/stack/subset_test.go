package stack

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
)

// told is a source that says the updates that a test gives it.
type told chan discovery.Update

func (s told) Watch(ctx context.Context, _ string, f func(discovery.Update)) error {
	for {
		select {
		case u := <-s:
			f(u)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// v is an endpoint with a version.
func v(addr, version string) discovery.Endpoint {
	return discovery.Endpoint{Addr: addr, Metadata: map[string]string{"version": version}}
}

// subsetsOf is a policy with the subsets of orders, by version.
func subsetsOf(versions ...string) traffic.Policy {
	d := traffic.Destination{Service: "orders"}
	for _, version := range versions {
		d.Subsets = append(d.Subsets, traffic.Subset{Name: version, Labels: map[string]string{"version": version}})
	}
	return traffic.Policy{Destinations: []traffic.Destination{d}}
}

// withSubsets runs f with a client, its source, its policy and orders' subset v1.
func withSubsets(t *testing.T, f func(t *testing.T, c *Client, s told, p *traffic.Live)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		live, err := traffic.NewLive(subsetsOf("v1", "v2"))
		if err != nil {
			t.Fatal(err)
		}
		s := make(told)
		c := NewClient(Config{
			Discovery: s, Traffic: live, Warmup: time.Hour, Logger: slog.New(slog.DiscardHandler),
			Resilience: resilience.Config{Default: resilience.Policy{Outlier: &resilience.Outlier{Consecutive5xx: 1}}},
		})
		defer c.Close()
		f(t, c, s, live)
	})
}

func subset(c *Client, name string) *Destination {
	return c.Destination("orders", time.Now()).Subset(name, c.now.Load(), time.Now())
}

// addrs are the addresses of a destination's endpoints, or what it is instead.
func addrs(d *Destination) string {
	eps := d.Endpoints()
	switch {
	case eps == nil:
		return "unanswered"
	case eps.absent:
		return "absent"
	}
	var all []string
	for _, n := range eps.Nodes {
		all = append(all, n.Addr())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// A subset follows its service: whole lists, differences, labels that change, and that there is no such service.
func TestSubsetFollows(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, _ *traffic.Live) {
		v1 := subset(c, "v1")
		for _, step := range []struct {
			u    discovery.Update
			want string
		}{
			{discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1"), v("b:1", "v2")}}, "a:1"},
			{discovery.Update{Kind: discovery.Diff, Endpoints: []discovery.Endpoint{v("c:1", "v1"), v("d:1", "v2")}}, "a:1 c:1"},
			{discovery.Update{Kind: discovery.Diff, Endpoints: []discovery.Endpoint{v("a:1", "v2"), v("b:1", "v1")}}, "b:1 c:1"},
			{discovery.Update{Kind: discovery.Diff, Removed: []string{"c:1", "d:1"}}, "b:1"},
			{discovery.Update{Kind: discovery.Failed}, "b:1"},
			{discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v2")}}, ""},
			{discovery.Update{Kind: discovery.Absent}, "absent"},
		} {
			if step.want == "a:1" && addrs(v1) != "unanswered" {
				t.Fatalf("before the first answer: %s", addrs(v1))
			}
			s <- step.u
			synctest.Wait()
			if got := addrs(v1); got != step.want {
				t.Errorf("after %v: %q, want %q", step.u, got, step.want)
			}
		}
	})
}

// A subset that is asked for late has what its service has, and nodes of its own: they are ejected on their own.
func TestSubsetIsItsOwn(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, _ *traffic.Live) {
		all := c.Destination("orders", time.Now())
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1"), v("b:1", "v1")}}
		synctest.Wait()
		v1 := subset(c, "v1")
		if got := addrs(v1); got != "a:1 b:1" {
			t.Fatalf("got %q", got)
		}
		a := &Attempt{Call: &Call{client: c, dest: v1, exec: v1.regime.Load().exec, options: noOptions}}
		a.Call.Ctx = t.Context()
		n := v1.Endpoints().Nodes[0]
		a.count(n, bad)
		if !n.Ejected() || all.EndpointStates().Ejected != 0 || v1.EndpointStates().Ejected != 1 {
			t.Errorf("of the service %d are ejected, of the subset %d; want 0 and 1", all.EndpointStates().Ejected, v1.EndpointStates().Ejected)
		}
		if n.Service() != "orders" || v1.Name != "orders/v1" {
			t.Errorf("service %q, name %q", n.Service(), v1.Name)
		}
		seen := map[string]int{}
		c.EachEndpoints(func(service, state string, n int) { seen[service+" "+state] = n })
		if seen["orders/v1 ejected"] != 1 || seen["orders ready"] != 2 {
			t.Errorf("gauges %v", seen)
		}
	})
}

// A change of policy changes what a subset is, keeps the nodes that stay, and how they are picked.
func TestSubsetUnderAChange(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, p *traffic.Live) {
		v1 := subset(c, "v1")
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1"), v("b:1", "v2")}}
		synctest.Wait()
		kept := v1.Endpoints().Nodes[0]
		next := subsetsOf("v1")
		next.Destinations[0].Subsets[0].Labels = nil // every endpoint
		next.Destinations[0].Subsets[0].Balance = &traffic.Balance{Algorithm: balance.Random}
		if err := p.Set(next); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := addrs(v1); got != "a:1 b:1" || !slices.Contains(v1.Endpoints().Nodes, kept) {
			t.Errorf("got %q, and the node kept: %t", got, slices.Contains(v1.Endpoints().Nodes, kept))
		}
		if alg := v1.picking().Algorithm; alg != balance.Random {
			t.Errorf("picked by %q", alg)
		}
	})
}

// A subset that a change takes away stays for the calls under way, and goes a little later. It is in no gauge meanwhile.
func TestSubsetIsLost(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, p *traffic.Live) {
		orders, before := c.Destination("orders", time.Now()), c.now.Load()
		v1 := subset(c, "v1")
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1"), v("b:1", "v2")}}
		synctest.Wait()
		set := func(next traffic.Policy) {
			t.Helper()
			if err := p.Set(next); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		set(traffic.Policy{})
		time.Sleep(lostAfter / 2)
		v2 := orders.Subset("v2", before, time.Now()) // by a call that began before
		if addrs(v1) != "a:1" || addrs(v2) != "b:1" {
			t.Errorf("the subsets have %q and %q, want what they had", addrs(v1), addrs(v2))
		}
		c.EachEndpoints(func(service, _ string, _ int) {
			if service != "orders" {
				t.Errorf("a gauge of %s", service)
			}
		})
		time.Sleep(lostAfter/2 + 1)
		synctest.Wait()
		if addrs(v1) != "" || addrs(v2) != "b:1" {
			t.Errorf("the subsets have %q and %q, want none and b:1", addrs(v1), addrs(v2))
		}
		set(subsetsOf("v1", "v2")) // and back again
		time.Sleep(2 * lostAfter)
		synctest.Wait()
		if now := subset(c, "v1"); now == v1 || addrs(now) != "a:1" {
			t.Errorf("v1 is the one that was forgotten, or has %q", addrs(now))
		}
		if now := subset(c, "v2"); now != v2 || addrs(now) != "b:1" {
			t.Errorf("v2 is another one, or has %q", addrs(now))
		}
	})
}

// A change that says nothing new of a subset leaves it alone: a ring of thousands is not made anew because a weight is
// another one.
func TestSubsetIsLeftAlone(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, p *traffic.Live) {
		v1 := subset(c, "v1")
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1"), v("b:1", "v2")}}
		synctest.Wait()
		had := v1.Endpoints()
		next := subsetsOf("v1", "v2")
		next.Routes = []traffic.Route{{Name: "new", NoRetry: true}}
		if err := p.Set(next); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if v1.Endpoints() != had {
			t.Error("its endpoints were arranged anew")
		}
	})
}

// How a subset's endpoints are picked follows the client's own policy, too.
func TestSubsetFollowsResilience(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, p *traffic.Live) {
		next := subsetsOf("v1")
		next.Destinations[0].Locality = &traffic.Locality{}
		if err := p.Set(next); err != nil {
			t.Fatal(err)
		}
		v1 := subset(c, "v1")
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1")}}
		synctest.Wait()
		c.SetResilience(resilience.Config{Default: resilience.Policy{Outlier: &resilience.Outlier{MinHealthPercent: 77}}})
		if v1.arranged.calm != 77 {
			t.Errorf("it goes by %d %%, want 77", v1.arranged.calm)
		}
	})
}

// A call that asks for a subset after its service was let go does not leave connections behind.
func TestSubsetOfARetiredService(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, _ *traffic.Live) {
		orders := c.Destination("orders", time.Now())
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1")}}
		synctest.Wait()
		orders.retire()
		if n := orders.Subset("v1", c.now.Load(), time.Now()).Endpoints().Nodes[0]; !n.Retired() {
			t.Error("its connections would stay")
		}
	})
}

// chatty is a log handler that itself makes use of the client, for a service that was not called yet.
type chatty struct {
	slog.Handler

	c *Client
}

func (h *chatty) Enabled(context.Context, slog.Level) bool { return true }

func (h *chatty) Handle(context.Context, slog.Record) error {
	if h.c != nil {
		h.c.Destination("log", time.Now())
	}
	return nil
}

// Nothing is logged under a lock that the handler may need.
func TestLogThatCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live, err := traffic.NewLive(subsetsOf("v1"))
		if err != nil {
			t.Fatal(err)
		}
		s, h := make(told), &chatty{}
		c := NewClient(Config{Discovery: s, Traffic: live, Logger: slog.New(h)})
		defer c.Close()
		orders := c.Destination("orders", time.Now())
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1")}}
		synctest.Wait()
		h.c = c
		next := subsetsOf("v2")
		next.Destinations[0].Balance = &traffic.Balance{Algorithm: balance.Random}
		if err := live.Set(next); err != nil { // endpoints are arranged anew, which is logged
			t.Fatal(err)
		}
		synctest.Wait()
		orders.Subset("v2", c.now.Load(), time.Now())
		c.meshed.mu.Lock()   // a log that waits for itself would hold it
		c.meshed.mu.Unlock() //nolint:staticcheck // see above
		if _, ok := c.meshed.byName.Load("log"); !ok {
			t.Error("nothing was logged")
		}
	})
}

// A subset that no policy knows has nothing, and is forgotten.
func TestSubsetUnheardOf(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, _ *traffic.Live) {
		s2 := subset(c, "v7")
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1")}}
		synctest.Wait()
		if got := addrs(s2); got != "" {
			t.Errorf("it has %q", got)
		}
		time.Sleep(lostAfter + 1)
		synctest.Wait()
		if subset(c, "v7") == s2 {
			t.Error("it is still there")
		}
	})
}

// A subset ends with its service.
func TestSubsetRetires(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, _ *traffic.Live) {
		v1 := subset(c, "v1")
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1")}}
		synctest.Wait()
		n := v1.Endpoints().Nodes[0]
		time.Sleep(idleAfter + time.Minute)
		c.Destination("other", time.Now()) // looks for what is idle
		if !n.Retired() {
			t.Error("its connections would stay")
		}
	})
}
