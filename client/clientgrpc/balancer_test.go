package clientgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
)

// many is n endpoints that all lead to one server, which listens at "all:1".
func many(t testing.TB, cfg client.Config, n int) (*world, []string) {
	addrs := make([]string, n)
	for i := range addrs {
		addrs[i] = fmt.Sprintf("10.0.%d.%d:1", i/250, i%250)
	}
	w := newWorld(t, cfg, addrs...)
	return w, addrs
}

// throughOne makes a connection whose every dial ends at "all:1", and counts how many are under way at once.
func (w *world) throughOne(most *atomic.Int64, opts ...grpc.DialOption) *grpc.ClientConn {
	var now atomic.Int64
	return w.conn(append(opts, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		w.mu.Lock()
		w.dialed = append(w.dialed, addr)
		w.mu.Unlock()
		return w.net.DialContext(ctx, "tcp", "all:1")
	}))...)
}

func TestTenThousandEndpoints(t *testing.T) {
	w, _ := many(t, standard(), 10_000)
	w.serve("all:1", answer("all").server())
	var most atomic.Int64
	cc := w.throughOne(&most)
	if _, err := invoke(t.Context(), cc, put); err != nil {
		t.Fatal(err)
	}
	// One call asks for one endpoint each time it looks; the others are those that are kept warm.
	eventually(t, "the warm connections are made", func() bool { return len(w.dials()) >= 16 })
	if n := len(w.dials()); n > 20 {
		t.Errorf("%d connections at the start, want 16, and those few that were chosen", n)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if _, err := invoke(t.Context(), cc, put); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := len(w.dials()); n < 100 {
		t.Errorf("%d connections after 1600 calls, they do not grow with use", n)
	}
	if most.Load() > 16 {
		t.Errorf("%d connections were being made at once", most.Load())
	}
	seen := map[string]bool{}
	for _, a := range w.dials() {
		if seen[a] {
			t.Errorf("two connections to %s", a)
		}
		seen[a] = true
	}
	w.settled()
}

func TestWarmConns(t *testing.T) {
	for conns, want := range map[int]int{0: 5, 2: 2, -1: 1} {
		cfg := standard()
		cfg.WarmConns = conns
		w, _ := many(t, cfg, 5)
		w.serve("all:1", answer("all").server())
		cc := w.throughOne(new(atomic.Int64))
		cc.Connect()
		for s := cc.GetState(); s != connectivity.Ready; s = cc.GetState() {
			cc.WaitForStateChange(t.Context(), s)
		}
		eventually(t, "the warm connections are made", func() bool { return len(w.dials()) >= want })
		if n := len(w.dials()); n != want {
			t.Errorf("WarmConns %d: %d connections, want %d", conns, n, want)
		}
	}
}

func TestBlackHoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, under(fastRetries()), "a:1", "b:1", "hole:1")
		w.net.BlackHole("hole:1")
		w.serve("a:1", answer("a").server())
		w.serve("b:1", answer("b").server())
		cc := w.conn()
		began := time.Now()
		for range 100 {
			if _, err := invoke(t.Context(), cc, put); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("calls waited for an endpoint that swallows everything: %v", took)
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// A call that failed where something is ready does not wait for what may never connect.
func TestARetryDoesNotWaitForABlackHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, under(fastRetries()), "a:1", "hole:1")
		w.net.BlackHole("hole:1")
		var calls atomic.Int64
		w.serve("a:1", failing(&calls, unavailable).server())
		cc := w.conn()
		for range 3 {
			calls.Store(0)
			began := time.Now()
			if _, err := invoke(t.Context(), cc, get); status.Code(err) != codes.Unavailable || calls.Load() != 3 {
				t.Errorf("%d attempts, error %v", calls.Load(), err)
			}
			if took := time.Since(began); took > 2500*time.Millisecond {
				t.Errorf("took %v", took)
			}
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// What is down fails fast, nobody spins, and who returns is found within a second or so of the calls that want it,
// however long it was away.
func TestAllDownAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, client.Config{}, "a:1", "b:1")
		cc := w.conn()
		_, _ = invoke(t.Context(), cc, put) // the first gives them a moment
		for range 600 {                     // ten minutes
			began := time.Now()
			if _, err := invoke(t.Context(), cc, put); status.Code(err) != codes.Unavailable {
				t.Fatal(err)
			}
			if took := time.Since(began); took > time.Millisecond {
				t.Fatalf("a call that cannot succeed took %v", took)
			}
			time.Sleep(time.Second)
		}
		if n := len(w.dials()); n > 2*620 {
			t.Errorf("%d dials in ten minutes", n)
		}
		w.serve("a:1", answer("a").server())
		began := time.Now()
		for {
			if _, err := invoke(t.Context(), cc, put); err == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("found again after %v", took)
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// Nothing but hosts that are gone: the first call finds that out, the others need not.
func TestOnlyBlackHoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, client.Config{}, "hole:1", "hole:2")
		w.net.BlackHole("hole:1")
		w.net.BlackHole("hole:2")
		cc := w.conn()
		for i := range 100 {
			began := time.Now()
			_, err := invoke(t.Context(), cc, put)
			if status.Code(err) != codes.Unavailable {
				t.Fatal(err)
			}
			if took := time.Since(began); i == 0 && took > 11*time.Second || i > 0 && took > 0 {
				t.Errorf("call %d took %v", i, took)
			}
			time.Sleep(333 * time.Millisecond)
		}
		w.net.Restore("hole:1")
		w.serve("hole:1", answer("back").server())
		began := time.Now()
		for {
			if _, err := invoke(t.Context(), cc, put); err == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("found again after %v", took)
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// Nobody calls: the back-off of grpc holds.
func TestBackoffWithoutCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, client.Config{}, "a:1")
		cc := w.conn(grpc.WithIdleTimeout(0))
		_, _ = invoke(t.Context(), cc, put)
		time.Sleep(time.Hour)
		if n := len(w.dials()); n > 3600/24+20 {
			t.Errorf("%d dials in an hour without calls", n)
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// A call that waits for ready costs no more than one look at each change, and gets the endpoint when it returns.
func TestWaitForReadyFindsWhoReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, client.Config{}, "a:1")
		cc := w.conn()
		got := make(chan error)
		go func() {
			_, err := invoke(t.Context(), cc, put, grpc.WaitForReady(true))
			got <- err
		}()
		time.Sleep(10 * time.Minute)
		if n := len(w.dials()); n > 700 {
			t.Errorf("%d dials in ten minutes", n)
		}
		began := time.Now()
		w.serve("a:1", answer("a").server())
		if err := <-got; err != nil || time.Since(began) > 1500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

