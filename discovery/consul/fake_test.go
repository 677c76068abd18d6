package consul

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/memnet"
)

// fake answers as Consul cannot be made to, in simulated time. What Consul does by itself is tested against Consul.
type fake struct {
	mu      sync.Mutex
	index   uint64
	body    string
	odd     http.HandlerFunc // answers instead; nil: as Consul would
	changed chan struct{}
	asked   []time.Time
	queries []url.Values
}

// newFake runs a fake and a Plane that asks it, in a bubble.
func newFake(t *testing.T, cfg Config) (*fake, *Plane) {
	t.Helper()
	f := &fake{index: 7, body: instances("10.0.0.1"), changed: make(chan struct{})}
	network := new(memnet.Network)
	l, err := network.Listen("consul:8500")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: f}
	go srv.Serve(l)
	cfg.Address = "consul:8500"
	p := newPlane(t, cfg)
	p.base.DialContext = network.DialContext
	p.base.Proxy = nil
	t.Cleanup(func() { srv.Close(); p.Close(); synctest.Wait() })
	return f, p
}

// instances is a health answer.
func instances(hosts ...string) string {
	text := "["
	for i, h := range hosts {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(`{"Node": {"Node": "n"}, "Service": {"ID": "%s", "Service": "orders", "Address": "%s", "Port": 80}, "Checks": []}`, h, h)
	}
	return text + "]"
}

func (f *fake) set(index uint64, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index, f.body = index, body
	close(f.changed)
	f.changed = make(chan struct{})
}

// oddly has further questions answered by h; nil: as Consul would.
func (f *fake) oddly(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.odd = h
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked, f.queries = append(f.asked, time.Now()), append(f.queries, r.URL.Query())
	f.mu.Unlock()
	index, _ := strconv.ParseUint(r.URL.Query().Get("index"), 10, 64)
	hold, _ := time.ParseDuration(r.URL.Query().Get("wait"))
	limit := time.NewTimer(hold)
	defer limit.Stop()
	for waiting := true; waiting; {
		f.mu.Lock()
		odd, now, body, changed := f.odd, f.index, f.body, f.changed
		f.mu.Unlock()
		if odd != nil {
			odd(w, r)
			return
		}
		if index == 0 || now != index { // a real server would let an index that is too high wait
			answer(w, now, body)
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			answer(w, now, body)
			return
		case <-r.Context().Done():
			return
		}
	}
}

func answer(w http.ResponseWriter, index uint64, body string) {
	w.Header().Set("X-Consul-Index", strconv.FormatUint(index, 10))
	w.Header().Set("X-Consul-KnownLeader", "true")
	w.Header().Set("X-Consul-LastContact", "0")
	fmt.Fprint(w, body)
}

// TestBadAnswers checks that nothing that is not Consul's word takes the endpoints away, and that it is told.
func TestBadAnswers(t *testing.T) {
	for _, c := range []struct {
		name, words string
		odd         http.HandlerFunc
	}{
		{"500", "No cluster leader", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "No cluster leader", 500) }},
		{"403", "has expired", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "ACL not found", 403) }},
		{"429", "429", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow down", 429) }},
		{"not JSON", "invalid character", func(w http.ResponseWriter, _ *http.Request) { answer(w, 9, "<html>") }},
		{"no JSON", "EOF", func(w http.ResponseWriter, _ *http.Request) { answer(w, 9, "") }},
		{"another JSON", "not a list of instances", func(w http.ResponseWriter, _ *http.Request) { answer(w, 9, `{"a": 1}`) }},
		{"a proxy's empty list", "not Consul's", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") }},
		{"truncated", "unexpected EOF", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10000")
			answer(w, 9, instances("10.0.0.2")[:50])
		}},
		{"cut off", "EOF", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{"no leader, nothing known", "knows no leader", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Consul-Index", "9")
			fmt.Fprint(w, "[]")
		}},
		{"filtered by ACLs", `service "orders" { policy = "read" }`, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Consul-Results-Filtered-By-ACLs", "true")
			answer(w, 9, "[]")
		}},
		{"never ends", "deadline", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out logs
				f, p := newFake(t, Config{Logger: out.logger()})
				l := listen(t, p, "orders")
				l.has("10.0.0.1:80")
				f.oddly(c.odd)
				l.fails(c.words)
				time.Sleep(10 * time.Minute)
				late := listen(t, p, "orders") // hears what was known, and that it is old
				late.has("10.0.0.1:80")
				late.fails("")
				if n := f.count(); n > 35 {
					t.Errorf("%d questions in 10 minutes of failure", n)
				}
				f.oddly(nil)
				f.set(8, instances("10.0.0.3"))
				l.has("10.0.0.3:80")
				if got := out.String(); !containsAll(got, "does not answer", "answers again") {
					t.Errorf("logged: %s", got)
				}
				l.cancel()
				late.cancel()
			})
		})
	}
}

