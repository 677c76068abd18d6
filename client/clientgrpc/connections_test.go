package clientgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

func connections(c *traffic.Connections) traffic.Policy {
	return traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{Connections: c}}}}
}

// connected runs f in a bubble with servers at the addresses, which share a ledger, and a policy that can change.
func connected(t *testing.T, p traffic.Policy, addrs []string, f func(t *testing.T, w *world, cc *grpc.ClientConn, l *ledger, live *traffic.Live)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		live, err := traffic.NewLive(p)
		if err != nil {
			t.Fatal(err)
		}
		w, l := newWorld(t, client.Config{Traffic: live}, addrs...), &ledger{}
		for _, addr := range addrs {
			gs := w.serve(addr, echo(addr).server(grpc.StatsHandler(l)))
			defer gs.Stop()
		}
		cc := w.conn()
		defer w.c.Close()
		defer cc.Close()
		f(t, w, cc, l, live)
	})
}

func ask(t *testing.T, cc *grpc.ClientConn, opts ...grpc.CallOption) {
	t.Helper()
	if _, err := invoke(t.Context(), cc, put, opts...); err != nil {
		t.Error(err)
	}
	synctest.Wait()
}

// begun is a stream on which one message has gone both ways.
func begun(t *testing.T, cc *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	s, err := cc.NewStream(t.Context(), duplex, push)
	if err != nil {
		t.Fatal(err)
	}
	exchange(t, s)
	return s
}

func exchange(t *testing.T, s grpc.ClientStream) {
	t.Helper()
	if err := errors.Join(s.SendMsg(new(testpb.SimpleRequest)), s.RecvMsg(new(testpb.SimpleResponse))); err != nil {
		t.Error(err)
	}
}

// One after the other, calls fill each connection, also where a call takes so long to begin that the connection has been
// replaced by then. No connection is made in vain: beside those that are filled there is the next one.
func TestMaxRequests(t *testing.T) {
	for _, opts := range [][]grpc.CallOption{nil, {grpc.PerRPCCredentials(lingering{})}} {
		for _, most := range []int{1, 4, 10} {
			t.Run(fmt.Sprintf("%d, %d options", most, len(opts)), func(t *testing.T) { inTurn(t, most, opts) })
		}
	}
}

func inTurn(t *testing.T, most int, opts []grpc.CallOption) {
	connected(t, connections(&traffic.Connections{MaxRequests: most}), []string{"a:1"}, func(t *testing.T, _ *world, cc *grpc.ClientConn, l *ledger, _ *traffic.Live) {
		for range 20 {
			ask(t, cc, opts...)
		}
		got := l.used()
		if slices.Max(got) > most || len(got) < 20/most {
			t.Errorf("at most %d: %v", most, got)
		}
		if most < 8 && len(got) != 20/most {
			t.Errorf("20 calls over %d connections, want %d: %v", len(got), 20/most, got)
		}
		if all, open := l.conns(); all > len(got)+1 || open > 2 {
			t.Errorf("%d of %d connections are open, %d were used", open, all, len(got))
		}
	})
}

// lingering are credentials of a call that take until nothing else moves. grpc asks for them between the choice of the
// connection and the stream.
type lingering struct{}

func (lingering) RequireTransportSecurity() bool { return false }

func (lingering) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	synctest.Wait()
	return nil, nil
}

// A call waits for the connection that takes the place of one that is full, however long that takes to be made, and whether
// the calls on the full one are over or not.
func TestMaxRequestsWithSlowConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, client.Config{}, "a:1")
		gs := w.serve("a:1", echo("a").server())
		defer gs.Stop()
		c, err := client.New(client.Config{
			Traffic: connections(&traffic.Connections{MaxRequests: 1}), Discovery: discovery.Static{"orders": {{Addr: "a:1"}}},
			Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
				select {
				case <-time.After(5 * time.Second):
				case <-ctx.Done():
				}
				return w.net.DialContext(ctx, "tcp", e.Addr)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		cc := connect(t, "mesh:///orders", clientgrpc.DialOptions(c)...)
		defer cc.Close()
		s := begun(t, cc)
		for range 2 {
			time.Sleep(2 * time.Second) // longer than a call would wait if there were another connection
			ask(t, cc)
		}
		exchange(t, s)
	})
}

// Calls at the same time do not make it more, and none of them fails, nor do streams on connections that are full.
func TestMaxRequestsAtOnce(t *testing.T) {
	for _, most := range []int{1, 7} {
		t.Run(fmt.Sprint(most), func(t *testing.T) { atOnce(t, most, 16, 50) })
	}
}

