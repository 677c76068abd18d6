package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
)

// says answers with the given name and what it saw.
func says(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Server", name)
		fmt.Fprintf(w, "%s %s %s", name, r.Host, r.URL.RequestURI())
	}
}

// versions are orders with two endpoints of v1 and one of v2, and a service "other".
func versions(t *testing.T, cfg client.Config) *mesh {
	t.Helper()
	m := &mesh{t: t}
	for addr, name := range map[string]string{"a:80": "v1", "b:80": "v1", "c:80": "v2", "d:80": "other"} {
		m.serve(addr, says(name))
	}
	v := func(s string) map[string]string { return map[string]string{"version": s} }
	cfg.Discovery = discovery.Static{
		"orders": {{Addr: "a:80", Metadata: v("v1")}, {Addr: "b:80", Metadata: v("v1")}, {Addr: "c:80", Metadata: v("v2")}},
		"other":  {{Addr: "d:80"}},
	}
	cfg.Dial = m.dial
	m.c = newClient(t, cfg)
	m.rt = m.c.Transport(nil)
	return m
}

func (m *mesh) ask(url string, header ...string) string {
	m.t.Helper()
	req := request(m.t, "GET", url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := m.rt.RoundTrip(req)
	return text(m.t, resp, err)
}

var subsets = []traffic.Destination{{Service: "orders", Subsets: []traffic.Subset{
	{Name: "v1", Labels: map[string]string{"version": "v1"}},
	{Name: "v2", Labels: map[string]string{"version": "v2"}},
}}}

func split(v1, v2 uint32) traffic.Policy {
	return traffic.Policy{Destinations: subsets, Routes: []traffic.Route{{
		Name: "canary", Hosts: []string{"orders"},
		To: []traffic.Backend{{Subset: "v1", Weight: v1}, {Subset: "v2", Weight: v2}},
	}}}
}

// 1,000 calls of a split: each part is within a bound that grows with the logarithm of the number.
func TestSplit(t *testing.T) {
	m := versions(t, client.Config{Traffic: split(90, 10)})
	got := map[string]int{}
	for range 1000 {
		got[m.ask("http://orders/x")[:2]]++
	}
	if v2 := got["v2"]; v2 < 90 || v2 > 110 {
		t.Errorf("v2 got %d of 1,000 calls, want 100 +-10", v2)
	}
}

func TestRouteToService(t *testing.T) {
	m := versions(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{
		{Name: "by header", Match: []traffic.Match{{Headers: []traffic.Field{{Name: "x-user", Value: traffic.Exact("7")}}}},
			To: []traffic.Backend{{Service: "other"}}},
	}}})
	if got := m.ask("http://orders/x", "X-User", "7"); got != "other orders /x" {
		t.Errorf("got %q: the server should see the host that was called", got)
	}
	if got := m.ask("http://orders/x", "X-User", "8"); got[:2] == "ot" {
		t.Errorf("got %q", got)
	}
}

func TestRewrite(t *testing.T) {
	to := "/new"
	m := versions(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{{
		Match:   []traffic.Match{{Path: traffic.PathPrefix("/old")}},
		To:      []traffic.Backend{{Service: "other"}},
		Rewrite: &traffic.Rewrite{Authority: "shop.example", Prefix: &to},
	}}}})
	if got := m.ask("http://orders/old/a%2Fb?q=1"); got != "other shop.example /new/a%2Fb?q=1" {
		t.Errorf("got %q", got)
	}
}

func TestHeaderChanges(t *testing.T) {
	m := newMesh(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{{
		Headers: traffic.Headers{
			Request:  traffic.HeaderOps{Set: map[string]string{"x-a": "set"}, Add: map[string]string{"x-b": "more"}, Remove: []string{"x-c"}},
			Response: traffic.HeaderOps{Set: map[string]string{"x-r": "resp"}, Remove: []string{"x-server"}},
		},
		To: []traffic.Backend{{Headers: traffic.Headers{Request: traffic.HeaderOps{Add: map[string]string{"x-b": "most"}}}}},
	}}}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Server", "a")
		fmt.Fprint(w, r.Header["X-A"], r.Header["X-B"], r.Header["X-C"])
	}))
	req := request(t, "GET", "http://orders/", nil)
	req.Header = http.Header{"X-A": {"old"}, "X-B": {"one"}, "X-C": {"gone"}}
	resp, err := m.rt.RoundTrip(req)
	if got := text(t, resp, err); got != "[set] [one more most] []" {
		t.Errorf("the server saw %s", got)
	}
	if resp.Header.Get("X-R") != "resp" || resp.Header.Get("X-Server") != "" {
		t.Errorf("response headers %v", resp.Header)
	}
	if fmt.Sprint(req.Header) != "map[X-A:[old] X-B:[one] X-C:[gone]]" {
		t.Errorf("the caller's request was changed: %v", req.Header)
	}
}

