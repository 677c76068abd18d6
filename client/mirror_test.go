package client_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/telemetry"
)

// mirrored is a mesh of orders, which h serves, and next, where its copies go.
type mirrored struct {
	*mesh

	reader *sdkmetric.ManualReader
	spans  *tracetest.InMemoryExporter
}

func newMirrored(t *testing.T, limits traffic.MirrorLimits, h, next http.Handler, edit ...func(*client.Config, *traffic.Route)) *mirrored {
	t.Helper()
	m := &mirrored{&mesh{t: t}, sdkmetric.NewManualReader(), tracetest.NewInMemoryExporter()}
	m.serve("a:80", h)
	if next != nil {
		m.serve("b:80", next)
	}
	tel, err := telemetry.New(telemetry.Config{
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(m.reader)),
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(m.spans)),
	})
	if err != nil {
		t.Fatal(err)
	}
	route := traffic.Route{Name: "launch", Mirrors: []traffic.Mirror{{Service: "next", Percent: 100}}}
	cfg := client.Config{
		Discovery: discovery.Static{"orders": {{Addr: "a:80"}}, "next": {{Addr: "b:80"}}}, Dial: m.dial, Telemetry: tel,
	}
	for _, e := range edit {
		e(&cfg, &route)
	}
	cfg.Traffic = traffic.Policy{Routes: []traffic.Route{route}, MirrorLimits: limits}
	m.c = newClient(t, cfg)
	m.rt = m.c.Transport(nil)
	return m
}

// counted is the sum of a metric by one or two of its attributes.
func (m *mirrored) counted(name string, by ...string) map[string]int64 {
	m.t.Helper()
	var all metricdata.ResourceMetrics
	if err := m.reader.Collect(context.Background(), &all); err != nil {
		m.t.Fatal(err)
	}
	sums := make(map[string]int64)
	add := func(set attribute.Set, n int64) {
		var words []string
		for _, k := range by {
			if v, ok := set.Value(attribute.Key(k)); ok {
				words = append(words, v.AsString())
			}
		}
		sums[strings.Join(words, " ")] += n
	}
	for _, scope := range all.ScopeMetrics {
		for _, metric := range scope.Metrics {
			if metric.Name != name {
				continue
			}
			switch data := metric.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, int64(p.Count))
				}
			}
		}
	}
	return sums
}

// copies is how many copies ended in each way.
func (m *mirrored) copies() map[string]int64 {
	return m.counted("intramesh.client.mirrors", "intramesh.outcome", "intramesh.reason")
}

// seen is what a server saw of a request.
func seen(r *http.Request) string {
	b, _ := io.ReadAll(r.Body)
	return fmt.Sprintf("%s %s %s %s %s %d", r.Method, r.Host, r.URL.RequestURI(), r.Header.Get("X-Add"), b, r.ContentLength)
}