// TestIndexGoesBack checks that a registry that was restored from a copy is asked from the beginning, and not in a hurry.
func TestIndexGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{})
		l := listen(t, p, "orders")
		l.has("10.0.0.1:80")
		f.set(3, instances("10.0.0.2"))
		l.has("10.0.0.2:80")
		time.Sleep(5 * time.Second)
		f.mu.Lock()
		asked := fmt.Sprint(f.queries[2]["index"], f.queries[3]["index"])
		f.mu.Unlock()
		if asked != "[] [3]" {
			t.Errorf("after it went back it was asked with the indexes %s, want none and then [3]", asked)
		}
		f.set(4, instances("10.0.0.4"))
		l.has("10.0.0.4:80")
		l.cancel()
	})
}

// TestServersThatDoNotHoldBack counts what is asked of servers that answer at once whatever the index is.
func TestServersThatDoNotHoldBack(t *testing.T) {
	for index, most := range map[uint64]int{0: 35, 7: 605} {
		synctest.Test(t, func(t *testing.T) {
			f, p := newFake(t, Config{})
			f.oddly(func(w http.ResponseWriter, _ *http.Request) { answer(w, index, instances("10.0.0.1")) })
			l := listen(t, p, "orders")
			l.has("10.0.0.1:80")
			time.Sleep(10 * time.Minute)
			if n := f.count(); n > most {
				t.Errorf("index %d: %d questions in 10 minutes, want %d at most", index, n, most)
			}
			l.cancel()
		})
	}
}

// TestOneQuestionForAll checks that clients share a question, that idle ones cost a question a minute, and that a service
// that changes all the time is read ten times a second at most.
func TestOneQuestionForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{})
		all := make([]*listener, 100)
		for i := range all {
			all[i] = listen(t, p, "orders")
		}
		for _, l := range all {
			l.has("10.0.0.1:80")
		}
		time.Sleep(time.Second)
		if n := f.count(); n != 2 {
			t.Errorf("%d questions for 100 watches, want the first and one that is held", n)
		}
		time.Sleep(10 * time.Minute)
		if n := f.count(); n > 12 {
			t.Errorf("%d questions in 10 idle minutes", n)
		}
		before, start := f.count(), time.Now()
		for i := range 1000 {
			f.set(uint64(100+i), instances("10.0.0.1", fmt.Sprintf("10.0.1.%d", i%250)))
			time.Sleep(10 * time.Millisecond)
		}
		if n, limit := f.count()-before, int(time.Since(start)/minPause)+2; n > limit {
			t.Errorf("%d questions for 1000 changes in %v, want %d at most", n, time.Since(start), limit)
		}
		for _, l := range all {
			l.has("10.0.0.1:80", "10.0.1.249:80")
			l.cancel()
		}
	})
}

// TestDifferences checks that one change among many is told as one.
func TestDifferences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{})
		f.set(7, instances("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"))
		l := listen(t, p, "orders")
		l.has("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80")
		f.set(8, instances("10.0.0.1", "10.0.0.2", "10.0.0.4"))
		if u := l.next(); u.Kind != discovery.Diff || len(u.Removed) != 1 || len(u.Endpoints) != 0 {
			t.Errorf("one less is told as %+v", u)
		}
		f.set(9, instances("10.0.0.4", "10.0.0.2", "10.0.0.1")) // the order is not news
		f.set(10, instances())
		if u := l.next(); u.Kind != discovery.Absent {
			t.Errorf("none any more is told as %+v", u)
		}
		l.cancel()
	})
}

// TestClose checks that watches end with the Plane.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := newFake(t, Config{})
		l, odd := listen(t, p, "orders"), listen(t, p, "a/b")
		l.has("10.0.0.1:80")
		if u := odd.next(); u.Kind != discovery.Absent {
			t.Errorf("a name that nobody can have is told as %+v", u)
		}
		p.Close()
		for _, l := range []*listener{l, odd, listen(t, p, "late")} {
			if err := <-l.result; err != ErrClosed {
				t.Errorf("Watch returned %v", err)
			}
		}
	})
}
