package telemetry_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/telemetry"
)

// row is a line of the table of metrics in the package's doc.
type row struct {
	unit       string
	attributes []string
}

// documented reads the table whose header begins with a word.
func documented(t *testing.T, header string, columns int) map[string]row {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "//\t"+header+" ")
	if !ok {
		t.Fatalf("doc.go has no table of %s", header)
	}
	rows := make(map[string]row)
	for i, line := range strings.Split(rest, "\n") {
		line, is := strings.CutPrefix(line, "//\t")
		if i == 0 {
			continue
		}
		if !is {
			break
		}
		f := strings.Fields(strings.NewReplacer(",", " ", ";", " ").Replace(line))
		rows[f[0]] = row{strings.Join(f[1:columns-1], ""), f[columns-1:]}
	}
	return rows
}

// TestMetricsAreDocumented compares the doc's table with what a reader collects in a scenario that brings everything.
func TestMetricsAreDocumented(t *testing.T) {
	p := newProcess(t, telemetry.Config{})
	scenario(p)
	want, got := documented(t, "metric", 3), p.collect()
	for name, m := range got {
		row, ok := want[name]
		if !ok {
			t.Errorf("%s is not in the doc", name)
			continue
		}
		if m.Unit != row.unit {
			t.Errorf("%s: unit %q, the doc says %q", name, m.Unit, row.unit)
		}
		if m.Description == "" {
			t.Errorf("%s has no description", name)
		}
		has := keys(m)
		slices.Sort(row.attributes)
		if !slices.Equal(has, row.attributes) {
			t.Errorf("%s has the attributes\n%v, the doc says\n%v", name, has, row.attributes)
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is in the doc, and nothing makes it", name)
		}
	}
}

// TestSpansAreDocumented does the same for spans.
func TestSpansAreDocumented(t *testing.T) {
	p := newProcess(t, telemetry.Config{})
	scenario(p)
	got := make(map[string]map[string]bool)
	for _, s := range p.spans.GetSpans() {
		kind := map[bool]string{true: "request", false: "call"}[s.SpanKind.String() == "server"]
		if strings.HasSuffix(s.Name, " attempt") {
			kind = "attempt"
		}
		if got[kind] == nil {
			got[kind] = make(map[string]bool)
		}
		for _, kv := range s.Attributes {
			got[kind][string(kv.Key)] = true
		}
	}
	for kind, row := range documented(t, "span", 2) {
		has := slices.Sorted(maps.Keys(got[kind]))
		slices.Sort(row.attributes)
		if !slices.Equal(has, row.attributes) {
			t.Errorf("%s has the attributes\n%v, the doc says\n%v", kind, has, row.attributes)
		}
	}
}

func keys(m metricdata.Metrics) []string {
	all := make(map[string]bool)
	add := func(s attribute.Set) {
		for _, kv := range s.ToSlice() {
			all[string(kv.Key)] = true
		}
	}
	switch d := m.Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			add(p.Attributes)
		}
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			add(p.Attributes)
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			add(p.Attributes)
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// scenario makes a call and serves a request of every kind that has attributes of its own.
func scenario(p *process) {
	o := p.tel.Core()
	for _, c := range []call.Call{
		{Service: "orders:80", Method: "GET", Tries: 2, Peer: "spiffe://shop/orders", OutOfBudget: true},
		{Service: "orders", Method: "FETCH", Tries: 1},
		{Protocol: call.GRPC, Service: "orders:80", Method: "/shop.Orders/Place", Tries: 2, Peer: "spiffe://shop/orders", OutOfBudget: true},
		{Protocol: call.GRPC, Service: "orders", Method: "/shop.Orders/Place", Tries: 1},
	} {
		c.Ctx, c.Start = context.Background(), time.Now()
		one(o, c, call.Outcome{Status: 503, Code: call.Unavailable}, nil)
		one(o, c, call.Outcome{}, &call.Error{Reason: call.NoEndpoint, Code: call.Unavailable})
		rule, went := "canary", "orders/v2"
		routed := c
		routed.Route, routed.SentTo = &rule, &went
		one(o, routed, call.Outcome{}, nil)
		faulty, copied := c, c
		faulty.Faults, copied.Copy = call.FaultDelay|call.FaultAbort, true
		one(o, faulty, call.Outcome{}, nil)
		one(o, copied, call.Outcome{}, nil)
		o.Dropped(&copied, "busy")
	}
	for i := range 1001 { // so that gRPC methods are folded too
		one(o, call.Call{Protocol: call.GRPC, Service: "many", Method: "/m" + strings.Repeat("x", i), Ctx: context.Background()}, call.Outcome{}, nil)
	}
	peer := "spiffe://shop/web"
	for _, s := range []call.Served{
		{Method: "GET", Scheme: "http", Route: "GET /orders/{id}", Status: 503, Peer: peer},
		{Method: "FETCH", Scheme: "http", Refused: true, Status: 403, Err: &call.Error{Reason: "denied"}},
		{Protocol: call.GRPC, Method: "/shop.Orders/Place", Code: call.Internal, Peer: peer},
		{Protocol: call.GRPC, Method: "/shop.Orders/Place", Code: call.PermissionDenied, Refused: true, Peer: peer},
		{Protocol: call.GRPC, Method: "/unheard.Of/It", Unregistered: true},
	} {
		s.Ctx, s.Start, s.Request = context.Background(), time.Now(), &request{detail: detail(s.Protocol)}
		o.BeginServe(&s)
		o.EndServe(&s)
	}
	for kind := call.BreakerOpened; kind <= call.EndpointSuspected; kind++ {
		o.Event(call.Event{Kind: kind, Time: time.Now(), Service: "orders:80", Endpoint: "a:1", Reason: call.FailureRatio})
	}
	p.tel.ObserveExpiry("orders", expires(time.Now().Add(time.Hour)))
	o.Watch(fixed{})
}

// one is a call with one attempt, which ends as out says.
func one(o call.Observer, c call.Call, out call.Outcome, err error) {
	var w, aw call.Watch
	a := &call.Attempt{Number: c.Tries, Addr: "10.0.0.1:80", Outcome: out}
	o.BeginCall(&c, &w, &request{detail: detail(c.Protocol)})
	o.BeginAttempt(c.Ctx, &c, &w, a, &aw)
	if c.Faults != 0 {
		a.Faults = c.Faults
		o.Fault(&c, &w, a, call.FaultAbort)
	}
	o.Reply(&c, &w, a, err)
	o.EndAttempt(&c, &w, a, &aw)
	o.EndCall(&c, &w, a, err)
}

func detail(p call.Protocol) call.Detail {
	d := call.Detail{Host: "orders:80", Remote: "10.0.0.2:4711", Version: "2", UserAgent: "test"}
	if p == call.HTTP {
		d.URL, d.Path, d.Query = "http://orders/orders/7?x=1", "/orders/7", "x=1"
	}
	return d
}

// request is a request with some headers.
type request struct {
	detail  call.Detail
	headers map[string][]string
}

func (r *request) Describe() call.Detail       { return r.detail }
func (r *request) Values(name string) []string { return r.headers[name] }

type expires time.Time

func (e expires) Expiry() time.Time { return time.Time(e) }

// fixed is a client with one endpoint.
type fixed struct{}

func (fixed) EachEndpoints(f func(service, state string, n int)) { f("orders:80", "ready", 1) }
func (fixed) EachBreakerState(f func(service, state string))     { f("orders:80", "closed") }
func (fixed) PolicySince() time.Time                             { return time.Now().Add(-time.Minute) }
