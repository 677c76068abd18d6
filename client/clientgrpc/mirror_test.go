package clientgrpc_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// mirrored is a world whose orders are at "a:1" and whose copies go to next, at "b:1".
func mirrored(t testing.TB, limits traffic.MirrorLimits, orders, next jobs, edit ...func(*client.Config, *traffic.Route)) *world {
	t.Helper()
	route := traffic.Route{Name: "launch", Mirrors: []traffic.Mirror{{Service: "next", Percent: 100}}}
	cfg := client.Config{Discovery: discovery.Static{"orders": {{Addr: "a:1"}}, "next": {{Addr: "b:1"}}}}
	for _, e := range edit {
		e(&cfg, &route)
	}
	cfg.Traffic = traffic.Policy{Routes: []traffic.Route{route}, MirrorLimits: limits}
	w := newWorld(t, cfg)
	w.serve("a:1", orders.server())
	if next != nil {
		w.serve("b:1", next.server())
	}
	return w
}

// over waits until no copy is under way.
func (w *world) over() {
	w.t.Helper()
	eventually(w.t, "the copies are over", func() bool { return w.c.Core().CopiesUnderWay() == 0 })
	if n := w.c.Core().HeldForCopies(); n != 0 {
		w.t.Errorf("%d bytes are held for copies", n)
	}
}

// diary writes down what a server sees, and answers every message.
func diary(lines chan<- string) jobs {
	return func(method string, s grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(s.Context())
		var b strings.Builder
		fmt.Fprint(&b, md[":authority"], method, md["x-add"], md["x-mine"])
		for {
			in := new(testpb.SimpleRequest)
			err := s.RecvMsg(in)
			if err != nil {
				if err == io.EOF {
					err = nil
				}
				lines <- b.String()
				return err
			}
			fmt.Fprintf(&b, " %s", in.Payload.GetBody())
			if err := s.SendMsg(&testpb.SimpleResponse{ServerId: "x"}); err != nil {
				return err
			}
			if method == get || method == put {
				lines <- b.String()
				return nil
			}
		}
	}
}

func said(text string) *testpb.SimpleRequest {
	return &testpb.SimpleRequest{Payload: &testpb.Payload{Body: []byte(text)}}
}