func TestAnswersOfRoutes(t *testing.T) {
	m := versions(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{
		{Name: "teapot", Match: []traffic.Match{{Path: traffic.Exact("/tea")}}, Respond: &traffic.Response{Status: 418, Body: "short and stout"}},
		{Name: "moved", Match: []traffic.Match{{Path: traffic.Exact("/old")}}, Redirect: &traffic.Redirect{Path: "/new", Status: 308}},
	}}})
	var info client.Info
	req := requestWith(t, client.With(t.Context(), client.Options{Info: &info}), "POST", "http://orders/tea", strings.NewReader("x"))
	resp, err := m.rt.RoundTrip(req)
	if got := text(t, resp, err); got != "short and stout" || resp.StatusCode != 418 {
		t.Errorf("got %d %q", resp.StatusCode, got)
	}
	if info.Rule != "teapot" || info.Service != "orders" || len(info.Attempts) != 0 {
		t.Errorf("info %+v", info)
	}
	resp, err = m.rt.RoundTrip(request(t, "GET", "http://orders/old?q=1", nil))
	text(t, resp, err)
	if loc := resp.Header.Get("Location"); resp.StatusCode != 308 || loc != "http://orders/new?q=1" {
		t.Errorf("got %d %q", resp.StatusCode, loc)
	}
}

func TestRouteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, client.Config{Resilience: standard, Traffic: traffic.Policy{Routes: []traffic.Route{{
			Name: "quick", Timeout: time.Second,
		}}}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}))
		began := time.Now()
		resp, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil))
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v, want the deadline after 1 s: it covers the body", err, time.Since(began))
		}
	})
}

func TestRouteRetries(t *testing.T) {
	for _, tt := range []struct {
		name  string
		route traffic.Route
		want  int
	}{
		{"the destination's", traffic.Route{}, 3},
		{"its own", traffic.Route{Retry: &resilience.Retry{Retries: 1}}, 2},
		{"none", traffic.Route{NoRetry: true}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := count(status(503))
			m := newMesh(t, client.Config{
				Resilience: resilience.Config{Default: resilience.Policy{Retry: &resilience.Retry{Retries: 2}}},
				Traffic:    traffic.Policy{Routes: []traffic.Route{tt.route}},
			}, h)
			resp, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil))
			text(t, resp, err)
			if got := int(h.n.Load()); got != tt.want {
				t.Errorf("%d attempts, want %d", got, tt.want)
			}
		})
	}
}

// A user stays on one version, and on one endpoint where that is placed by the same cookie.
func TestSticky(t *testing.T) {
	p := split(50, 50)
	p.Routes[0].Sticky = &traffic.Key{Cookie: &traffic.Cookie{Name: "user", TTL: time.Hour, Path: "/"}}
	m := versions(t, client.Config{Traffic: p})
	jar, _ := cookiejar.New(nil)
	hc := &http.Client{Transport: m.rt, Jar: jar}
	get := func() string {
		resp, err := hc.Do(request(t, "GET", "http://orders/", nil))
		return text(t, resp, err)[:2]
	}
	first := get()
	for range 50 {
		if got := get(); got != first {
			t.Fatalf("was on %s, now on %s", first, got)
		}
	}
	if n := len(jar.Cookies(&url.URL{Scheme: "http", Host: "orders", Path: "/"})); n != 1 {
		t.Errorf("%d cookies, want the one that the mesh made", n)
	}
}

func TestHashKeyPlaces(t *testing.T) {
	for _, alg := range []balance.Algorithm{balance.RingHash, balance.Maglev} {
		m := newMesh(t, client.Config{Traffic: traffic.Policy{Destinations: []traffic.Destination{{
			Service: "orders", Settings: traffic.Settings{Balance: &traffic.Balance{Algorithm: alg, Hash: &traffic.Key{Context: true}}},
		}}}}, says("a"), says("b"), says("c"))
		at := map[string]string{}
		servers := map[string]bool{}
		for i := range 200 {
			key := fmt.Sprint("user ", i%20)
			ctx := client.With(t.Context(), client.Options{HashKey: key})
			resp, err := m.rt.RoundTrip(requestWith(t, ctx, "GET", "http://orders/", nil))
			got := text(t, resp, err)[:1]
			servers[got] = true
			if was, ok := at[key]; ok && was != got {
				t.Fatalf("%s: %s went to %s and to %s", alg, key, was, got)
			}
			at[key] = got
		}
		if len(servers) != 3 {
			t.Errorf("%s: 20 users went to %d servers of 3", alg, len(servers))
		}
	}
}

