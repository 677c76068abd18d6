package clientgrpc

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
)

// still is a grpc.ClientConn whose connections are ready when they are told to connect.
type still struct{ balancer.ClientConn }

func (still) UpdateState(balancer.State) {}

func (still) NewSubConn(_ []resolver.Address, o balancer.NewSubConnOptions) (balancer.SubConn, error) {
	return &stillConn{changed: o.StateListener}, nil
}

type stillConn struct {
	balancer.SubConn
	changed func(balancer.SubConnState)
}

func (c *stillConn) Connect() {
	c.changed(balancer.SubConnState{ConnectivityState: connectivity.Ready})
}
func (c *stillConn) Shutdown() {}

// many is a source of n endpoints whose news the benchmark gives.
type many struct {
	n    int
	news chan discovery.Update
}

func (m many) Watch(ctx context.Context, _ string, fn func(discovery.Update)) error {
	u := discovery.Update{Kind: discovery.Set}
	for i := range m.n {
		u.Endpoints = append(u.Endpoints, discovery.Endpoint{Addr: fmt.Sprintf("10.0.%d.%d:1", i/250, i%250)})
	}
	fn(u)
	for {
		select {
		case u := <-m.news:
			fn(u)
		case <-ctx.Done():
			return nil
		}
	}
}

// One endpoint of many leaves or joins: from the source's news until grpc has been told. The connections in use are all
// there are, or the few of a quiet client.
func BenchmarkOneChangeAmong(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		for name, ready := range map[string]int{"16 connections": 16, "all connected": n} {
			b.Run(fmt.Sprintf("%d endpoints, %s", n, name), func(b *testing.B) { benchmarkChange(b, n, ready) })
		}
	}
}

func benchmarkChange(b *testing.B, n, ready int) {
	source := many{n, make(chan discovery.Update)}
	c, err := client.New(client.Config{Discovery: source, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := c.Ready(b.Context(), "orders"); err != nil {
		b.Fatal(err)
	}
	lb := builder{}.Build(still{}, balancer.BuildOptions{}).(*lb)
	lb.start(&feed{dest: c.Core().Destination("orders", time.Now()), warm: 16})
	g := lb.home
	eps, changed := g.dest.Watch()
	t := &tally{now: time.Now()}
	for _, n := range eps.Nodes[:ready] {
		t.connecting = 0
		g.connectTo(n, t, 0)
	}
	tell := func() {
		g.settle(g.reconcile(eps), eps, true)
		lb.publish()
	}
	tell()
	one := discovery.Endpoint{Addr: "10.9.9.9:1"}
	for i := 0; b.Loop(); i++ {
		u := discovery.Update{Kind: discovery.Diff, Endpoints: []discovery.Endpoint{one}}
		if i%2 == 1 {
			u = discovery.Update{Kind: discovery.Diff, Removed: []string{one.Addr}}
		}
		source.news <- u
		<-changed
		eps, changed = g.dest.Watch()
		tell()
	}
}