func TestEndpointsComeAndGo(t *testing.T) {
	w := newWorld(t, standard(), "a:1")
	for _, name := range []string{"a", "b", "c"} {
		w.serve(name+":1", answer(name).server())
	}
	cc := w.conn()
	want := func(names ...string) {
		t.Helper()
		eventually(t, fmt.Sprint("answers of ", names), func() bool {
			seen := map[string]bool{}
			for range 50 {
				server, err := invoke(t.Context(), cc, put)
				if err != nil {
					t.Fatal(err)
				}
				seen[server] = true
			}
			for _, n := range names {
				if !seen[n] {
					return false
				}
			}
			return len(seen) == len(names)
		})
	}
	want("a")
	w.source.push(discovery.Update{Kind: discovery.Diff, Endpoints: []discovery.Endpoint{{Addr: "b:1"}}})
	want("a", "b")
	w.source.push(discovery.Update{Kind: discovery.Diff, Removed: []string{"a:1"}})
	want("b")
	eventually(t, "the connection to what has left is closed", func() bool { return w.net.Conns("a:1") == 0 })
	w.source.push(set("a:1", "b:1", "c:1"))
	want("a", "b", "c")
	for range 100 { // flapping
		w.source.push(discovery.Update{Kind: discovery.Diff, Removed: []string{"c:1"}})
		w.source.push(discovery.Update{Kind: discovery.Diff, Endpoints: []discovery.Endpoint{{Addr: "c:1"}}})
		if _, err := invoke(t.Context(), cc, put); err != nil {
			t.Fatal(err)
		}
	}
	want("a", "b", "c")
	w.source.push(discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{}})
	eventually(t, "nothing is left", func() bool { _, err := invoke(t.Context(), cc, put); return errors.Is(err, discovery.ErrNoEndpoint) })
	w.source.push(set("b:1"))
	eventually(t, "something is there", func() bool { _, err := invoke(t.Context(), cc, put); return err == nil })
	want("b")
	w.settled()
}