func atOnce(t *testing.T, most, callers, each int) {
	w, l := newWorld(t, client.Config{Traffic: connections(&traffic.Connections{MaxRequests: most})}, "a:1", "b:1"), &ledger{}
	w.serve("a:1", echo("a").server(grpc.StatsHandler(l)))
	w.serve("b:1", echo("b").server(grpc.StatsHandler(l)))
	cc := w.conn()
	s := begun(t, cc)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				if _, err := invoke(t.Context(), cc, put); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	exchange(t, s)
	if got := l.used(); slices.Max(got) > most {
		t.Errorf("at most %d a connection: %v", most, got)
	}
	eventually(t, "the stream alone is in flight", func() bool { return w.inFlight() == 1 })
}

// TestMaxAge has time pass between calls, in which a connection stays or becomes too old; the stream outlives it.
func TestMaxAge(t *testing.T) {
	p := connections(&traffic.Connections{MaxAge: 10 * time.Second, IdleTimeout: time.Hour})
	connected(t, p, []string{"a:1"}, func(t *testing.T, w *world, cc *grpc.ClientConn, l *ledger, _ *traffic.Live) {
		s := begun(t, cc)
		for i, want := range []int{1, 1, 2, 2, 3} {
			if i > 0 {
				time.Sleep(6 * time.Second)
			}
			ask(t, cc)
			if got, _ := l.conns(); got != want {
				t.Errorf("%d connections were made, want %d", got, want)
			}
		}
		exchange(t, s)
		if _, open := l.conns(); open != 2 {
			t.Errorf("%d are open, want that of the stream and the latest", open)
		}
	})
}

// While the server takes no new connections, the old one serves.
func TestMaxAgeWhileNoneIsToBeHad(t *testing.T) {
	p := connections(&traffic.Connections{MaxAge: 10 * time.Second})
	connected(t, p, []string{"a:1"}, func(t *testing.T, w *world, cc *grpc.ClientConn, l *ledger, _ *traffic.Live) {
		ask(t, cc)
		w.net.Refuse("a:1")
		time.Sleep(time.Minute)
		ask(t, cc)
		w.net.Restore("a:1")
		time.Sleep(time.Minute)
		ask(t, cc)
		if got := l.used(); len(got) != 2 || got[0] != 2 {
			t.Errorf("calls by connection: %v", got)
		}
	})
}

// Idle connections are closed, those that were made ahead, too; a stream keeps its own. The next call makes them anew.
func TestIdleTimeout(t *testing.T) {
	p := connections(&traffic.Connections{IdleTimeout: 10 * time.Second})
	connected(t, p, []string{"a:1", "b:1", "c:1"}, func(t *testing.T, _ *world, cc *grpc.ClientConn, l *ledger, _ *traffic.Live) {
		check := func(wantAll, wantOpen int) {
			t.Helper()
			synctest.Wait()
			if all, open := l.conns(); all != wantAll || open != wantOpen {
				t.Errorf("%d of %d connections are open, want %d of %d", open, all, wantOpen, wantAll)
			}
		}
		s := begun(t, cc)
		check(3, 3)
		time.Sleep(9 * time.Second)
		check(3, 3)
		time.Sleep(2 * time.Second)
		check(3, 1)
		time.Sleep(5 * time.Minute)
		check(3, 1)
		ask(t, cc)
		exchange(t, s)
		_ = s.CloseSend()
		if err := s.RecvMsg(new(testpb.SimpleResponse)); err == nil {
			t.Error("the stream goes on")
		}
		time.Sleep(time.Minute)
		all, _ := l.conns()
		check(all, 0)
		ask(t, cc)
		check(all+3, 3)
	})
}

// A change of policy that leaves the connections' part as it was leaves the connections, too; one that does not replaces
// them, and streams go on.
func TestConnectionsOutliveAChange(t *testing.T) {
	policy := func(name string, idle time.Duration) traffic.Policy {
		p := connections(&traffic.Connections{IdleTimeout: idle})
		p.Destinations[0].TLS = &traffic.TLS{Mode: traffic.TLSDisable}
		p.Routes = []traffic.Route{{Name: name}}
		return p
	}
	connected(t, policy("one", time.Minute), []string{"a:1"}, func(t *testing.T, _ *world, cc *grpc.ClientConn, l *ledger, live *traffic.Live) {
		s := begun(t, cc)
		for _, step := range []struct {
			policy traffic.Policy
			want   int
		}{{policy("one", time.Minute), 1}, {policy("two", time.Minute), 1}, {policy("two", time.Hour), 2}, {traffic.Policy{}, 3}} {
			if err := live.Set(step.policy); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			ask(t, cc)
			if got, _ := l.conns(); got != step.want {
				t.Errorf("%d connections were made, want %d", got, step.want)
			}
		}
		exchange(t, s)
	})
}

