package consul

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// addrs are the addresses of what a listener knows, once there is no more news.
func (l *listener) addrs() string {
	l.t.Helper()
	synctest.Wait()
	for {
		select {
		case u := <-l.news:
			l.set, l.err = u.Apply(l.set), u.Err
			l.absent = u.Kind == discovery.Absent
		default:
			var all []string
			for _, e := range l.set {
				all = append(all, strings.TrimSuffix(strings.TrimPrefix(e.Addr, "10.0.0."), ":80"))
			}
			return strings.Join(all, " ")
		}
	}
}

// outage has Consul fail until the follower has noticed.
func outage(f *fake, l *listener) {
	f.oddly(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "No cluster leader", 500) })
	l.fails("No cluster leader")
	time.Sleep(time.Minute)
	f.oddly(nil)
}

// sick are instances whose checks fail.
func sick(body, check string) string {
	return strings.ReplaceAll(body, `"Checks": []`, `"Checks": [{"CheckID": "`+check+`", "Status": "critical"}]`)
}

// TestRegistryThatForgot goes through a Consul that comes back without what it knew: instances are kept while they register
// again, and no longer. What it says of those that it lists is believed.
func TestRegistryThatForgot(t *testing.T) {
	const three = "10.0.0.1 10.0.0.2 10.0.0.3"
	all := strings.Fields(three)
	for _, c := range []struct {
		name, after      string // what it says when it is back
		during, expected string // what is called then, and after half a minute
		then             string // what it says after that
	}{
		{name: "nothing", after: "[]", during: "1 2 3", expected: ""},
		{name: "one", after: instances("10.0.0.2"), during: "1 2 3", expected: "2"},
		{name: "one and another", after: instances("10.0.0.2", "10.0.0.4"), during: "1 2 3 4", expected: "2 4"},
		{name: "unchecked", after: sick(instances(all...), "c"), during: "1 2 3", expected: ""},
		{name: "maintenance", after: sick(instances(all...), "_service_maintenance:x"), during: "", expected: ""},
		{name: "all, and then one leaves", after: instances(all...), then: instances(all[:2]...), during: "1 2 3", expected: "1 2"},
		{name: "all, and then unchecked", after: instances(all...), then: sick(instances(all...), "c"), during: "1 2 3", expected: ""},
		{name: "all, and then maintenance", after: instances(all...), then: sick(instances(all[0]), "_service_maintenance:x"), during: "2 3", expected: ""},
		{name: "nothing, and then all", after: "[]", then: instances(all...), during: "1 2 3", expected: "1 2 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out logs
				f, p := newFake(t, Config{Logger: out.logger()})
				f.set(7, instances(all...))
				l := listen(t, p, "orders")
				l.has("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
				f.set(3, c.after)
				outage(f, l)
				for !strings.Contains(out.String(), "answers again") {
					time.Sleep(100 * time.Millisecond)
				}
				if c.then != "" {
					f.set(4, c.then)
				}
				time.Sleep(5 * time.Second)
				if got := l.addrs(); got != c.during {
					t.Errorf("after it came back: %q, want %q", got, c.during)
				}
				time.Sleep(recovery + time.Second)
				if got := l.addrs(); got != c.expected {
					t.Errorf("later: %q, want %q", got, c.expected)
				}
				if want := c.expected == "" && c.after == "[]"; l.absent != want {
					t.Errorf("absent: %t, want %t", l.absent, want)
				}
				l.cancel()
			})
		})
	}
}

// TestIndexOfBefore has a Consul that was restored from a copy, and was never seen to be away, know of less than before.
func TestIndexOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{})
		f.set(7, instances("10.0.0.1", "10.0.0.2"))
		l := listen(t, p, "orders")
		l.has("10.0.0.1:80", "10.0.0.2:80")
		f.set(3, instances("10.0.0.2"))
		time.Sleep(recovery - 5*time.Second)
		if got := l.addrs(); got != "1 2" {
			t.Errorf("after it went back: %q", got)
		}
		time.Sleep(10 * time.Second)
		if got := l.addrs(); got != "2" {
			t.Errorf("later: %q", got)
		}
		l.cancel()
	})
}

// TestSecondOutage checks that the back-off begins anew after an answer.
func TestSecondOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{})
		l := listen(t, p, "orders")
		l.has("10.0.0.1:80")
		for range 2 {
			outage(f, l)
			time.Sleep(time.Minute)
			before := f.count()
			f.oddly(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "No cluster leader", 500) })
			time.Sleep(5 * time.Second)
			if n := f.count() - before; n != 2 && n != 3 { // after 1 s and 1.6 s more, 20 % to either side, and 2.6 s
				t.Errorf("%d questions in the first 5 s of an outage", n)
			}
			f.oddly(nil)
			time.Sleep(time.Minute)
		}
		l.cancel()
	})
}

