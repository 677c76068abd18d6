package clientgrpc_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// byUser leads the calls of a user to a part of orders that has the user's name, or to the service "other".
func byUser() traffic.Policy {
	on := func(user string, to traffic.Backend) traffic.Route {
		return traffic.Route{
			Name: user, Hosts: []string{"orders"}, To: []traffic.Backend{to},
			Match: []traffic.Match{{Headers: []traffic.Field{{Name: "user", Value: traffic.Exact(user)}}}},
		}
	}
	return traffic.Policy{Destinations: subsets, Routes: []traffic.Route{
		on("v1", traffic.Backend{Subset: "v1"}), on("v2", traffic.Backend{Subset: "v2"}), on("other", traffic.Backend{Service: "other"}),
	}}
}

func as(ctx context.Context, user string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "user", user)
}

// parted is orders with one endpoint of v1 and one of v2, of which nobody listens at the latter, and other.
func parted(t *testing.T, cfg client.Config) *world {
	cfg.Discovery = discovery.Static{
		"orders": {{Addr: "a:1", Metadata: labels("v1")}, {Addr: "c:1", Metadata: labels("v2")}},
		"other":  {{Addr: "d:1"}},
	}
	if cfg.Traffic == nil {
		cfg.Traffic = byUser()
	}
	w := newWorld(t, cfg)
	w.serve("a:1", says("v1").server())
	w.serve("d:1", says("other").server())
	return w
}