// A split changes a thousand times while calls run, and no call fails or meets half of a change: the header of the policy's
// number belongs to the version that it sends to.
func TestSwapUnderLoad(t *testing.T) {
	policy := func(i int) traffic.Policy {
		p := split(uint32(1+i%7), uint32(1+i%5))
		to := p.Routes[0].To
		to[0].Headers.Request.Set = map[string]string{"x-gen": fmt.Sprint(i, " v1")}
		to[1].Headers.Request.Set = map[string]string{"x-gen": fmt.Sprint(i, " v2")}
		return p
	}
	live, err := traffic.NewLive(policy(0))
	if err != nil {
		t.Fatal(err)
	}
	m := &mesh{t: t}
	for addr, name := range map[string]string{"a:80": "v1", "c:80": "v2"} {
		m.serve(addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.Header.Get("X-Gen"), name) {
				w.WriteHeader(400)
			}
		}))
	}
	m.c = newClient(t, client.Config{Traffic: live, Dial: m.dial, Discovery: discovery.Static{"orders": {
		{Addr: "a:80", Metadata: map[string]string{"version": "v1"}}, {Addr: "c:80", Metadata: map[string]string{"version": "v2"}},
	}}})
	m.rt = m.c.Transport(nil)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				resp, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Errorf("status %d: half of a change", resp.StatusCode)
					return
				}
			}
		})
	}
	for i := range 1000 {
		if err := live.Set(policy(i)); err != nil {
			t.Fatal(err)
		}
		m.ask("http://orders/")
	}
	cancel()
	wg.Wait()
}

func TestBadPolicyKeepsTheLast(t *testing.T) {
	src := make(chan traffic.Update)
	m := versions(t, client.Config{Traffic: updates(src)})
	src <- traffic.Update{Policy: split(0, 1)}
	if got := m.ask("http://orders/"); got[:2] != "v2" {
		t.Fatalf("got %q", got)
	}
	src <- traffic.Update{Policy: broken} // cannot be honoured
	src <- traffic.Update{Err: errors.New("disk is gone")}
	if got := m.ask("http://orders/"); got[:2] != "v2" {
		t.Errorf("got %q: the last good policy should hold", got)
	}
	src <- traffic.Update{Policy: split(1, 0)}
	src <- traffic.Update{Err: errors.New("so that the one before has been applied")}
	if got := m.ask("http://orders/"); got[:2] != "v1" {
		t.Errorf("got %q", got)
	}
}

// TestBadPolicyIsCounted: once when trouble begins and once when it is another, however often the source repeats it; and again
// after it was over.
func TestBadPolicyIsCounted(t *testing.T) {
	src, cfg := make(chan traffic.Update), client.Config{}
	m := newMirrored(t, traffic.MirrorLimits{}, says("a"), nil, func(c *client.Config, _ *traffic.Route) { cfg = *c })
	cfg.Traffic = updates(src)
	newClient(t, cfg)
	bad, gone := traffic.Update{Policy: broken}, traffic.Update{Err: errors.New("disk is gone")}
	for i, step := range []struct {
		update traffic.Update
		want   int64
	}{{traffic.Update{}, 0}, {bad, 1}, {bad, 1}, {gone, 2}, {gone, 2}, {traffic.Update{}, 2}, {bad, 3}} {
		src <- step.update
		src <- step.update // taken when the one before has been dealt with
		if got := m.counted("intramesh.events", "intramesh.event", "intramesh.reason"); got["policy_refused bad_policy"] != step.want {
			t.Errorf("step %d: %v, want %d", i, got, step.want)
		}
	}
}

// updates is a source that says what it is told to.
type updates chan traffic.Update

func (u updates) WatchTraffic(ctx context.Context, fn func(traffic.Update)) error {
	for {
		select {
		case next := <-u:
			fn(next)
		case <-ctx.Done():
			return nil
		}
	}
}

// Before its source has answered, calls wait for the policy, and no longer than Warmup.
func TestPolicyUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := versions(t, client.Config{Traffic: updates(make(chan traffic.Update))})
		began := time.Now()
		_, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil)) //nolint:bodyclose // there is none
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.Unanswered || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// broken is a policy that cannot be honoured.
var broken = traffic.Policy{Routes: []traffic.Route{{Match: []traffic.Match{{Path: traffic.Regex("(")}}}}}