func TestMirrorGetsTheRequest(t *testing.T) {
	to := "/new"
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for name, body := range map[string]func() io.Reader{
			"no body":             func() io.Reader { return nil },
			"with GetBody":        func() io.Reader { return strings.NewReader("hello") },
			"a stream":            func() io.Reader { return track("hello") },
			"a stream, announced": func() io.Reader { return track("hello") },
		} {
			t.Run(version+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					orders, next := make(chan string, 1), make(chan string, 1)
					m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						orders <- seen(r)
						w.Header().Set("X-From", "orders")
					}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						next <- seen(r) + " " + r.Proto
						http.Error(w, "nobody reads this", 500)
					}), func(_ *client.Config, r *traffic.Route) {
						r.Match = []traffic.Match{{Path: traffic.PathPrefix("/old")}}
						r.Rewrite = &traffic.Rewrite{Prefix: &to}
						r.Headers.Request.Set = map[string]string{"x-add": "added"}
					})
					base := &http.Transport{Protocols: new(http.Protocols)}
					base.Protocols.SetHTTP1(version == "HTTP/1.1")
					base.Protocols.SetUnencryptedHTTP2(version == "HTTP/2.0")
					b := body()
					req := request(t, "PUT", "mesh://orders:80/old/x?q=1", b)
					if strings.HasSuffix(name, "announced") {
						req.ContentLength = 5
					}
					resp, err := m.c.Transport(base).RoundTrip(req)
					if text(t, resp, err); resp.Header.Get("X-From") != "orders" {
						t.Errorf("answer %v", resp.Header)
					}
					want := "PUT orders:80 /new/x?q=1 added "
					if b != nil {
						want += "hello 5"
					} else {
						want += " 0"
					}
					shadow := strings.Replace(want, "orders:80", "orders-shadow:80", 1) + " " + version
					if name == "a stream" {
						want = strings.Replace(want, "hello 5", "hello -1", 1)
					}
					if got := <-orders; got != want {
						t.Errorf("orders got %q, want %q", got, want)
					}
					if got := <-next; got != shadow {
						t.Errorf("next got %q, want %q", got, shadow)
					}
					synctest.Wait()
					if got := m.copies(); got["failure"] != 1 || len(got) != 1 {
						t.Errorf("copies %v", got)
					}
				})
			})
		}
	}
}

// TestMirrorIsOutOfTheWay: whatever becomes of the copies, the calls take no time and go well, and nothing counts them.
func TestMirrorIsOutOfTheWay(t *testing.T) {
	for name, next := range map[string]http.Handler{"hangs": http.HandlerFunc(hang), "fails": status(503), "breaks off": http.HandlerFunc(breakOff), "is not there": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := resilience.Standard()
				p.Breaker = &resilience.Breaker{MinCalls: 2}
				m := newMirrored(t, traffic.MirrorLimits{Timeout: time.Minute, Calls: 1000}, http.HandlerFunc(echo), next, func(c *client.Config, _ *traffic.Route) {
					c.Resilience = resilience.Config{Default: p}
				})
				began := time.Now()
				for range 100 {
					var info client.Info
					ctx, cancel := context.WithTimeout(client.With(t.Context(), client.Options{Info: &info}), time.Second)
					resp, err := m.rt.RoundTrip(requestWith(t, ctx, "PUT", "http://orders/", strings.NewReader("hello")))
					if got := text(t, resp, err); got != "hello" || len(info.Attempts) != 1 || info.Endpoint != "a:80" {
						t.Fatalf("%q, %+v", got, info)
					}
					cancel()
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("the calls took %v", took)
				}
				if name == "hangs" {
					synctest.Wait()
					if got := m.copies(); len(got) != 0 {
						t.Errorf("copies %v: their caller's deadline should not end them", got)
					}
				}
				time.Sleep(2 * time.Minute)
				got := m.copies()
				if got["failure"]+got["failure try_timeout"]+got["refused connect_failed"]+got["failure broken"]+got["failure deadline"] != 100 {
					t.Errorf("copies %v", got)
				}
				if got := m.counted("http.client.request.duration", "server.address", "intramesh.outcome"); got["orders success"] != 100 || len(got) != 1 {
					t.Errorf("durations %v: copies are nobody's calls", got)
				}
				if got := m.counted("intramesh.client.retries"); len(got) != 0 {
					t.Errorf("retries %v", got)
				}
				// The destination of the copies is as it was for those who call it.
				if name == "fails" {
					resp, err := m.rt.RoundTrip(request(t, "POST", "http://next/", nil))
					text(t, resp, err)
					if resp.StatusCode != 503 {
						t.Errorf("next answers %d", resp.StatusCode)
					}
				}
				if got := m.counted("intramesh.events"); len(got) != 0 {
					t.Errorf("events %v: a mirror opens no breaker and ejects nobody", got)
				}
			})
		})
	}
}