// Another identity at the same address is another endpoint: nothing goes over the old connection any more.
func TestAnotherIdentity(t *testing.T) {
	w := newWorld(t, standard())
	w.serve("a:1", answer("a").server())
	one := func(id string) discovery.Update {
		return discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{{Addr: "a:1", ID: id}}}
	}
	w.source.push(one("spiffe://x/1"))
	cc := w.conn()
	eventually(t, "a call", func() bool { _, err := invoke(t.Context(), cc, put); return err == nil })
	w.source.push(one("spiffe://x/2"))
	eventually(t, "a new connection", func() bool { _, err := invoke(t.Context(), cc, put); return err == nil && len(w.dials()) == 2 })
	eventually(t, "the old one is closed", func() bool { return w.net.Conns("a:1") == 1 })
}

// A stream on an endpoint that leaves goes on to its end.
func TestStreamsOutliveTheirEndpoint(t *testing.T) {
	w := newWorld(t, standard(), "a:1", "b:1")
	w.serve("a:1", echo("a").server())
	w.serve("b:1", echo("b").server())
	st, err := w.conn().NewStream(t.Context(), duplex, push)
	if err != nil {
		t.Fatal(err)
	}
	w.source.push(set("c:1"))
	eventually(t, "the news", func() bool { n := w.nodes(); return len(n) == 1 && n[0].Addr() == "c:1" })
	for range 10 {
		if err := errors.Join(st.SendMsg(new(testpb.SimpleRequest)), st.RecvMsg(new(testpb.SimpleResponse))); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(st.CloseSend(), wantEOF(st)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the connections are closed", func() bool { return w.net.Conns("a:1")+w.net.Conns("b:1") == 0 })
}

// The state of the endpoints lies in the client, and survives when a connection idles.
func TestIdleness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, client.Config{}, "a:1", "b:1")
		var calls atomic.Int64
		w.serve("a:1", failing(&calls, unavailable).server())
		w.serve("b:1", failing(&calls, unavailable).server())
		cc := w.conn(grpc.WithIdleTimeout(5 * time.Second))
		for range 10 {
			_, _ = invoke(t.Context(), cc, put)
		}
		time.Sleep(time.Second)
		before := w.nodes()
		time.Sleep(9 * time.Second)
		if cc.GetState() != connectivity.Idle || w.net.Conns("a:1")+w.net.Conns("b:1") != 0 {
			t.Fatalf("the connection is %v, with %d connections", cc.GetState(), w.net.Conns("a:1")+w.net.Conns("b:1"))
		}
		if _, err := invoke(t.Context(), cc, put); err.Error() != unavailable.Error() {
			t.Error(err)
		}
		if after := w.nodes(); !slices.Equal(before, after) || after[0].Load.Penalty()+after[1].Load.Penalty() < 2 {
			t.Error("what was known of the endpoints is lost")
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

func TestClosing(t *testing.T) {
	for name, closing := range map[string]func(*world, *grpc.ClientConn){
		"the connection first":  func(w *world, cc *grpc.ClientConn) { _ = cc.Close(); _ = w.c.Close() },
		"the client first":      func(w *world, cc *grpc.ClientConn) { _ = w.c.Close(); _ = cc.Close() },
		"both twice, the other": func(w *world, cc *grpc.ClientConn) { _ = w.c.Close(); _ = w.c.Close(); _ = cc.Close(); _ = cc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, under(fastRetries()), "a:1", "gone:1")
			w.serve("a:1", answer("a").server())
			cc := w.conn()
			var wg sync.WaitGroup
			stop := make(chan struct{})
			for _, method := range []string{get, put, feed, watch} {
				wg.Go(func() {
					for {
						_, err := run(t.Context(), cc, method)
						if c := status.Code(err); err != nil && err != io.EOF && c != codes.Canceled && c != codes.Unavailable {
							t.Error(err)
						}
						select {
						case <-stop:
							return
						default:
						}
					}
				})
			}
			eventually(t, "calls are under way", func() bool { return w.inFlight() > 0 })
			closing(w, cc)
			close(stop)
			wg.Wait()
			w.settled()
			_, err := invoke(t.Context(), cc, put)
			var e *client.Error
			if !errors.As(err, &e) || e.Reason != client.Closed || status.Code(err) != codes.Canceled {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// A call that waits for a connection when the client is closed does not wait for ever.
func TestTheClientIsClosedUnderAWaitingCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, client.Config{}, "hole:1")
		w.net.BlackHole("hole:1")
		cc := w.conn()
		got := make(chan error)
		go func() {
			_, err := invoke(t.Context(), cc, put)
			got <- err
		}()
		synctest.Wait()
		_ = w.c.Close()
		if err := <-got; status.Code(err) != codes.Unavailable {
			t.Error(err)
		}
		_ = cc.Close()
	})
}

func TestTwoServicesAndOneSliceOfOptions(t *testing.T) {
	var net1 world
	net1.t = t
	for _, name := range []string{"a", "b"} {
		net1.serve(name+":1", answer(name).server())
	}
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: "a:1"}}, "payments": {{Addr: "b:1"}}},
		Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
			return net1.net.DialContext(ctx, "", e.Addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	opts := clientgrpc.DialOptions(c)
	for target, want := range map[string]string{"mesh:///orders": "a", "mesh:orders": "a", "mesh:///PAYMENTS": "b", "MESH:///payments": "b"} {
		if server, err := invoke(t.Context(), connect(t, target, opts...), put); server != want || err != nil {
			t.Errorf("%s: %q, %v", target, server, err)
		}
	}
}