// TestConnectTimeout: longer or shorter than what it is without a policy, for dialling and for what comes after.
func TestConnectTimeout(t *testing.T) {
	mute := func(context.Context) (net.Conn, error) { // that nobody speaks on
		near, _ := net.Pipe()
		return swallow{near}, nil
	}
	never := func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	for name, dial := range map[string]func(context.Context) (net.Conn, error){"dialling": never, "handshake": mute} {
		for _, limit := range []time.Duration{300 * time.Millisecond, 25 * time.Second, 0} {
			t.Run(name+" "+limit.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ends := make(chan time.Time, 100)
					cfg := client.Config{
						Traffic: connections(&traffic.Connections{ConnectTimeout: limit}), Discovery: discovery.Static{"orders": {{Addr: "a:1"}}},
						Dial: func(ctx context.Context, _ discovery.Endpoint) (net.Conn, error) {
							c, err := dial(ctx)
							if err == nil {
								return told{c, ends}, nil
							}
							ends <- time.Now()
							return nil, err
						},
					}
					c, err := client.New(cfg)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					cc := connect(t, "mesh:///orders", clientgrpc.DialOptions(c)...)
					defer cc.Close()
					began, want := time.Now(), limit
					if want == 0 {
						want = 10 * time.Second
					}
					_, err = invoke(t.Context(), cc, put)
					if status.Code(err) != codes.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v", err)
					}
					if took := (<-ends).Sub(began); took != want {
						t.Errorf("after %v, want %v", took, want)
					}
				})
			})
		}
	}
}

// swallow takes all that is written.
type swallow struct{ net.Conn }

func (swallow) Write(p []byte) (int, error) { return len(p), nil }

// told says when it is closed.
type told struct {
	net.Conn

	closed chan time.Time
}

func (c told) Close() error {
	select {
	case c.closed <- time.Now():
	default:
	}
	return c.Conn.Close()
}

// kept notes how it is kept alive.
type kept struct {
	net.Conn

	set chan net.KeepAliveConfig
}

func (k kept) SetKeepAliveConfig(c net.KeepAliveConfig) error { k.set <- c; return nil }

func TestKeepalive(t *testing.T) {
	w := newWorld(t, client.Config{}, "a:1")
	w.serve("a:1", answer("a").server())
	set := make(chan net.KeepAliveConfig, 1)
	c, err := client.New(client.Config{
		Traffic:   connections(&traffic.Connections{Keepalive: &traffic.Keepalive{Idle: time.Minute, Count: 3}}),
		Discovery: discovery.Static{"orders": {{Addr: "a:1"}}},
		Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
			conn, err := w.net.DialContext(ctx, "tcp", e.Addr)
			return kept{conn, set}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := invoke(t.Context(), connect(t, "mesh:///orders", clientgrpc.DialOptions(c)...), put); err != nil {
		t.Fatal(err)
	}
	if got, want := <-set, (net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: -1, Count: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Without Config.Dial a policy has connections dialled all the same, over TCP and sockets of unix.
func TestDialByPolicy(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			at := map[string]string{"tcp": "127.0.0.1:0", "unix": t.TempDir() + "/s"}[network]
			l, err := net.Listen(network, at)
			if err != nil {
				t.Fatal(err)
			}
			addr := l.Addr().String()
			if network == "unix" {
				addr = "unix:" + at
			}
			gs, done := answer("a").server(), make(chan struct{})
			go func() { defer close(done); _ = gs.Serve(l) }()
			defer func() { gs.Stop(); <-done }()
			c, err := client.New(client.Config{
				Traffic:   connections(&traffic.Connections{ConnectTimeout: time.Minute, Keepalive: &traffic.Keepalive{Idle: time.Minute}}),
				Discovery: discovery.Static{"orders": {{Addr: addr}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			cc := connect(t, "mesh:///orders", clientgrpc.DialOptions(c)...)
			if _, err := invoke(t.Context(), cc, put); err != nil {
				t.Error(err)
			}
		})
	}
}

// gRPC is HTTP/2: a policy that forbids it refuses calls, and sends nothing.
func TestHTTP2(t *testing.T) {
	for _, on := range []bool{true, false} {
		w := newWorld(t, client.Config{Traffic: connections(&traffic.Connections{HTTP2: &on})}, "a:1")
		w.serve("a:1", says("a").server())
		cc := w.conn(grpc.WithTransportCredentials(insecure.NewCredentials()))
		for _, method := range ways {
			r := call(t.Context(), cc, method)
			var e *client.Error
			switch {
			case on && r.err != nil:
				t.Errorf("%s: %v", method, r.err)
			case !on && (!errors.As(r.err, &e) || e.Reason != client.Invalid || status.Code(r.err) != codes.FailedPrecondition):
				t.Errorf("%s: got %v", method, r.err)
			}
		}
	}
}