// hang answers nothing. A server hears that its client has gone when it has read the body.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// TestMirrorLimits: no more copies than may be, no more bytes than may be, and what is beyond is counted.
func TestMirrorLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t, traffic.MirrorLimits{Calls: 3}, http.HandlerFunc(echo), http.HandlerFunc(hang))
		for range 10 {
			m.ask("http://orders/")
		}
		if got := m.copies(); got["dropped busy"] != 7 {
			t.Errorf("copies %v, want 7 dropped", got)
		}
		time.Sleep(16 * time.Second) // they are over after 15
		m.ask("http://orders/")
		if got := m.copies(); got["dropped busy"] != 7 || got["failure deadline"]+got["failure try_timeout"] != 3 {
			t.Errorf("copies %v", got)
		}
	})
	const each = 40 << 10
	for _, announced := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m := newMirrored(t, traffic.MirrorLimits{Bytes: 10 * each, Calls: 1000}, http.HandlerFunc(echo), http.HandlerFunc(hang))
			for range 30 {
				req := request(t, "PUT", "http://orders/", bytes.NewReader(make([]byte, each)))
				if !announced {
					req.ContentLength, req.GetBody = -1, nil
				}
				resp, err := m.rt.RoundTrip(req)
				if got := text(t, resp, err); len(got) != each {
					t.Fatalf("%d bytes", len(got))
				}
			}
			held := m.c.Core().HeldForCopies()
			if held > 10*each || held < 4*each {
				t.Errorf("%d bytes are held, at most %d may be", held, 10*each)
			}
			got := m.copies()
			if n := got["dropped memory"]; announced && n != 20 || n < 20 || n > 25 {
				t.Errorf("announced %v: copies %v", announced, got)
			}
			time.Sleep(16 * time.Second)
			synctest.Wait()
			if held := m.c.Core().HeldForCopies(); held != 0 {
				t.Errorf("%d bytes are held of copies that are over", held)
			}
		})
	}
}

// TestMirrorOfWhatIsSent: a call that is answered above, or not sent to its end, has no copy, and leaves nothing behind.
func TestMirrorOfWhatIsSent(t *testing.T) {
	var copies atomic.Int64
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { copies.Add(1) })
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(echo), next, func(_ *client.Config, r *traffic.Route) {
			r.Faults = []traffic.Fault{{Percent: 100, Abort: &traffic.Abort{Status: 500}}}
		})
		m.ask("http://orders/")
	})
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close") // else the server would wait for the body
			w.WriteHeader(413)
		}), next)
		r, w := io.Pipe()
		go func() { _, _ = w.Write(make([]byte, 1000)) }()
		resp, err := m.rt.RoundTrip(request(t, "PUT", "http://orders/", r))
		text(t, resp, err)
		synctest.Wait()
		if got := m.copies(); got["dropped incomplete"] != 1 {
			t.Errorf("copies %v", got)
		}
		if held := m.c.Core().HeldForCopies(); held != 0 {
			t.Errorf("%d bytes are held", held)
		}
		w.Close()
	})
	// An attempt that breaks off in the middle of the body is followed by one that does not: one copy, with the whole body.
	for _, again := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var tries atomic.Int64
			got := make(chan string, 10)
			m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tries.Add(1) == 1 {
					_, _ = io.ReadFull(r.Body, make([]byte, 10))
					panic(http.ErrAbortHandler)
				}
				_, _ = io.Copy(io.Discard, r.Body)
			}), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				got <- string(b)
			}), func(c *client.Config, _ *traffic.Route) { c.Resilience = standard })
			body := strings.Repeat("0123456789", 3000)
			req := request(t, "PUT", "http://orders/", strings.NewReader(body))
			if !again {
				req.GetBody = nil // the replay buffer is what repeats it
			}
			resp, err := m.rt.RoundTrip(req)
			text(t, resp, err)
			if b := <-got; b != body {
				t.Errorf("the mirror got %d bytes, want %d", len(b), len(body))
			}
			synctest.Wait()
			if n := m.copies(); n["success"] != 1 || len(n) != 1 || tries.Load() != 2 {
				t.Errorf("copies %v of %d attempts", n, tries.Load())
			}
		})
	}
	if copies.Load() != 0 {
		t.Errorf("%d copies", copies.Load())
	}
}