// The endpoints of one part die and come back, while calls to the others go on: they neither fail nor wait.
func TestOnePartDiesAndReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := parted(t, client.Config{})
		gs := w.serve("c:1", says("v2").server())
		cc := w.conn()
		others := func() {
			t.Helper()
			for _, user := range []string{"v1", "other"} {
				for _, method := range ways {
					began := time.Now()
					if r := call(as(t.Context(), user), cc, method); r.err != nil || r.server != user || time.Since(began) > 0 {
						t.Fatalf("user %s: %v by %q after %v", user, r.err, r.server, time.Since(began))
					}
				}
			}
		}
		if r := call(as(t.Context(), "v2"), cc, get); r.err != nil {
			t.Fatal(r.err)
		}
		others()
		gs.Stop()
		w.free("c:1")
		synctest.Wait() // the client has seen it
		waiting := make(chan result)
		go func() { waiting <- call(as(t.Context(), "v2"), cc, feed, grpc.WaitForReady(true)) }()
		_ = call(as(t.Context(), "v2"), cc, get) // the first gives it a moment
		for range 300 {                          // five minutes
			began := time.Now()
			if r := call(as(t.Context(), "v2"), cc, get); status.Code(r.err) != codes.Unavailable || time.Since(began) > time.Millisecond {
				t.Fatalf("%v after %v", r.err, time.Since(began))
			}
			others()
			time.Sleep(time.Second)
		}
		if cc.GetState() != connectivity.Ready {
			t.Errorf("the connection is %v", cc.GetState())
		}
		began := time.Now()
		w.serve("c:1", says("v2").server())
		if r := <-waiting; r.err != nil || r.server != "v2" || time.Since(began) > 1500*time.Millisecond {
			t.Errorf("%v by %q after %v", r.err, r.server, time.Since(began))
		}
		if r := call(as(t.Context(), "v2"), cc, get); r.err != nil {
			t.Error(r.err)
		}
		if n := len(w.dials()); n > 2*310 {
			t.Errorf("%d dials", n)
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// One part swallows everything: calls to it wait for as long as their own time, those to the others not at all.
func TestABlackHoleIsItsOwnPartsMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := parted(t, client.Config{})
		w.net.BlackHole("c:1")
		cc := w.conn()
		held := make(chan result, 20)
		for range cap(held) {
			go func() { held <- call(as(t.Context(), "v2"), cc, get) }()
		}
		synctest.Wait()
		began := time.Now()
		for range 100 {
			if r := call(as(t.Context(), "v1"), cc, get); r.err != nil {
				t.Fatal(r.err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("calls to another part waited for %v", took)
		}
		for range cap(held) {
			if r := <-held; status.Code(r.err) != codes.Unavailable {
				t.Error(r.err)
			}
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("held for %v", took)
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// Connections that no call has gone to for as long as a whole ClientConn may be idle are closed; streams on them go on, and
// the next call finds new ones. The service that the target names stays.
func TestUnusedConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := parted(t, client.Config{})
		w.serve("c:1", echo("v2").server())
		cc := w.conn(grpc.WithIdleTimeout(0))
		st, err := cc.NewStream(as(t.Context(), "v2"), duplex, push)
		if err != nil {
			t.Fatal(err)
		}
		turn := func() {
			t.Helper()
			if err := errors.Join(st.SendMsg(new(testpb.SimpleRequest)), st.RecvMsg(new(testpb.SimpleResponse))); err != nil {
				t.Fatal(err)
			}
		}
		turn()
		use := func(user string) {
			t.Helper()
			if r := call(as(t.Context(), user), cc, get); r.err != nil {
				t.Fatal(r.err)
			}
		}
		use("v1")
		use("") // orders itself
		conns := func() [3]int {
			synctest.Wait()
			return [3]int{w.net.Conns("a:1"), w.net.Conns("c:1"), w.net.Conns("d:1")}
		}
		before := conns()
		if before[0] < 2 || before[1] < 2 {
			t.Fatalf("connections %v: parts are destinations of their own", before)
		}
		for range 29 { // v1 is in use all the time
			time.Sleep(time.Minute)
			use("v1")
		}
		if now := conns(); now != before {
			t.Errorf("after 29 minutes connections %v, were %v", now, before)
		}
		time.Sleep(2 * time.Minute)
		turn() // on the connection that is to be closed when the stream is over
		if err := errors.Join(st.CloseSend(), wantEOF(st)); err != nil {
			t.Fatal(err)
		}
		if now := conns(); now != [3]int{before[0], before[1] - 1, 0} {
			t.Errorf("after 31 minutes connections %v, were %v", now, before)
		}
		time.Sleep(30 * time.Minute)
		if now := conns(); now != [3]int{before[0] - 1, before[1] - 1, 0} {
			t.Errorf("after an hour connections %v, were %v", now, before)
		}
		for range 5 { // each time a moment after they were dropped, or before
			for _, user := range []string{"v1", "v2", "other", ""} {
				for range 4 {
					use(user)
					time.Sleep(30*time.Minute - time.Second/2)
				}
			}
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// A call that waits for longer than that is not forgotten.
func TestWaitingForAPartOutlastsItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := parted(t, client.Config{})
		cc := w.conn()
		got := make(chan result)
		go func() { got <- call(as(t.Context(), "v2"), cc, get, grpc.WaitForReady(true)) }()
		time.Sleep(3 * time.Hour)
		w.serve("c:1", says("v2").server())
		began := time.Now()
		if r := <-got; r.err != nil || time.Since(began) > 1500*time.Millisecond {
			t.Errorf("%v after %v", r.err, time.Since(began))
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

// The destinations that routes lead to are pinned while they have connections, and not longer.
func TestDestinationsAreKeptWithTheirConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := parted(t, client.Config{})
		cc := w.conn(grpc.WithIdleTimeout(0))
		if r := call(as(t.Context(), "other"), cc, get); r.err != nil {
			t.Fatal(r.err)
		}
		d := w.c.Core().Destination("other", time.Now())
		if !d.Pinned() {
			t.Error("not pinned")
		}
		time.Sleep(31 * time.Minute)
		if d.Pinned() {
			t.Error("still pinned")
		}
		_ = call(as(t.Context(), "other"), cc, get)
		_ = cc.Close()
		if d.Pinned() {
			t.Error("pinned after the end")
		}
		_ = w.c.Close()
	})
}

// Endpoints of a part come and go, and those that wait for it hear of that.
func TestEndpointsOfAPartComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := client.Config{Traffic: byUser()}
		w := newWorld(t, cfg, "a:1")
		for _, name := range []string{"a", "b", "c"} {
			w.serve(name+":1", answer(name).server())
		}
		v2 := func(addrs ...string) discovery.Update {
			u := set(append(addrs, "a:1")...)
			for i := range addrs {
				u.Endpoints[i].Metadata = labels("v2")
			}
			return u
		}
		cc := w.conn()
		use := func() (seen map[string]bool) {
			synctest.Wait()
			seen = map[string]bool{}
			for range 50 {
				server, err := invoke(as(t.Context(), "v2"), cc, put)
				if err != nil {
					t.Fatal(err)
				}
				seen[server] = true
			}
			return seen
		}
		if _, err := invoke(as(t.Context(), "v2"), cc, put); !errors.Is(err, discovery.ErrNoEndpoint) {
			t.Fatal(err)
		}
		got := make(chan error)
		go func() {
			_, err := invoke(as(t.Context(), "v2"), cc, put, grpc.WaitForReady(true))
			got <- err
		}()
		synctest.Wait()
		w.source.push(v2("b:1"))
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		if seen := use(); len(seen) != 1 || !seen["b"] {
			t.Errorf("answers of %v", seen)
		}
		w.source.push(v2("b:1", "c:1"))
		_ = use() // asks for the connection
		if seen := use(); len(seen) != 2 || seen["a"] {
			t.Errorf("answers of %v", seen)
		}
		w.source.push(v2("c:1"))
		synctest.Wait()
		if n := w.net.Conns("b:1"); n != 0 {
			t.Errorf("%d connections to an endpoint that has left, while nobody calls", n)
		}
		if seen := use(); len(seen) != 1 || !seen["c"] {
			t.Errorf("answers of %v", seen)
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

func TestStateOfTheConnection(t *testing.T) {
	w := parted(t, client.Config{})
	cc := w.conn()
	if r := call(as(t.Context(), "v2"), cc, get); status.Code(r.err) != codes.Unavailable {
		t.Fatal(r.err)
	}
	eventually(t, "trouble shows where nothing else goes on", func() bool { return cc.GetState() == connectivity.TransientFailure })
	if r := call(as(t.Context(), "v1"), cc, get); r.err != nil {
		t.Fatal(r.err)
	}
	eventually(t, "one part that is ready makes the whole ready", func() bool { return cc.GetState() == connectivity.Ready })
	// Nothing has gone to orders as such.
	before := len(w.dials())
	cc.Connect()
	eventually(t, "Connect connects to the service that the target names", func() bool { return w.net.Conns("a:1") == 2 && len(w.dials()) > before })
}

// The connection, the client and the policy come to their end while calls of all parts are under way.
func TestClosingWithParts(t *testing.T) {
	for name, closing := range map[string]func(*world, *grpc.ClientConn){
		"the connection first": func(w *world, cc *grpc.ClientConn) { _ = cc.Close(); _ = w.c.Close() },
		"the client first":     func(w *world, cc *grpc.ClientConn) { _ = w.c.Close(); _ = cc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			w := parted(t, under(fastRetries()))
			w.serve("c:1", says("v2").server())
			cc := w.conn()
			var wg sync.WaitGroup
			var calls atomic.Int64
			stop := make(chan struct{})
			for _, user := range []string{"v1", "v2", "other", ""} {
				for _, method := range ways {
					wg.Go(func() {
						for {
							r := call(as(t.Context(), user), cc, method)
							if c := status.Code(r.err); r.err != nil && r.err != io.EOF && c != codes.Canceled && c != codes.Unavailable {
								t.Error(r.err)
							}
							calls.Add(1)
							select {
							case <-stop:
								return
							default:
							}
						}
					})
				}
			}
			eventually(t, "calls are under way", func() bool { return calls.Load() > 100 })
			closing(w, cc)
			close(stop)
			wg.Wait()
		})
	}
}
