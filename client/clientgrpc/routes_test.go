package clientgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
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
)

// ways are a unary call and a stream that may be executed twice: what routes do holds for both.
var ways = []string{get, feed}

// says answers with the given name, and in its header with what it saw.
func says(name string) jobs {
	return func(method string, s grpc.ServerStream) error {
		md := seen(s.Context())
		md.Set("server", name)
		md.Set("saw-method", method)
		if err := errors.Join(s.SetHeader(md), s.RecvMsg(new(testpb.SimpleRequest))); err != nil {
			return err
		}
		return s.SendMsg(&testpb.SimpleResponse{ServerId: name})
	}
}

// result is what came of a call.
type result struct {
	server string
	header metadata.MD
	info   client.Info
	err    error
}

// call makes one of a kind, to its end.
func call(ctx context.Context, cc *grpc.ClientConn, method string, opts ...grpc.CallOption) result {
	var info client.Info
	r := callWith(client.With(ctx, client.Options{Info: &info}), cc, method, opts...)
	r.info = info
	return r
}

// callWith is call where the context has its options.
func callWith(ctx context.Context, cc *grpc.ClientConn, method string, opts ...grpc.CallOption) (r result) {
	out := new(testpb.SimpleResponse)
	defer func() { r.server = out.ServerId }()
	if method == get || method == put {
		r.err = cc.Invoke(ctx, method, new(testpb.SimpleRequest), out, append(opts, grpc.Header(&r.header))...)
		return r
	}
	var st grpc.ClientStream
	if st, r.err = cc.NewStream(ctx, duplex, method, opts...); r.err != nil {
		return r
	}
	if err := st.SendMsg(new(testpb.SimpleRequest)); err != nil && err != io.EOF {
		r.err = err
		return r
	}
	_ = st.CloseSend()
	r.header, _ = st.Header()
	if r.err = st.RecvMsg(out); r.err == nil {
		if r.err = st.RecvMsg(new(testpb.SimpleResponse)); r.err == io.EOF {
			r.err = nil
		}
	}
	return r
}

func labels(version string) map[string]string { return map[string]string{"version": version} }

// versions are orders with two endpoints of v1 and one of v2, orders at another port, and a service "other".
func versions(t testing.TB, cfg client.Config) *world {
	t.Helper()
	cfg.Discovery = discovery.Static{
		"orders":      {{Addr: "a:1", Metadata: labels("v1")}, {Addr: "b:1", Metadata: labels("v1")}, {Addr: "c:1", Metadata: labels("v2")}},
		"orders:9000": {{Addr: "p:1"}},
		"other":       {{Addr: "d:1"}},
	}
	w := newWorld(t, cfg)
	for addr, name := range map[string]string{"a:1": "v1", "b:1": "v1", "c:1": "v2", "p:1": "port", "d:1": "other"} {
		w.serve(addr, says(name).server())
	}
	return w
}

var subsets = []traffic.Destination{{Service: "orders", Subsets: []traffic.Subset{
	{Name: "v1", Labels: labels("v1")}, {Name: "v2", Labels: labels("v2")},
}}}

func split(v1, v2 uint32) traffic.Policy {
	return traffic.Policy{Destinations: subsets, Routes: []traffic.Route{{
		Name: "canary", Hosts: []string{"orders"},
		To: []traffic.Backend{{Subset: "v1", Weight: v1}, {Subset: "v2", Weight: v2}},
	}}}
}

func routes(r ...traffic.Route) client.Config {
	return client.Config{Traffic: traffic.Policy{Destinations: subsets, Routes: r}}
}

// 1,000 calls of a split: each part is within a bound that grows with the logarithm of the number.
func TestSplit(t *testing.T) {
	for _, method := range ways {
		w := versions(t, client.Config{Traffic: split(90, 10)})
		cc := w.conn()
		got := map[string]int{}
		for range 1000 {
			r := call(t.Context(), cc, method)
			if r.err != nil {
				t.Fatal(r.err)
			}
			got[r.server]++
			if r.info.Rule != "canary" || r.info.Service != "orders" || r.info.Destination != "orders/"+r.server {
				t.Fatalf("info %+v of an answer by %s", r.info, r.server)
			}
		}
		if v2 := got["v2"]; v2 < 90 || v2 > 110 {
			t.Errorf("%s: v2 got %d of 1,000 calls, want 100 +-10", method, v2)
		}
	}
}