// TestMirrorSharesNothing: when the call is over the caller may change all that it gave, and is not called any more.
func TestMirrorSharesNothing(t *testing.T) {
	release, got := make(chan struct{}), make(chan string, 1)
	m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(echo), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- seen(r)
	}), func(c *client.Config, _ *traffic.Route) {
		c.WrapAttempt = func(rt http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(r *http.Request) (*http.Response, error) {
				if strings.Contains(r.Host, "-shadow") {
					<-release
				}
				return rt.RoundTrip(r)
			})
		}
	})
	var over atomic.Bool
	ctx, cancel := context.WithCancel(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GetConn: func(string) {
		if over.Load() {
			t.Error("the caller's trace was called for a copy")
		}
	}}))
	body := []byte("hello")
	req := requestWith(t, ctx, "PUT", "http://orders/x", bytes.NewReader(body))
	req.Header["X-Add"] = []string{"one"}
	resp, err := m.rt.RoundTrip(req)
	text(t, resp, err)
	over.Store(true)
	cancel()
	copy(body, "secret")
	req.Header["X-Add"][0] = "two"
	req.URL.Path = "/other"
	close(release)
	if got := <-got; got != "PUT orders-shadow /x one hello 5" {
		t.Errorf("the mirror got %q", got)
	}
}

// TestMirrorIsTraced: a copy has a span beneath that of its call, which it marks, and its server continues the trace.
func TestMirrorIsTraced(t *testing.T) {
	parent := make(chan string, 1)
	m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(echo), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		parent <- r.Header.Get("Traceparent")
	}))
	m.ask("http://orders/")
	header := <-parent
	m.c.Close() // waits for the copy
	var call, copied, attempt tracetest.SpanStub
	for _, s := range m.spans.GetSpans() {
		mark, server := false, ""
		for _, kv := range s.Attributes {
			mark = mark || kv.Key == "intramesh.mirror" && kv.Value.AsBool()
			if kv.Key == "server.address" {
				server = kv.Value.AsString()
			}
		}
		switch {
		case mark:
			copied = s
		case s.Name == "GET" && server == "orders":
			call = s
		case server == "next":
			attempt = s
		}
	}
	if copied.Parent.SpanID() != call.SpanContext.SpanID() || !call.SpanContext.IsValid() || copied.SpanContext.TraceID() != call.SpanContext.TraceID() {
		t.Errorf("the copy's span %v is not beneath the call's %v", copied.Parent, call.SpanContext)
	}
	if !strings.Contains(header, attempt.SpanContext.SpanID().String()) {
		t.Errorf("traceparent %q is not of %v", header, attempt.SpanContext.SpanID())
	}
}

// TestMirrorEndsWithTheClient: Close gives up copies under way and waits for them; what comes later is dropped.
func TestMirrorEndsWithTheClient(t *testing.T) {
	began := make(chan struct{}, 10)
	m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // else it would wait for the body
		_ = http.NewResponseController(w).Flush()
		echo(w, r)
	}), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
	}))
	for range 5 {
		m.ask("http://orders/")
		<-began
	}
	r, w := io.Pipe()
	resp, err := m.rt.RoundTrip(request(t, "PUT", "http://orders/", r))
	if err != nil {
		t.Fatal(err)
	}
	m.c.Close()
	if n := m.c.Core().CopiesUnderWay(); n != 0 {
		t.Errorf("%d copies are under way", n)
	}
	_, _ = w.Write([]byte("hello"))
	w.Close()
	if got := text(t, resp, nil); got != "hello" {
		t.Errorf("got %q", got)
	}
	if got := m.copies(); got["dropped closed"] != 1 {
		t.Errorf("copies %v", got)
	}
}

