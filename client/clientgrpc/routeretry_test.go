package clientgrpc_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// failures is a world whose every endpoint answers with a status, and counts.
func failures(t *testing.T, cfg client.Config, err error) (*world, *atomic.Int64) {
	cfg.Discovery = discovery.Static{
		"orders": {{Addr: "a:1", Metadata: labels("v1")}, {Addr: "c:1", Metadata: labels("v2")}},
		"other":  {{Addr: "d:1"}},
	}
	w := newWorld(t, cfg)
	calls := new(atomic.Int64)
	for _, addr := range []string{"a:1", "c:1", "d:1"} {
		w.serve(addr, failing(calls, err).server())
	}
	return w, calls
}

func retries(n int, on ...string) *resilience.Retry {
	r := fastRetries().Retry
	r.Retries, r.On = n, on
	return r
}

// A call has as many attempts as its own route or destination says, whatever others have: unary calls by the fan-out,
// streams by grpc, which is told what any of them may need.
func TestRouteRetries(t *testing.T) {
	policy := byUser()
	policy.Routes = append(policy.Routes,
		traffic.Route{
			Name: "own", Retry: retries(1), To: []traffic.Backend{{Service: "other"}},
			Match: []traffic.Match{{Headers: []traffic.Field{{Name: "user", Value: traffic.Exact("own")}}}},
		},
		traffic.Route{
			Name: "none", NoRetry: true, To: []traffic.Backend{{Service: "other"}},
			Match: []traffic.Match{{Headers: []traffic.Field{{Name: "user", Value: traffic.Exact("none")}}}},
		},
		traffic.Route{
			Name: "listed", Retry: retries(3, "resource-exhausted"), To: []traffic.Backend{{Service: "other"}},
			Match: []traffic.Match{{Headers: []traffic.Field{{Name: "user", Value: traffic.Exact("listed")}}}},
		})
	policy.Destinations = []traffic.Destination{
		{Service: "orders", Subsets: []traffic.Subset{
			{Name: "v1", Labels: labels("v1")},
			{Name: "v2", Labels: labels("v2"), Settings: traffic.Settings{Resilience: resilience.Policy{Retry: retries(4)}}},
		}},
		{Service: "other", Settings: traffic.Settings{Resilience: resilience.Policy{Retry: retries(5)}}},
	}
	for _, tt := range []struct {
		user      string
		code      codes.Code
		idem, not int64 // attempts of methods that may be executed twice, and of others
		stream    int64 // the most attempts of a stream that may, where another route repeats after this status; 0: idem
	}{
		{"v1", codes.Unavailable, 1, 1, 0}, // the client's own policy has none
		{"v2", codes.Unavailable, 5, 1, 0},
		{"other", codes.Unavailable, 6, 1, 0},
		{"own", codes.Unavailable, 2, 1, 0},
		{"none", codes.Unavailable, 1, 1, 0},
		{"listed", codes.Unavailable, 1, 1, 4},
		{"listed", codes.ResourceExhausted, 4, 4, 0},
		{"other", codes.ResourceExhausted, 1, 1, 6},
		{"v1", codes.ResourceExhausted, 1, 1, 0},
	} {
		t.Run(fmt.Sprint(tt.user, " ", tt.code), func(t *testing.T) {
			w, calls := failures(t, client.Config{Traffic: policy}, status.Error(tt.code, "said by the peer"))
			cc := w.conn()
			for method, want := range map[string]int64{get: tt.idem, feed: tt.idem, watch: tt.idem, put: tt.not, push: tt.not} {
				calls.Store(0)
				r := call(as(t.Context(), tt.user), cc, method)
				most := want
				if method == feed || method == watch {
					most = max(want, tt.stream)
				}
				if got := calls.Load(); got < want || got > most {
					t.Errorf("%s: %d attempts, want %d", method, got, want)
				}
				if s := status.Convert(r.err); s.Code() != tt.code || s.Message() != "said by the peer" {
					t.Errorf("%s: %v", method, r.err)
				}
			}
		})
	}
}