// All calls are led to a part of the service: nothing is connected to for calls that nobody makes.
func TestConnectionsFollowCalls(t *testing.T) {
	w := versions(t, client.Config{Traffic: split(0, 1)})
	cc := w.conn()
	for range 50 {
		if r := call(t.Context(), cc, get); r.err != nil || r.server != "v2" {
			t.Fatal(r.err, r.server)
		}
	}
	if got := w.dials(); !slices.Equal(got, []string{"c:1"}) {
		t.Errorf("connected to %v", got)
	}
}

func TestRouteToService(t *testing.T) {
	w := versions(t, routes(
		traffic.Route{Name: "by metadata", To: []traffic.Backend{{Service: "other"}},
			Match: []traffic.Match{{Headers: []traffic.Field{{Name: "X-User", Value: traffic.Exact("7")}}}}},
		traffic.Route{Name: "by port", To: []traffic.Backend{{Port: 9000}},
			Match: []traffic.Match{{Headers: []traffic.Field{{Name: "x-user", Value: traffic.Exact("8")}}}}},
		traffic.Route{Name: "by authority", To: []traffic.Backend{{Subset: "v2"}},
			Match: []traffic.Match{{Authority: traffic.Exact("shop.example")}}},
	))
	cc := w.conn()
	for _, method := range ways {
		for _, tt := range []struct {
			user, server, rule, destination string
			opts                            []grpc.CallOption
		}{
			{user: "7", server: "other", rule: "by metadata", destination: "other"},
			{user: "8", server: "port", rule: "by port", destination: "orders:9000"},
			{user: "9", server: "v2", rule: "by authority", destination: "orders/v2", opts: []grpc.CallOption{grpc.CallAuthority("shop.example")}},
			{user: "9", destination: "orders"},
		} {
			r := call(metadata.AppendToOutgoingContext(t.Context(), "x-user", tt.user), cc, method, tt.opts...)
			if r.err != nil || tt.server != "" && r.server != tt.server || r.info.Rule != tt.rule || r.info.Destination != tt.destination {
				t.Errorf("%s, user %s: %q, %+v, %v", method, tt.user, r.server, r.info, r.err)
			}
			if a := r.header["saw-authority"]; tt.opts == nil && (len(a) != 1 || a[0] != "orders") {
				t.Errorf("%s, user %s: the server saw the authority %q, it should be what was called", method, tt.user, a)
			}
		}
	}
}

func TestHeaderChanges(t *testing.T) {
	w := versions(t, routes(traffic.Route{
		Headers: traffic.Headers{
			Request:  traffic.HeaderOps{Set: map[string]string{"X-A": "set"}, Add: map[string]string{"x-b": "more"}, Remove: []string{"X-C"}},
			Response: traffic.HeaderOps{Set: map[string]string{"x-r": "resp"}, Remove: []string{"Server"}},
		},
		To: []traffic.Backend{{Headers: traffic.Headers{Request: traffic.HeaderOps{Add: map[string]string{"x-b": "most"}}}}},
	}))
	cc := w.conn()
	mine := metadata.MD{"x-a": {"old"}, "x-b": append(make([]string, 0, 4), "one"), "x-c": {"gone"}}
	for _, method := range ways {
		var last metadata.MD // as grpc gives it for a stream too, at its end
		r := call(metadata.NewOutgoingContext(t.Context(), mine), cc, method, grpc.Header(&last))
		if got := fmt.Sprint(r.header["saw-x-a"], r.header["saw-x-b"], r.header["saw-x-c"]); r.err != nil || got != "[set] [one more most] []" {
			t.Errorf("%s: the server saw %s, %v", method, got, r.err)
		}
		for _, h := range []metadata.MD{r.header, last} {
			if got := fmt.Sprint(h["x-r"], h["server"]); got != "[resp] []" {
				t.Errorf("%s: the caller sees %s", method, got)
			}
		}
		if fmt.Sprint(map[string][]string(mine)) != "map[x-a:[old] x-b:[one] x-c:[gone]]" {
			t.Errorf("the caller's metadata was changed: %v", mine)
		}
	}
}

