package shop

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

// The diary knows the mesh's own records: what it counts here a real client logs.
func TestDiary(t *testing.T) {
	var well atomic.Bool
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	a, b := httptest.NewServer(h), httptest.NewServer(h)
	defer a.Close()
	defer b.Close()
	d := newDiary("web", nil, slog.DiscardHandler)
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"reviews": {{Addr: addr(a)}, {Addr: addr(b)}}},
		Resilience: resilience.Config{Default: resilience.Policy{
			Breaker: &resilience.Breaker{MinCalls: 10, Open: time.Millisecond, MaxOpen: time.Millisecond},
			Outlier: &resilience.Outlier{Consecutive5xx: 1, BaseEjection: time.Millisecond},
		}},
		Logger: slog.New(d),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rt := c.Transport(nil)
	call := func() {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "mesh://reviews/", http.NoBody)
		if resp, err := rt.RoundTrip(r); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	for _, what := range []string{ejected, Opened, readmitted, Closed} {
		well.Store(what == readmitted || what == Closed)
		for d.snapshot().Count(what, "reviews") == 0 { // or until the test's own end
			call()
		}
	}
	for key := range d.snapshot() {
		if e, ok := strings.CutPrefix(key, ejected+" reviews "); ok && e != addr(a) && e != addr(b) {
			t.Errorf("no endpoint is called %q", e)
		}
	}
}

func addr(s *httptest.Server) string { return s.Listener.Addr().String() }

// A line of the log of strangers may stand for many of them.
func TestStrangers(t *testing.T) {
	d := newDiary("payments", nil, slog.DiscardHandler)
	log := slog.New(d).With("more", 1).WithGroup("group")
	log.Warn("intramesh: client refused", "reason", "unknown_authority", "peer", "spiffe://shop/orders")
	log.Warn("intramesh: client refused", "reason", "unknown_authority", "unlogged", int64(3))
	log.Warn("something else", "reason", "unknown_authority")
	if n := d.snapshot()["stranger payments unknown_authority"].Times; n != 5 {
		t.Errorf("%d strangers, want 5: %v", n, d.snapshot())
	}
}

// Every service but the edge says who may call it, and the guard counts who did and who tried.
func TestGuard(t *testing.T) {
	authority, err := ca.New(ca.Config{TrustDomain: TrustDomain})
	if err != nil {
		t.Fatal(err)
	}
	for callee := range services {
		if callee == edge {
			continue
		}
		d := newDiary(callee, nil, slog.DiscardHandler)
		g := guard{callersOf(callee), d.book}
		if err := security.Check(g); err != nil || len(callers[callee]) == 0 {
			t.Errorf("%s: %v, %v", callee, callers[callee], err)
		}
		for caller := range services {
			svid, err := authority.Issue(IdentityOf(caller))
			if err != nil {
				t.Fatal(err)
			}
			_ = g.Authorize(&security.Request{Peer: &security.Peer{ID: svid.ID, Certificate: svid.Certificate.Leaf}})
		}
		all := d.snapshot()
		may := 0
		for key := range all {
			if strings.HasPrefix(key, served+" ") {
				may++
			}
		}
		if may != len(callers[callee]) || all.Count(denied, callee) != len(services)-may {
			t.Errorf("%s: %d may call, want %d; denied %d", callee, may, len(callers[callee]), all.Count(denied, callee))
		}
	}
}

func TestEvents(t *testing.T) {
	early := time.Unix(1, 0)
	late := early.Add(time.Second)
	before := Events{"opened reviews": {1, early}, "ejected inventory a": {2, early}}
	after := Events{"opened reviews": {1, early}, "ejected inventory a": {5, late}, "ejected inventory b": {1, late}}
	want := Events{"ejected inventory a": {3, late}, "ejected inventory b": {1, late}}
	if d := cmp.Diff(want, after.since(before)); d != "" {
		t.Error(d)
	}
	if n := after.Count(ejected, "inventory"); n != 6 {
		t.Errorf("%d ejections, want 6", n)
	}
	before.merge(after)
	if d := cmp.Diff(Event{7, late}, before["ejected inventory a"]); d != "" {
		t.Error(d)
	}
}
