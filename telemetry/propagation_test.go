package telemetry_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/telemetry"
)

const (
	traceID  = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID   = "00f067aa0ba902b7"
	sampled  = "00-" + traceID + "-" + spanID + "-01"
	silenced = "00-" + traceID + "-" + spanID + "-00"
)

// hop serves a request with these headers and makes a call under its handler's context: the headers of the call.
func hop(o call.Observer, headers map[string][]string, change func(context.Context) context.Context) map[string]string {
	s := call.Served{Ctx: context.Background(), Method: "GET", Scheme: "http", Request: &request{headers: headers}}
	o.BeginServe(&s)
	defer o.EndServe(&s)
	ctx := s.Ctx
	if change != nil {
		ctx = change(ctx)
	}
	return sent(ctx, o)
}

// sent are the headers of a call.
func sent(ctx context.Context, o call.Observer) map[string]string {
	c := call.Call{Ctx: ctx, Service: "orders", Method: "GET", Tries: 1}
	var w, aw call.Watch
	a := &call.Attempt{Number: 1}
	o.BeginCall(&c, &w, &request{})
	o.BeginAttempt(c.Ctx, &c, &w, a, &aw)
	fields := aw.Fields
	if fields == nil {
		fields = w.Fields
	}
	got := make(map[string]string)
	for _, f := range fields {
		if _, twice := got[f.Name]; twice {
			got[f.Name+" (again)"] = f.Value
		}
		got[f.Name] = f.Value
	}
	o.Reply(&c, &w, a, nil)
	o.EndAttempt(&c, &w, a, &aw)
	o.EndCall(&c, &w, a, nil)
	return got
}

// TestUnrecordedTracesPass: what is not recorded here is handed on as it came.
func TestUnrecordedTracesPass(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  telemetry.Config
		in   map[string][]string
		want map[string]string
	}{
		{"the caller has decided", telemetry.Config{Sample: new(1.0)},
			map[string][]string{"traceparent": {silenced}, "tracestate": {"a=1", "b=2"}},
			map[string]string{"traceparent": silenced, "tracestate": "a=1,b=2"}},
		{"a future version is written as 00", telemetry.Config{Sample: new(1.0)},
			map[string][]string{"traceparent": {"42-" + traceID + "-" + spanID + "-00-more"}},
			map[string]string{"traceparent": silenced}},
		{"a tracestate that is malformed is dropped alone", telemetry.Config{Sample: new(1.0)},
			map[string][]string{"traceparent": {silenced}, "tracestate": {"a=1,A=2"}},
			map[string]string{"traceparent": silenced}},
		{"b3", telemetry.Config{Propagation: telemetry.B3, Sample: new(1.0)},
			map[string][]string{"b3": {traceID + "-" + spanID + "-0"}},
			map[string]string{"b3": traceID + "-" + spanID + "-0"}},
		{"b3 in the other form", telemetry.Config{Propagation: telemetry.B3Multi, Sample: new(1.0)},
			map[string][]string{"b3": {traceID + "-" + spanID + "-0"}},
			map[string]string{"x-b3-traceid": traceID, "x-b3-spanid": spanID, "x-b3-sampled": "0"}},
	} {
		p := newProcess(t, c.cfg)
		if got := hop(p.tel.Core(), c.in, nil); !maps.Equal(got, c.want) {
			t.Errorf("%s: sent %v, want %v", c.name, got, c.want)
		}
		if n := p.names(); len(n) > 0 {
			t.Errorf("%s: spans %v", c.name, n)
		}
	}
}