// TestMirrorPanics: a transport of the caller's that panics with a copy does not end the process.
func TestMirrorPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(echo), nil, func(c *client.Config, _ *traffic.Route) {
			c.WrapAttempt = func(rt http.RoundTripper) http.RoundTripper {
				return roundTripFunc(func(r *http.Request) (*http.Response, error) {
					if strings.Contains(r.Host, "-shadow") {
						panic("not for copies")
					}
					return rt.RoundTrip(r)
				})
			}
		})
		m.ask("http://orders/")
		synctest.Wait() // a copy that has not begun by then ends with the client
		if got := m.copies(); got["failure broken"] != 1 || len(got) != 1 {
			t.Errorf("copies %v", got)
		}
	})
}

// TestMirrorStorm: many callers, a mirror that is slow, and a policy that comes and goes; nothing is lost but copies.
func TestMirrorStorm(t *testing.T) {
	live, err := traffic.NewLive(traffic.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	var copies atomic.Int64
	m := &mesh{t: t}
	m.serve("a:80", http.HandlerFunc(echo))
	m.serve("b:80", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		copies.Add(1)
	}))
	m.c = newClient(t, client.Config{
		Discovery: discovery.Static{"orders": {{Addr: "a:80"}}, "next": {{Addr: "b:80"}}}, Dial: m.dial, Traffic: live,
	})
	m.rt = m.c.Transport(nil)
	policy := traffic.Policy{
		Routes:       []traffic.Route{{Mirrors: []traffic.Mirror{{Service: "next", Percent: 50}, {Service: "next", Percent: 50}}}},
		MirrorLimits: traffic.MirrorLimits{Calls: 4, Bytes: 100 << 10},
	}
	var callers sync.WaitGroup
	stop := make(chan struct{})
	var most atomic.Int64
	for i := range 8 {
		callers.Go(func() {
			for j := range 100 {
				req := request(t, "PUT", "http://orders/", strings.NewReader(strings.Repeat("x", 1000*(i+j%10))))
				resp, err := m.rt.RoundTrip(req)
				if got := text(t, resp, err); len(got) != 1000*(i+j%10) {
					t.Errorf("%d bytes", len(got))
				}
				most.Store(max(most.Load(), m.c.Core().HeldForCopies()))
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			next := traffic.Policy{}
			if i%2 == 0 {
				next = policy
			}
			if err := live.Set(next); err != nil {
				t.Error(err)
			}
		}
	}()
	callers.Wait()
	close(stop)
	<-done
	m.c.Close()
	if held := m.c.Core().HeldForCopies(); held != 0 {
		t.Errorf("%d bytes are held", held)
	}
	t.Logf("%d copies, at most %d bytes held at once", copies.Load(), most.Load())
}

// TestMirrorNowhere: without discovery, or at a subset without endpoints, there is no copy and no failed call.
func TestMirrorNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := count(echo)
		m := &mesh{t: t}
		m.serve("orders:80", served)
		c := newClient(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{{
			Mirrors: []traffic.Mirror{{Service: "next", Percent: 100}, {Percent: 100}},
		}}}})
		rt := c.Transport(&http.Transport{DialContext: m.net.DialContext})
		resp, err := rt.RoundTrip(request(t, "GET", "http://orders:80/", nil))
		text(t, resp, err)
		synctest.Wait()
		if n := served.n.Load(); n != 2 {
			t.Errorf("%d served, want the call and its copy for itself", n)
		}
		mm := newMirrored(t, traffic.MirrorLimits{}, http.HandlerFunc(echo), nil, func(_ *client.Config, r *traffic.Route) {
			r.Mirrors = []traffic.Mirror{{Service: "nobody", Percent: 100}}
		})
		mm.ask("http://orders/")
		synctest.Wait()
		if got := mm.copies(); got["refused unknown_service"] != 1 || len(got) != 1 {
			t.Errorf("copies %v", got)
		}
	})
}
