package clientgrpc_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	mesh "github.com/intramesh/intramesh/internal/call"
)

// what is what a route made of a call, in terms that both protocols have.
type what struct {
	server, rule, destination string
	host                      string // as the server saw it
	path                      string
	headers                   string // some that the server saw, and one that the caller did
	code                      codes.Code
	attempts                  int
}

// pair is the same endpoints over HTTP and over gRPC, each with a client under the same policy.
type pair struct{ http, grpc *world }

func pairOf(t *testing.T, cfg client.Config) pair {
	cfg.Discovery = discovery.Static{
		"orders": {{Addr: "a:1", Metadata: labels("v1")}, {Addr: "b:1", Metadata: labels("v1")}, {Addr: "c:1", Metadata: labels("v2")}},
		"other":  {{Addr: "d:1"}},
	}
	p := pair{http: newWorld(t, cfg), grpc: newWorld(t, cfg)}
	for _, name := range []string{"a", "b", "c", "d"} {
		p.grpc.serve(name+":1", says(name).server())
		p.http.serveHTTP(name+":1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Server"] = []string{name}
			w.Header()["Saw"] = []string{r.Host, r.URL.Path, fmt.Sprint(r.Header["X-A"], r.Header["X-B"], r.Header["X-C"])}
		}))
	}
	return p
}

func (w *world) serveHTTP(addr string, h http.Handler) {
	w.t.Helper()
	l, err := w.net.Listen(addr)
	if err != nil {
		w.t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	w.t.Cleanup(func() { _ = srv.Close(); <-done })
}

// overHTTP makes a call whose path is the method's. A response that no server gave has the code that its status stands for.
func (p pair) overHTTP(t *testing.T, method string, o client.Options, header map[string]string) (got what) {
	t.Helper()
	var info client.Info
	o.Info = &info
	req, err := http.NewRequestWithContext(client.With(t.Context(), o), http.MethodPost, "http://orders"+method, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	rt := p.http.c.Transport(nil)
	resp, err := rt.RoundTrip(req)
	got = what{rule: info.Rule, destination: info.Destination, attempts: len(info.Attempts)}
	if e, ok := errors.AsType[*client.Error](err); ok {
		got.code = codes.Code(e.Code)
		return got
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	got.code = codes.Code(mesh.CodeOfHTTP(resp.StatusCode))
	if saw := resp.Header["Saw"]; len(saw) == 3 {
		got.server, got.host, got.path = resp.Header.Get("Server"), saw[0], saw[1]
		got.headers = saw[2] + fmt.Sprint(resp.Header["X-R"])
	}
	return got
}

func (p pair) overGRPC(t *testing.T, method string, o client.Options, header map[string]string) (got what) {
	t.Helper()
	ctx := metadata.NewOutgoingContext(t.Context(), metadata.New(header))
	var info client.Info
	o.Info = &info
	cc := p.grpc.conn()
	defer cc.Close()
	r := callWith(client.With(ctx, o), cc, method)
	got = what{server: r.server, rule: info.Rule, destination: info.Destination, attempts: len(info.Attempts), code: status.Code(r.err)}
	if h := r.header; len(h["saw-method"]) > 0 {
		got.host, got.path = h["saw-authority"][0], h["saw-method"][0]
		got.headers = fmt.Sprint(h["saw-x-a"], h["saw-x-b"], h["saw-x-c"]) + fmt.Sprint(h["x-r"])
	}
	return got
}

// TestRouteParity: a route does the same to an HTTP call, a unary call and a stream.
func TestRouteParity(t *testing.T) {
	prefix := "/meshtest.Jobs"
	for name, tt := range map[string]struct {
		route   traffic.Route
		balance *traffic.Balance
		header  map[string]string
		options client.Options
		method  string // instead of both
	}{
		"no match":   {route: traffic.Route{Match: []traffic.Match{{Path: traffic.Exact("/")}}}, header: map[string]string{"x-a": "1"}},
		"to service": {route: traffic.Route{To: []traffic.Backend{{Service: "other"}}}},
		"to subset":  {route: traffic.Route{To: []traffic.Backend{{Subset: "v2"}}}},
		"by header": {
			route:  traffic.Route{Match: []traffic.Match{{Headers: []traffic.Field{{Name: "X-A", Value: traffic.Prefix("1")}}}}, To: []traffic.Backend{{Service: "other"}}},
			header: map[string]string{"x-a": "12"},
		},
		"by path": {route: traffic.Route{Match: []traffic.Match{{Path: traffic.PathPrefix("/meshtest.Jobs")}}, To: []traffic.Backend{{Service: "other"}}}},
		"headers": {
			route: traffic.Route{
				To: []traffic.Backend{{Service: "other", Headers: traffic.Headers{Request: traffic.HeaderOps{Add: map[string]string{"x-b": "2"}}}}},
				Headers: traffic.Headers{
					Request:  traffic.HeaderOps{Set: map[string]string{"x-a": "new"}, Add: map[string]string{"x-b": "1"}, Remove: []string{"x-c"}},
					Response: traffic.HeaderOps{Set: map[string]string{"x-r": "r"}},
				},
			},
			header: map[string]string{"x-a": "old", "x-b": "0", "x-c": "gone"},
		},
		"authority": {route: traffic.Route{To: []traffic.Backend{{Service: "other"}}, Rewrite: &traffic.Rewrite{Authority: "shop.example"}}},
		"path": {
			route:  traffic.Route{Match: []traffic.Match{{Path: traffic.PathPrefix("/x.Y")}}, To: []traffic.Backend{{Service: "other"}}, Rewrite: &traffic.Rewrite{Prefix: &prefix}},
			method: "/x.Y/Feed",
		},
		"503":     {route: traffic.Route{Respond: &traffic.Response{Status: 503}}},
		"403":     {route: traffic.Route{Respond: &traffic.Response{Status: 403, Body: "no"}}},
		"a share": {route: traffic.Route{To: []traffic.Backend{{Respond: &traffic.Response{Status: 429}}}}},
		"sticky by header": {
			route:  traffic.Route{To: []traffic.Backend{{Subset: "v1", Weight: 1}, {Service: "other", Weight: 1}, {Subset: "v2", Weight: 1}}, Sticky: &traffic.Key{Header: "x-a"}},
			header: map[string]string{"x-a": "some user"}, balance: placed(balance.RingHash),
			options: client.Options{HashKey: "some user"},
		},
		"ring hash": {balance: placed(balance.RingHash), options: client.Options{HashKey: "some user"}},
		"maglev":    {balance: placed(balance.Maglev), options: client.Options{HashKey: "another user"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.route.Name = name
			p := pairOf(t, client.Config{Traffic: traffic.Policy{
				Routes:       []traffic.Route{tt.route},
				Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{Balance: tt.balance}, Subsets: subsets[0].Subsets}},
			}})
			methods := ways
			if tt.method != "" {
				methods = []string{tt.method}
			}
			for _, method := range methods {
				want, got := p.overHTTP(t, method, tt.options, tt.header), p.overGRPC(t, method, tt.options, tt.header)
				if tt.balance == nil && want.destination == "orders" {
					want.server, got.server = "", "" // any
				}
				if got != want {
					t.Errorf("%s:\n%+v over gRPC\n%+v over HTTP", method, got, want)
				}
			}
		})
	}
}

func placed(alg balance.Algorithm) *traffic.Balance {
	return &traffic.Balance{Algorithm: alg, Hash: &traffic.Key{Context: true}}
}