func TestMethodRewrite(t *testing.T) {
	here := "/"
	w := versions(t, routes(
		traffic.Route{Name: "renamed", Match: []traffic.Match{{Path: traffic.PathPrefix("/old.Jobs")}}, Rewrite: &traffic.Rewrite{Regex: `^/old\.Jobs`, Substitution: "/meshtest.Jobs"}},
		traffic.Route{Name: "nothing left", Match: []traffic.Match{{Path: traffic.Prefix("/cut.Jobs/")}}, Rewrite: &traffic.Rewrite{Prefix: &here}},
	))
	cc := w.conn()
	var h metadata.MD
	if _, err := invoke(t.Context(), cc, "/old.Jobs/Get", grpc.Header(&h)); err != nil || h["saw-method"][0] != get {
		t.Errorf("%v, the server saw %v", err, h["saw-method"])
	}
	if r := call(t.Context(), cc, "/old.Jobs/Feed"); r.err != nil || r.header["saw-method"][0] != feed || r.info.Method != "/old.Jobs/Feed" {
		t.Errorf("%v, the server saw %v, info %+v", r.err, r.header["saw-method"], r.info)
	}
	_, unary := invoke(t.Context(), cc, "/cut.Jobs/Get")
	_, stream := cc.NewStream(t.Context(), duplex, "/cut.Jobs/Feed")
	for _, err := range []error{unary, stream} {
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.Invalid || e.Rule != "nothing left" || status.Code(err) != codes.FailedPrecondition {
			t.Errorf("a path that is no method: %v", err)
		}
	}
}

func TestAnswersOfRoutes(t *testing.T) {
	on := func(user string) []traffic.Match {
		return []traffic.Match{{Headers: []traffic.Field{{Name: "x-user", Value: traffic.Exact(user)}}}}
	}
	w := versions(t, routes(
		traffic.Route{Name: "closed", Match: on("1"), Respond: &traffic.Response{Status: 503, Body: "back at noon"}},
		traffic.Route{Name: "fine", Match: on("2"), Respond: &traffic.Response{Status: 200, Body: "hello"}},
		traffic.Route{Name: "moved", Match: on("3"), Redirect: &traffic.Redirect{Host: "elsewhere", Status: 308}},
		traffic.Route{Name: "share", Match: on("4"), To: []traffic.Backend{{Respond: &traffic.Response{Status: 404}}}},
	))
	cc := w.conn()
	for user, want := range map[string]struct {
		code               codes.Code
		reason, rule, says string
	}{
		"1": {codes.Unavailable, client.Responded, "closed", "back at noon"},
		"2": {codes.Unknown, client.Responded, "fine", "hello"}, // there is no message that could stand for success
		"3": {codes.Unknown, client.Redirected, "moved", "elsewhere"},
		"4": {codes.NotFound, client.Responded, "share", "404"},
	} {
		for _, method := range ways {
			for _, opts := range [][]grpc.CallOption{nil, {grpc.WaitForReady(true)}} {
				r := call(metadata.AppendToOutgoingContext(t.Context(), "x-user", user), cc, method, opts...)
				var e *client.Error
				if !errors.As(r.err, &e) || status.Code(r.err) != want.code || codes.Code(e.Code) != want.code || e.Reason != want.reason || e.Rule != want.rule || e.Attempts != 0 {
					t.Errorf("%s as user %s: %v (%+v)", method, user, r.err, e)
					continue
				}
				if text := status.Convert(r.err).Message(); !strings.Contains(text, want.rule) || !strings.Contains(text, want.says) {
					t.Errorf("%q says neither %q nor %q", text, want.rule, want.says)
				}
				if r.info.Rule != want.rule || len(r.info.Attempts) != 0 {
					t.Errorf("info %+v", r.info)
				}
			}
		}
	}
	if n := w.dials(); len(n) > 0 {
		t.Errorf("connected to %v for calls that nobody is asked", n)
	}
}

// The route's timeout travels, and ends unary calls and streams.
func TestRouteTimeout(t *testing.T) {
	for _, method := range ways {
		synctest.Test(t, func(t *testing.T) {
			cfg := standard()
			cfg.Traffic = routes(traffic.Route{Name: "quick", Timeout: time.Second}).Traffic
			w := newWorld(t, cfg, "a:1")
			told := make(chan time.Duration, 9)
			w.serve("a:1", jobs(func(_ string, s grpc.ServerStream) error {
				d, _ := s.Context().Deadline()
				told <- time.Until(d)
				_ = s.SendHeader(nil)
				<-s.Context().Done()
				return s.Context().Err()
			}).server())
			began := time.Now()
			r := call(t.Context(), w.conn(), method)
			var e *client.Error
			if status.Code(r.err) != codes.DeadlineExceeded || !errors.As(r.err, &e) || e.Rule != "quick" || !errors.Is(r.err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", method, r.err)
			}
			if took := time.Since(began); took != time.Second {
				t.Errorf("%s: took %v", method, took)
			}
			if left := <-told; left <= 0 || left > time.Second {
				t.Errorf("%s: the server was told %v", method, left)
			}
			_ = w.c.Close()
		})
	}
}