func TestMirrorGetsTheCall(t *testing.T) {
	orders, next := make(chan string, 1), make(chan string, 1)
	w := mirrored(t, traffic.MirrorLimits{}, diary(orders), diary(next), func(_ *client.Config, r *traffic.Route) {
		r.Headers.Request.Set = map[string]string{"x-add": "added"}
		r.Rewrite = &traffic.Rewrite{Path: put}
	})
	cc := w.conn()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-mine", "own")
	var header metadata.MD
	in := said("hello")
	if err := cc.Invoke(ctx, get, in, new(testpb.SimpleResponse), grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	copy(in.Payload.Body, "other") // which is the caller's right
	if got := <-orders; got != "[orders]"+put+"[added] [own] hello" {
		t.Errorf("orders got %s", got)
	}
	if got := <-next; got != "[orders-shadow]"+put+"[added] [own] hello" {
		t.Errorf("next got %s", got)
	}
	w.over()
}

func TestMirrorGetsTheStream(t *testing.T) {
	for name, authority := range map[string]string{"": "orders-shadow", "shop.example": "shop.example-shadow"} {
		orders, next := make(chan string, 1), make(chan string, 1)
		w := mirrored(t, traffic.MirrorLimits{}, diary(orders), diary(next), func(_ *client.Config, r *traffic.Route) {
			if name != "" {
				r.Rewrite = &traffic.Rewrite{Authority: name}
			}
		})
		st, err := w.conn().NewStream(t.Context(), duplex, push)
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for i := range 10 {
			in := said(fmt.Sprint("m", i))
			if err := st.SendMsg(in); err != nil {
				t.Fatal(err)
			}
			in.Payload.Body[0] = '?'
			if err := st.RecvMsg(new(testpb.SimpleResponse)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(&want, " m", i)
		}
		_ = st.CloseSend()
		if err := st.RecvMsg(new(testpb.SimpleResponse)); err != io.EOF {
			t.Fatal(err)
		}
		<-orders
		if got := <-next; got != "["+authority+"]"+push+"[] []"+want.String() {
			t.Errorf("next got %s", got)
		}
		w.over()
	}
}

// silence hangs until its client has gone.
func silence(_ string, s grpc.ServerStream) error { <-s.Context().Done(); return nil }

// TestMirrorIsOutOfTheWay: a mirror that hangs, fails or is not there costs the calls no time and fails none; it opens no
// breaker, and neither the callers' deadlines nor their leaving end its copies.
func TestMirrorIsOutOfTheWay(t *testing.T) {
	fails := jobs(func(string, grpc.ServerStream) error { return status.Error(codes.Unavailable, "not today") })
	for name, next := range map[string]jobs{"hangs": silence, "fails": fails, "is not there": nil} {
		for _, method := range []string{get, put, watch, feed, push} {
			t.Run(name+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := resilience.Standard()
					p.Breaker = &resilience.Breaker{MinCalls: 1}
					w := mirrored(t, traffic.MirrorLimits{Timeout: time.Minute}, echo("a"), next, func(c *client.Config, _ *traffic.Route) {
						c.Resilience = resilience.Config{Default: p}
					})
					cc := w.conn()
					began := time.Now()
					for range 20 {
						ctx, cancel := context.WithTimeout(t.Context(), time.Second)
						if _, err := run(ctx, cc, method); err != nil && err != io.EOF {
							t.Fatal(err)
						}
						cancel()
					}
					if took := time.Since(began); took != 0 {
						t.Errorf("the calls took %v", took)
					}
					synctest.Wait()
					if n := w.c.Core().CopiesUnderWay(); name == "hangs" && n != 20 {
						t.Errorf("%d copies are under way", n)
					}
					time.Sleep(2 * time.Minute)
					if n := w.c.Core().CopiesUnderWay(); n != 0 {
						t.Errorf("%d copies are under way", n)
					}
					if d := w.c.Core().Destination("next", time.Now()); d.BreakerState() != resilience.BreakerClosed {
						t.Errorf("the mirror's breaker is %v", d.BreakerState())
					}
					cc.Close()
					w.c.Close()
				})
			})
		}
	}
}

// TestMirrorOfAFlood: a stream that is faster than its mirror loses the copy, holds no more than it may, and goes on.
func TestMirrorOfAFlood(t *testing.T) {
	for name, limits := range map[string]traffic.MirrorLimits{"messages": {}, "bytes": {Bytes: 100 << 10}} {
		t.Run(name, func(t *testing.T) {
			began, gone := make(chan struct{}), make(chan struct{})
			w := mirrored(t, limits, echo("a"), func(m string, s grpc.ServerStream) error {
				close(began)
				defer close(gone)
				return silence(m, s)
			})
			st, err := w.conn().NewStream(t.Context(), duplex, push)
			if err != nil {
				t.Fatal(err)
			}
			<-began
			size, most := 10<<10, int64(0)
			for range 500 {
				if err := st.SendMsg(said(strings.Repeat("x", size))); err != nil {
					t.Fatal(err)
				}
				if err := st.RecvMsg(new(testpb.SimpleResponse)); err != nil {
					t.Fatal(err)
				}
				most = max(most, w.c.Core().HeldForCopies())
			}
			<-gone
			w.over()                         // while the stream goes on
			bound := int64(66 * (size + 16)) // what is queued, and what is being sent
			if limits.Bytes > 0 {
				bound = limits.Bytes
			}
			if most > bound || most == 0 {
				t.Errorf("%d bytes were held at once, at most %d may be", most, bound)
			}
			_ = st.CloseSend()
			if err := st.RecvMsg(new(testpb.SimpleResponse)); err != io.EOF {
				t.Error(err)
			}
		})
	}
}