// TestEmptyIsBelieved checks that a Consul that was there all the time is believed at once.
func TestEmptyIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{})
		l := listen(t, p, "orders")
		l.has("10.0.0.1:80")
		f.set(8, sick(instances("10.0.0.1"), "c"))
		time.Sleep(time.Second)
		if got := l.addrs(); got != "" || l.absent {
			t.Errorf("the only instance is down: %q, absent %t", got, l.absent)
		}
		f.set(9, "[]")
		time.Sleep(time.Second)
		if l.addrs(); !l.absent {
			t.Error("there is none any more, and the service is not absent")
		}
		l.cancel()
	})
}

// filtered answers as Consul does to a token that may not see everything.
func filtered(index uint64, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("index") != "" {
			unchanged := time.NewTimer(5 * time.Second)
			defer unchanged.Stop()
			select {
			case <-unchanged.C:
			case <-r.Context().Done():
				return
			}
		}
		w.Header().Set("X-Consul-Results-Filtered-By-ACLs", "true")
		answer(w, index, body)
	}
}

// TestTokenSeesLess takes from a token the right to see some of the instances: they are kept for as long as nobody says how
// they are, and what it still sees is believed.
func TestTokenSeesLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logs
		f, p := newFake(t, Config{Token: "t", Logger: out.logger()})
		f.set(7, instances("10.0.0.1", "10.0.0.2", "10.0.0.3"))
		l := listen(t, p, "orders")
		l.has("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
		for _, c := range []struct{ says, want string }{
			{instances("10.0.0.1"), "1 2 3"},
			{instances("10.0.0.1", "10.0.0.4"), "1 2 3 4"},
			{instances("10.0.0.1"), "1 2 3"}, // 4 was never more than the token could see
			{sick(instances("10.0.0.2"), "c"), "3"},
			{"[]", "3"},
		} {
			f.oddly(filtered(8, c.says))
			time.Sleep(10 * time.Minute)
			if got := l.addrs(); got != c.want {
				t.Errorf("a token that sees %s: %q, want %q", c.says, got, c.want)
			}
			if l.err == nil || !strings.Contains(l.err.Error(), `node_prefix "" { policy = "read" }`) {
				t.Errorf("who watches hears %v, and not which right is missing", l.err)
			}
		}
		if n := strings.Count(out.String(), "may not read"); n != 1 {
			t.Errorf("the missing right was logged %d times: %s", n, out.String())
		}
		f.oddly(nil)
		f.set(9, instances("10.0.0.5"))
		time.Sleep(time.Minute + recovery)
		if got := l.addrs(); got != "5" || l.err != nil {
			t.Errorf("with all rights: %q, %v", got, l.err)
		}
		l.cancel()
	})
}

// TestTokenOfFewRights checks that a token that never saw everything works with what it sees, and that this is logged.
func TestTokenOfFewRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logs
		f, p := newFake(t, Config{Token: "t", Logger: out.logger()})
		f.oddly(filtered(8, instances("10.0.0.1", "10.0.0.2")))
		l := listen(t, p, "orders")
		l.has("10.0.0.1:80", "10.0.0.2:80")
		f.oddly(filtered(9, instances("10.0.0.2")))
		time.Sleep(10 * time.Second)
		if got := l.addrs(); got != "2" || l.err != nil {
			t.Errorf("%q, %v", got, l.err)
		}
		if n := strings.Count(out.String(), "not all instances are shown"); n != 1 {
			t.Errorf("logged %d times: %s", n, out.String())
		}
		l.cancel()
	})
}

// TestSubscribedAgent asks an agent that is subscribed to changes and says nothing of what it leaves out: where half of the
// instances go at once, or all, the servers are asked.
func TestSubscribedAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{Token: "t"})
		f.set(7, instances("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"))
		l := listen(t, p, "orders")
		l.has("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80")
		seen, all := "[]", filtered(8, "[]")
		agent := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Consul-Default-Acl-Policy", "deny")
			if r.URL.Query().Get("index") == "" {
				all(w, r)
				return
			}
			w.Header().Set("X-Consul-Query-Backend", "streaming")
			answer(w, 9, seen)
		}
		f.oddly(agent)
		time.Sleep(time.Minute)
		if got := l.addrs(); got != "1 2 3 4" || l.err == nil {
			t.Errorf("a token without rights: %q, %v", got, l.err)
		}
		seen, all = instances("10.0.0.1", "10.0.0.2"), filtered(8, instances("10.0.0.1", "10.0.0.2"))
		f.oddly(agent)
		time.Sleep(time.Minute)
		if got := l.addrs(); got != "1 2 3 4" || l.err == nil {
			t.Errorf("a token with fewer rights: %q, %v", got, l.err)
		}
		all = func(w http.ResponseWriter, _ *http.Request) { answer(w, 9, seen) }
		f.oddly(agent)
		time.Sleep(time.Minute + recovery)
		if got := l.addrs(); got != "1 2" || l.err != nil {
			t.Errorf("a token that sees all there is: %q, %v", got, l.err)
		}
		l.cancel()
	})
}