func TestBadTargets(t *testing.T) {
	w := newWorld(t, standard(), "a:1")
	for _, target := range []string{"mesh:///", "mesh:", "mesh://orders", "mesh://orders/", "mesh:///a/b", "mesh:///orders?x=1", "mesh:///a%20b"} {
		cc, err := grpc.NewClient(target, append(clientgrpc.DialOptions(w.c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		if err == nil {
			_, err = invoke(t.Context(), cc, put)
			_ = cc.Close()
		}
		if err == nil || !strings.Contains(err.Error(), `want "mesh:///service"`) && !strings.Contains(err.Error(), "unknown service") {
			t.Errorf("%s: %v", target, err)
		}
	}
	c, err := client.New(client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, err = invoke(t.Context(), connect(t, "mesh:///orders", clientgrpc.DialOptions(c)...), put)
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != client.Invalid || e.Attempts != 0 || !strings.Contains(err.Error(), "Discovery") {
		t.Errorf("without Discovery: %v", err)
	}
}

// The options for the mesh on a target of grpc's own are the interceptors alone.
func TestDialOptionsOnAnotherTarget(t *testing.T) {
	w := newWorld(t, standard(), "a:1")
	w.serve("b:1", answer("b").server())
	cc := w.connTo("passthrough:///b:1", grpc.WithContextDialer(func(ctx context.Context, a string) (net.Conn, error) { return w.net.DialContext(ctx, "", a) }))
	if server, err := invoke(t.Context(), cc, put); server != "b" || err != nil {
		t.Error(server, err)
	}
}

func TestUnixSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	gs := answer("unix").server()
	done := make(chan struct{})
	go func() { defer close(done); _ = gs.Serve(l) }()
	t.Cleanup(func() { gs.Stop(); <-done })
	c, err := client.New(client.Config{Discovery: discovery.Static{"orders": {{Addr: "unix:" + path}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if server, err := invoke(t.Context(), connect(t, "mesh:///orders", clientgrpc.DialOptions(c)...), put); server != "unix" || err != nil {
		t.Error(server, err)
	}
}
