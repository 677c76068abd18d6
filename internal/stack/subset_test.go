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
	return c.Destination("orders", time.Now()).Subset(name, time.Now())
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
		if err := p.Set(traffic.Policy{}); err != nil { // there is no such subset any more
			t.Fatal(err)
		}
		synctest.Wait()
		if got := addrs(v1); got != "" {
			t.Errorf("a subset that is no more still has %q", got)
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