// TestMirrorOfABrokenStream: the copy of a stream that its caller gives up is given up.
func TestMirrorOfABrokenStream(t *testing.T) {
	began, gone := make(chan struct{}), make(chan struct{})
	w := mirrored(t, traffic.MirrorLimits{}, echo("a"), func(m string, s grpc.ServerStream) error {
		close(began)
		defer close(gone)
		return silence(m, s)
	})
	ctx, cancel := context.WithCancel(t.Context())
	st, err := w.conn().NewStream(ctx, duplex, push)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.SendMsg(said("one")); err != nil {
		t.Fatal(err)
	}
	<-began
	cancel()
	<-gone
	w.over()
	// One that cannot be opened has none that stays.
	v := mirrored(t, traffic.MirrorLimits{}, echo("a"), silence, func(c *client.Config, _ *traffic.Route) {
		c.Discovery = discovery.Static{"orders": {{Addr: "x:1"}}, "next": {{Addr: "b:1"}}}
	})
	if _, err := run(t.Context(), v.conn(), push); err == nil {
		t.Error("a stream to nobody")
	}
	v.over()
}

// TestMirrorEndsWithTheClient: Close gives copies up and waits for them.
func TestMirrorEndsWithTheClient(t *testing.T) {
	began := make(chan struct{}, 10)
	w := mirrored(t, traffic.MirrorLimits{}, echo("a"), func(m string, s grpc.ServerStream) error {
		began <- struct{}{}
		return silence(m, s)
	})
	cc := w.conn()
	for _, method := range []string{get, put, watch, feed, push} {
		if _, err := run(t.Context(), cc, method); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		<-began
	}
	_ = w.c.Close()
	if n := w.c.Core().CopiesUnderWay(); n != 0 {
		t.Errorf("%d copies are under way", n)
	}
}

// TestMirrorStorm: many callers and two mirrors, of which one is slow.
func TestMirrorStorm(t *testing.T) {
	var copies atomic.Int64
	w := mirrored(t, traffic.MirrorLimits{Calls: 8, Bytes: 50 << 10}, echo("a"), func(m string, s grpc.ServerStream) error {
		copies.Add(1)
		return echo("b")(m, s)
	}, func(_ *client.Config, r *traffic.Route) { r.Mirrors = append(r.Mirrors, r.Mirrors[0]) })
	cc := w.conn()
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			for j := range 60 {
				method := []string{get, put, watch, feed, push}[(i+j)%5]
				if _, err := run(t.Context(), cc, method); err != nil && err != io.EOF {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	w.over()
	w.settled()
	t.Logf("%d copies", copies.Load())
}

// TestMirrorUnderIdentity: the authority of a copy is not one that a certificate names, and the identity that its destination
// proves answers for it.
func TestMirrorUnderIdentity(t *testing.T) {
	shop := authority(t)
	cfg := identified(identityOf(t, shop, "/web"), "")
	cfg.ServerID = func(service string) string { return "spiffe://shop/" + service }
	cfg.Discovery = discovery.Static{"orders": {{Addr: "a:1"}}, "next": {{Addr: "b:1"}}}
	cfg.Traffic = traffic.Policy{Routes: []traffic.Route{{Mirrors: []traffic.Mirror{{Service: "next", Percent: 100}}}}}
	w := newWorld(t, cfg)
	w.serveAs("a:1", identityOf(t, shop, "/orders"))
	next := w.serveAs("b:1", identityOf(t, shop, "/next"))
	if _, err := w.connAs().EmptyCall(t.Context(), &testpb.Empty{}); err != nil {
		t.Fatal(err)
	}
	w.over()
	next.mu.Lock()
	defer next.mu.Unlock()
	if len(next.callers) != 1 {
		t.Errorf("next has seen %v", next.callers)
	}
}