func TestPolicyIsChecked(t *testing.T) {
	_, err := client.New(client.Config{Traffic: broken})
	if err == nil || !strings.Contains(err.Error(), "Config.Traffic") {
		t.Errorf("got %v", err)
	}
}

// Without Discovery a route may do what needs no other destination.
func TestTrafficWithoutDiscovery(t *testing.T) {
	base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(r.Header.Get("X-A"))), Request: r}, nil
	})
	c := newClient(t, client.Config{Traffic: traffic.Policy{Routes: []traffic.Route{
		{Name: "away", Match: []traffic.Match{{Path: traffic.Exact("/away")}}, To: []traffic.Backend{{Service: "other"}}},
		{Headers: traffic.Headers{Request: traffic.HeaderOps{Set: map[string]string{"x-a": "set"}}}},
	}}})
	rt := c.Transport(base)
	resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
	if got := text(t, resp, err); got != "set" {
		t.Errorf("got %q", got)
	}
	_, err = rt.RoundTrip(request(t, "GET", "http://orders/away", nil)) //nolint:bodyclose // there is none
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != client.Invalid || e.Rule != "away" {
		t.Errorf("got %v", err)
	}
}

// TestSplitSurvivesChanges: the requests of a route are counted on when the policy is replaced, or each change would begin a new
// split, and shares would be those of lots. Of two that follow each other each version gets one, from the first or the second
// request on.
func TestSplitSurvivesChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := new(traffic.Live)
		m := &mesh{t: t}
		m.serve("a:80", says("a"))
		m.serve("b:80", says("b"))
		m.c = newClient(t, client.Config{Traffic: live, Dial: m.dial, Discovery: discovery.Static{"orders": nil, "a": {{Addr: "a:80"}}, "b": {{Addr: "b:80"}}}})
		m.rt = m.c.Transport(nil)
		var answers []string
		for i := range 64 {
			err := live.Set(traffic.Policy{Routes: []traffic.Route{{
				Name: "half", Hosts: []string{"orders"}, Timeout: time.Minute + time.Duration(i),
				To: []traffic.Backend{{Service: "a", Weight: 1}, {Service: "b", Weight: 1}},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			answers = append(answers, m.ask("http://orders/"))
		}
		same := [2]int{}
		for i := range len(answers) - 1 {
			if answers[i] == answers[i+1] {
				same[i%2]++
			}
		}
		if same[0] > 0 && same[1] > 0 {
			t.Errorf("%v", answers)
		}
	})
}

// TestRoutesShareTheBudget: routes with retries of their own spend from the budget of the destination that they lead to.
func TestRoutesShareTheBudget(t *testing.T) {
	route := func(path string) traffic.Route {
		return traffic.Route{
			Name: path, Match: []traffic.Match{{Path: traffic.Exact(path)}},
			Retry: &resilience.Retry{Retries: 1, On: []string{"503"}, Backoff: resilience.Backoff{Base: time.Microsecond}},
		}
	}
	one := &resilience.Budget{Ratio: -1, PerSecond: 0.1, Window: 10 * time.Second}
	m := newMesh(t, client.Config{
		Traffic:    traffic.Policy{Routes: []traffic.Route{route("/a"), route("/b")}},
		Resilience: resilience.Config{Default: resilience.Policy{Budget: one}},
	}, status(503))
	for i, path := range []string{"/a", "/b"} {
		var info client.Info
		resp, err := m.rt.RoundTrip(requestWith(t, client.With(t.Context(), client.Options{Info: &info}), "GET", "http://orders"+path, nil))
		if text(t, resp, err); info.Rule != path || len(info.Attempts) != 2-i {
			t.Errorf("%s: %d attempts with one retry for both, under %s", path, len(info.Attempts), info.Rule)
		}
	}
}

// TestRouteWithoutTimeout: a negative one takes the destination's limit away, too.
func TestRouteWithoutTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, client.Config{
			Traffic:    traffic.Policy{Routes: []traffic.Route{{Match: []traffic.Match{{Path: traffic.Exact("/slow")}}, Timeout: -1}}},
			Resilience: resilience.Config{Default: resilience.Policy{Timeout: &resilience.Timeout{Reply: time.Second}}},
		}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Minute)
			fmt.Fprint(w, "late")
		}))
		if got := m.ask("http://orders/slow"); got != "late" {
			t.Errorf("got %q", got)
		}
		_, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil)) //nolint:bodyclose // there is none
		if e, _ := errors.AsType[*client.Error](err); e == nil || e.Reason != client.Deadline {
			t.Errorf("without the route: %v", err)
		}
		time.Sleep(time.Minute) // the server's
		m.c.Close()
	})
}