// Where grpc notices while sending that a stream is over it keeps the status to itself, and it repeats what any route has
// repeated: a call that may not be executed twice is not repeated on the chance that it was the right status.
func TestAnUnknownStatusIsNotTakenForTheRightOne(t *testing.T) {
	on := func(user string) []traffic.Match {
		return []traffic.Match{{Headers: []traffic.Field{{Name: "user", Value: traffic.Exact(user)}}}}
	}
	w, calls := failures(t, routes(
		traffic.Route{Match: on("1"), Retry: retries(3, "resource-exhausted")},
		traffic.Route{Match: on("2"), Retry: retries(3, "unavailable")},
	), unavailable)
	cc := w.conn()
	for range 50 {
		for user, most := range map[string]int64{"1": 1, "2": 4} {
			calls.Store(0)
			st, err := cc.NewStream(as(t.Context(), user), duplex, push)
			if err != nil {
				t.Fatal(err)
			}
			for err == nil {
				err = st.SendMsg(&testpb.SimpleRequest{Payload: body(10_000)})
			}
			if err := st.RecvMsg(new(testpb.SimpleResponse)); status.Code(err) != codes.Unavailable || status.Convert(err).Message() != "down for a moment" {
				t.Fatal(err)
			}
			if n := calls.Load(); n > most {
				t.Fatalf("%d attempts, want %d at most", n, most)
			}
		}
	}
}

// What may be repeated is that of the method that the server executes.
func TestIdempotenceOfARewrittenMethod(t *testing.T) {
	to := func(from, method string) traffic.Route {
		return traffic.Route{Match: []traffic.Match{{Path: traffic.Exact(from)}}, Rewrite: &traffic.Rewrite{Path: method}}
	}
	cfg := under(fastRetries())
	cfg.Traffic = traffic.Policy{Routes: []traffic.Route{to("/x.Y/Get", get), to("/x.Y/Feed", feed), to(get, put), to(feed, push)}}
	w, calls := failures(t, cfg, unavailable)
	cc := w.conn()
	for method, want := range map[string]int64{"/x.Y/Get": 3, "/x.Y/Feed": 3, get: 1, feed: 1} {
		calls.Store(0)
		var err error
		if method == get || method == "/x.Y/Get" {
			_, err = invoke(t.Context(), cc, method)
		} else {
			err = call(t.Context(), cc, method).err
		}
		if got := calls.Load(); got != want || status.Code(err) != codes.Unavailable {
			t.Errorf("%s: %d attempts, want %d: %v", method, got, want, err)
		}
	}
}

// Retries that a policy brings while the connection is in use are known to grpc, and those that it takes away are made by
// nobody, whichever service config a stream began under.
func TestRetriesFollowThePolicy(t *testing.T) {
	with := func(n int) traffic.Policy {
		p := traffic.Policy{Routes: []traffic.Route{{NoRetry: true}}}
		if n > 0 {
			p.Routes[0] = traffic.Route{Retry: retries(n)}
		}
		return p
	}
	live, err := traffic.NewLive(with(0))
	if err != nil {
		t.Fatal(err)
	}
	w, calls := failures(t, client.Config{Traffic: live}, unavailable)
	cc := w.conn()
	attempts := func() int64 {
		calls.Store(0)
		if r := call(t.Context(), cc, feed); status.Code(r.err) != codes.Unavailable {
			t.Fatal(r.err)
		}
		return calls.Load()
	}
	for _, n := range []int{0, 2, 0, 3, 1, 0} {
		if err := live.Set(with(n)); err != nil {
			t.Fatal(err)
		}
		eventually(t, fmt.Sprint(n, " retries"), func() bool { return attempts() == int64(n+1) })
	}
	for i := range 300 { // a change in the same moment
		if err := live.Set(with(i % 2)); err != nil {
			t.Fatal(err)
		}
		if n := attempts(); n > 2 {
			t.Fatalf("%d attempts", n)
		}
	}
}

// Two connections to the same service know the same, and one to another service what its own calls may need.
func TestRetriesAreToldToWhomTheyConcern(t *testing.T) {
	p := traffic.Policy{Routes: []traffic.Route{{Hosts: []string{"orders"}, Retry: retries(2)}, {Hosts: []string{"elsewhere"}, Retry: retries(9, "internal")}}}
	w, calls := failures(t, client.Config{Traffic: p}, unavailable)
	for target, want := range map[string]int64{"mesh:///orders": 3, "mesh:///other": 1} {
		for _, cc := range []*grpc.ClientConn{w.connTo(target), w.connTo(target)} {
			calls.Store(0)
			if r := call(t.Context(), cc, feed); status.Code(r.err) != codes.Unavailable || calls.Load() != want {
				t.Errorf("%s: %d attempts, want %d: %v", target, calls.Load(), want, r.err)
			}
		}
	}
}