// TestWithoutProviderTracesPass: a process that makes no spans is no hole in the traces of others.
func TestWithoutProviderTracesPass(t *testing.T) {
	tel, err := telemetry.New(telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got := hop(tel.Core(), map[string][]string{"traceparent": {sampled}}, nil); got["traceparent"] != sampled {
		t.Errorf("sent %v", got)
	}
	if got := hop(tel.Core(), nil, nil); len(got) > 0 {
		t.Errorf("began a trace: %v", got)
	}
}

// TestMalformedBeginsAnew: a trace that cannot be read is none, and a new one begins.
func TestMalformedBeginsAnew(t *testing.T) {
	for name, in := range map[string]map[string][]string{
		"malformed":         {"traceparent": {"00-" + traceID + "-" + spanID + "-1"}, "tracestate": {"a=1"}},
		"twice":             {"traceparent": {sampled, sampled}},
		"state without one": {"tracestate": {"a=1"}},
		"nothing":           nil,
	} {
		for _, share := range []float64{0, 1} {
			p := newProcess(t, telemetry.Config{Sample: &share})
			got := hop(p.tel.Core(), in, nil)
			parent := got["traceparent"]
			if len(parent) != 55 || strings.Contains(parent, traceID) || got["tracestate"] != "" {
				t.Errorf("%s: sent %v", name, got)
			}
			flag := map[float64]byte{0: '0', 1: '1'}[share]
			if last := parent[54]; (last&1 == 1) != (flag == '1') {
				t.Errorf("%s: flags of %s at a share of %v", name, parent, share)
			}
			if recorded := len(p.names()) > 0; recorded != (share == 1) {
				t.Errorf("%s: at a share of %v: spans %v", name, share, p.names())
			}
		}
	}
}

// TestOneDecisionForATrace: where a server has drawn that a trace is not recorded, the calls of its handler do not draw
// again, and they share one trace.
func TestOneDecisionForATrace(t *testing.T) {
	p := newProcess(t, telemetry.Config{Sample: new(0.0)})
	o := p.tel.Core()
	s := call.Served{Ctx: context.Background(), Method: "GET", Request: &request{}}
	o.BeginServe(&s)
	a, b := sent(s.Ctx, o)["traceparent"], sent(s.Ctx, o)["traceparent"]
	o.EndServe(&s)
	if a != b || len(a) != 55 {
		t.Errorf("two calls of one handler are in %s and %s", a, b)
	}
}

func TestSampledTracesAreContinued(t *testing.T) {
	for _, cfg := range []telemetry.Config{{}, {Sample: new(0.0)}} { // the share is for beginnings
		p := newProcess(t, cfg)
		got := hop(p.tel.Core(), map[string][]string{"traceparent": {sampled}, "tracestate": {"a=1"}}, nil)
		if !strings.Contains(got["traceparent"], traceID) || strings.Contains(got["traceparent"], spanID) || got["tracestate"] != "a=1" {
			t.Errorf("sent %v", got)
		}
		served := p.span(trace.SpanKindServer, "GET")
		if served.Parent.SpanID().String() != spanID || !served.Parent.IsRemote() {
			t.Errorf("parent %v", served.Parent)
		}
	}
}

func TestB3DecisionsWithoutIDs(t *testing.T) {
	for header, recorded := range map[string]bool{"0": false, "1": true, "d": true} {
		for _, share := range []*float64{nil, new(0.0), new(1.0)} {
			p := newProcess(t, telemetry.Config{Propagation: telemetry.B3, Sample: share})
			hop(p.tel.Core(), map[string][]string{"b3": {header}}, nil)
			if got := slices.Contains(p.names(), "server GET"); got != recorded {
				t.Errorf("b3: %s: recorded: %t", header, got)
			}
		}
	}
}

// TestAnOuterSpanIsKept: where another instrumentation stands outside, ours is inside its span and not beside it.
func TestAnOuterSpanIsKept(t *testing.T) {
	p := newProcess(t, telemetry.Config{})
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(p.spans)).Tracer("other")
	ctx, outer := tracer.Start(context.Background(), "outer")
	s := call.Served{Ctx: ctx, Method: "GET", Request: &request{headers: map[string][]string{"traceparent": {sampled}}}}
	p.tel.Core().BeginServe(&s)
	p.tel.Core().EndServe(&s)
	if got := p.span(trace.SpanKindServer, "GET").Parent; got.SpanID() != outer.SpanContext().SpanID() {
		t.Errorf("parent %v", got)
	}
}

func TestBaggage(t *testing.T) {
	// Neither its order nor its encoding is OpenTelemetry's own, so it is seen whether it was written anew.
	const came = "zone=eu%2Dwest;ttl=3 , user=7,a=%20"
	add := func(ctx context.Context) context.Context {
		m, _ := baggage.NewMember("added", "1")
		b, _ := baggage.FromContext(ctx).SetMember(m)
		return baggage.ContextWithBaggage(ctx, b)
	}
	for _, c := range []struct {
		name   string
		in     []string
		change func(context.Context) context.Context
		check  func(string) bool
	}{
		{"as it came", []string{came}, nil, func(s string) bool { return s == came }},
		{"two headers", []string{"b=2", "a=1"}, nil, func(s string) bool { return s == "b=2,a=1" }},
		{"added to", []string{"b=2"}, add, func(s string) bool { return s == "b=2,added=1" || s == "added=1,b=2" }},
		{"begun", nil, add, func(s string) bool { return s == "added=1" }},
		{"taken away", []string{came}, baggage.ContextWithoutBaggage, func(s string) bool { return s == "" }},
		{"malformed", []string{"no equals sign"}, nil, func(s string) bool { return s == "" }},
		{"too long", []string{"a=" + strings.Repeat("x", 8191)}, nil, func(s string) bool { return s == "" }},
		{"too many", []string{strings.Repeat("a=1,", 64) + "a=1"}, nil, func(s string) bool { return s == "" }},
	} {
		for _, share := range []float64{0, 1} {
			p := newProcess(t, telemetry.Config{Sample: &share})
			if got := hop(p.tel.Core(), map[string][]string{"baggage": c.in}, c.change)["baggage"]; !c.check(got) {
				t.Errorf("%s: sent %q", c.name, got)
			}
		}
	}
}

func FuzzBaggage(f *testing.F) {
	f.Add("zone=eu%2Dwest;ttl=3 , user=7,a=%20")
	f.Add("a=1;;=,b")
	tel, err := telemetry.New(telemetry.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := hop(tel.Core(), map[string][]string{"baggage": {s}}, nil)["baggage"]; got != s && got != "" {
			t.Fatalf("%q is passed on as %q", s, got)
		}
	})
}

// TestHeadersOnTheWire: what the observer adds arrives, over a caller's header of the same name, which is not changed.
func TestHeadersOnTheWire(t *testing.T) {
	p, network := newProcess(t, telemetry.Config{Sample: new(0.0)}), new(memnet.Network)
	var got http.Header
	serveHTTP(t, network, "orders:1", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	rt := p.client(network, discovery.Static{"orders": {{Addr: "orders:1"}}}).Transport(nil)
	m, _ := baggage.NewMember("user", "7")
	b, _ := baggage.New(m)
	req, _ := http.NewRequestWithContext(baggage.ContextWithBaggage(t.Context(), b), "GET", "mesh://orders/", nil)
	req.Header.Set("Traceparent", "mine")
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(got["Traceparent"]) != 1 || len(got.Get("Traceparent")) != 55 || got.Get("Baggage") != "user=7" {
		t.Errorf("arrived: %v", got)
	}
	if req.Header.Get("Traceparent") != "mine" {
		t.Error("the caller's header was changed")
	}
}