// A caller's own deadline that is earlier ends the stream as grpc has it.
func TestCallersDeadlineBeatsTheRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, routes(traffic.Route{Name: "slow", Timeout: time.Hour}), "a:1")
		w.serve("a:1", jobs(func(_ string, s grpc.ServerStream) error { <-s.Context().Done(); return s.Context().Err() }).server())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := call(ctx, w.conn(), feed)
		var e *client.Error
		if status.Code(r.err) != codes.DeadlineExceeded || errors.As(r.err, &e) {
			t.Error(r.err)
		}
		_ = w.c.Close()
	})
}

// A user stays on one version.
func TestSticky(t *testing.T) {
	p := split(50, 50)
	p.Routes[0].Sticky = &traffic.Key{Header: "X-User"}
	w := versions(t, client.Config{Traffic: p})
	cc := w.conn()
	at, servers := map[string]string{}, map[string]bool{}
	for i := range 400 {
		user := fmt.Sprint(i % 20)
		r := call(metadata.AppendToOutgoingContext(t.Context(), "x-user", user), cc, ways[i/20%2])
		if was, ok := at[user]; r.err != nil || ok && was != r.server {
			t.Fatalf("user %s was on %s, now on %s: %v", user, was, r.server, r.err)
		}
		at[user], servers[r.server] = r.server, true
	}
	if len(servers) != 2 {
		t.Errorf("20 users are all on %v", servers)
	}
}

// A split changes a thousand times while calls run, and no call fails or meets half of a change: the metadata that names
// the version belongs to the one that gets the call. The targets change too: parts, whole services, other ports.
func TestSwapUnderLoad(t *testing.T) {
	policy := func(i int) traffic.Policy {
		p := split(uint32(1+i%7), uint32(1+i%5))
		to := &p.Routes[0].To
		*to = append(*to, traffic.Backend{Service: "other", Weight: uint32(i % 3)}, traffic.Backend{Port: 9000, Weight: uint32(i % 2)})
		for j, name := range []string{"v1", "v2", "other", "port"} {
			(*to)[j].Headers.Request.Set = map[string]string{"x-for": name}
		}
		return p
	}
	live, err := traffic.NewLive(policy(0))
	if err != nil {
		t.Fatal(err)
	}
	w := versions(t, client.Config{Traffic: live})
	cc := w.conn()
	once := func(method string) bool {
		r := call(t.Context(), cc, method)
		if r.err != nil || r.header["saw-x-for"][0] != r.server {
			t.Errorf("%s: %v, %v answered what was for %v", method, r.err, r.server, r.header["saw-x-for"])
			return false
		}
		return true
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, method := range []string{get, feed, put, push} {
		wg.Go(func() {
			for ctx.Err() == nil && once(method) {
			}
		})
	}
	for i := range 1000 {
		if err := live.Set(policy(i)); err != nil {
			t.Error(err)
		}
		if !once(get) {
			break
		}
	}
	cancel()
	wg.Wait()
	for _, d := range []string{"orders", "other", "orders:9000"} {
		for _, n := range w.c.Core().Destination(d, time.Now()).Endpoints().Nodes {
			eventually(t, "no call is counted as in flight", func() bool { return n.Load.InFlight() == 0 })
		}
	}
}

// Without Discovery a route may do what needs no other destination.
func TestRoutesWithoutDiscovery(t *testing.T) {
	w := newWorld(t, client.Config{}, "a:1")
	w.serve("a:1", says("a").server())
	c, err := client.New(client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{
		{Name: "away", Match: []traffic.Match{{Path: traffic.Prefix("/away.")}}, To: []traffic.Backend{{Service: "other"}}},
		{
			Rewrite: &traffic.Rewrite{Authority: "shop.example"},
			Headers: traffic.Headers{Request: traffic.HeaderOps{Set: map[string]string{"x-a": "set"}}, Response: traffic.HeaderOps{Set: map[string]string{"x-r": "resp"}}},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	cc := w.connDirect(c)
	for _, method := range ways {
		r := call(t.Context(), cc, method)
		if r.err != nil || fmt.Sprint(r.header["saw-x-a"], r.header["saw-authority"], r.header["x-r"]) != "[set] [shop.example] [resp]" {
			t.Errorf("%s: %v, the server saw %v", method, r.err, r.header)
		}
	}
	_, err = invoke(t.Context(), cc, "/away.X/Y")
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != client.Invalid || e.Rule != "away" {
		t.Errorf("got %v", err)
	}
}
