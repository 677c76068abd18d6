package clientgrpc_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/resilience"
)

// world is a network in memory with endpoints of one service, orders, and a client for it.
type world struct {
	t      testing.TB
	net    memnet.Network
	source *source
	c      *client.Client
	mu     sync.Mutex
	dialed []string
	served map[string]chan struct{}
}

// newWorld makes a world with these endpoints. Nobody listens there yet.
func newWorld(t testing.TB, cfg client.Config, addrs ...string) *world {
	t.Helper()
	w := &world{t: t, source: newSource(addrs...)}
	if cfg.Discovery == nil {
		cfg.Discovery = w.source
	}
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Dial = func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
		w.mu.Lock()
		w.dialed = append(w.dialed, e.Addr)
		w.mu.Unlock()
		return w.net.DialContext(ctx, "tcp", e.Addr)
	}
	var err error
	if w.c, err = client.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.c.Close() })
	return w
}

// standard is a config with the policy that most have.
func standard() client.Config { return under(resilience.Standard()) }

func under(p resilience.Policy) client.Config {
	return client.Config{Resilience: resilience.Config{Default: p}}
}

// serve runs gs at addr until the test ends.
func (w *world) serve(addr string, gs *grpc.Server) *grpc.Server {
	w.t.Helper()
	l, err := w.net.Listen(addr)
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = gs.Serve(l) }()
	w.t.Cleanup(func() { gs.Stop(); <-done })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.served == nil {
		w.served = map[string]chan struct{}{}
	}
	w.served[addr] = done
	return gs
}

// free waits until a server that was stopped has left its address.
func (w *world) free(addr string) {
	w.mu.Lock()
	done := w.served[addr]
	w.mu.Unlock()
	<-done
}

// conn connects to the service orders, unless a target is given.
func (w *world) conn(opts ...grpc.DialOption) *grpc.ClientConn {
	return w.connTo("mesh:///orders", opts...)
}

func (w *world) connTo(target string, opts ...grpc.DialOption) *grpc.ClientConn {
	w.t.Helper()
	all := append(clientgrpc.DialOptions(w.c), grpc.WithTransportCredentials(insecure.NewCredentials()))
	cc, err := grpc.NewClient(target, append(all, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// connDirect connects a client without discovery to "a:1", over a resolver of grpc's own.
func (w *world) connDirect(c *client.Client) *grpc.ClientConn {
	w.t.Helper()
	return connect(w.t, "passthrough:///a:1", append(clientgrpc.Interceptors(c), grpc.WithContextDialer(w.dialPlain))...)
}

// dialPlain is for connections without the mesh.
func (w *world) dialPlain(ctx context.Context, addr string) (net.Conn, error) {
	return w.net.DialContext(ctx, "tcp", addr)
}

// dials is the addresses that were dialled so far.
func (w *world) dials() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dialed)
}

// inFlight is the number of calls that the endpoints of orders count.
func (w *world) inFlight() (sum int64) {
	for _, n := range w.nodes() {
		sum += n.Load.InFlight()
	}
	return sum
}

func (w *world) nodes() []*stack.Node {
	eps := w.c.Core().Destination("orders", time.Now()).Endpoints()
	if eps == nil {
		return nil
	}
	return eps.Nodes
}

// settled fails the test unless no endpoint counts a call in flight soon.
func (w *world) settled() {
	w.t.Helper()
	eventually(w.t, "no call is counted as in flight", func() bool { return w.inFlight() == 0 })
}

// eventually waits until what is so; it gives up after a time that no machine needs.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for range 20_000 {
		if is() {
			return
		}
		pause()
	}
	t.Fatalf("never: %s", what)
}

// pause lets other goroutines run; it is no measure of time.
func pause() { <-time.After(time.Millisecond) }

// source is a discovery.Source that a test drives.
type source struct {
	mu       sync.Mutex
	state    discovery.Update
	watchers map[chan discovery.Update]struct{}
}

func newSource(addrs ...string) *source {
	s := &source{watchers: map[chan discovery.Update]struct{}{}}
	s.state = set(addrs...)
	return s
}

func set(addrs ...string) discovery.Update {
	u := discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{}}
	for _, a := range addrs {
		u.Endpoints = append(u.Endpoints, discovery.Endpoint{Addr: a})
	}
	return u
}

// push sends news to all who watch. What comes next reaches those who watch later only if it is a set.
func (s *source) push(u discovery.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.Kind != discovery.Diff {
		s.state = u
	}
	for w := range s.watchers {
		w <- u
	}
}

// Watch knows one service, orders.
func (s *source) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	if service != "orders" {
		fn(discovery.Update{Kind: discovery.Absent})
		<-ctx.Done()
		return nil
	}
	news := make(chan discovery.Update, 1000)
	s.mu.Lock()
	news <- s.state
	s.watchers[news] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.watchers, news)
		s.mu.Unlock()
	}()
	for {
		select {
		case u := <-news:
			fn(u)
		case <-ctx.Done():
			return nil
		}
	}
}
