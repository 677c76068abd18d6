package consul

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

// TestEmptyAnswers tells what is Consul's word from what an agent says that knows no better.
func TestEmptyAnswers(t *testing.T) {
	for _, c := range []struct {
		name     string
		index    uint64
		header   string
		believed bool
	}{
		{name: "a server", index: 9, believed: true},
		{name: "a server, an index of before", index: 3, believed: true},
		{name: "a server, nothing has changed", index: 7},
		{name: "a server without leader", index: 9, header: "blocking-query"},
		{name: "a server that has not read its log", index: 1},
		{name: "an agent that streams", index: 9, header: "streaming", believed: true},
		{name: "an agent that streams and has heard nothing", index: 1, header: "streaming"},
		{name: "an agent that streams, nothing has changed", index: 7, header: "streaming"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, p := newFake(t, Config{})
				w := listen(t, p, "orders")
				w.has("10.0.0.1:80")
				f.oddly(func(out http.ResponseWriter, _ *http.Request) {
					if c.header != "" {
						out.Header().Set("X-Consul-Query-Backend", c.header)
						out.Header().Set("X-Consul-LastContact", "0")
						out.Header().Set("X-Consul-Index", strconv.FormatUint(c.index, 10))
						fmt.Fprint(out, "[]")
						return
					}
					answer(out, c.index, "[]")
				})
				if u := w.next(); (u.Kind == discovery.Absent) != c.believed || !c.believed && (u.Kind != discovery.Failed || len(w.set) != 1) {
					t.Errorf("%+v, want it believed: %t", u, c.believed)
				}
				w.cancel()
			})
		})
	}
}

// TestServersAreAway asks an agent whose servers are gone, each way that there is.
func TestServersAreAway(t *testing.T) {
	server := consultest.Start(t, consultest.Config{Durable: true})
	agent := consultest.Start(t, consultest.Config{Join: []*consultest.Server{server}, Extra: hasty})
	add(t, agent, api.AgentServiceRegistration{Name: "orders", Address: "10.0.0.1", Port: 1})
	all := map[string]*listener{}
	for name, cfg := range map[string]Config{"plain": {}, "stale": {Stale: true}, "cached": {Cached: true}} {
		cfg.Address, cfg.Wait = agent.Addr(), 2*time.Second
		all[name] = listen(t, newPlane(t, cfg), "orders")
		all[name].has("10.0.0.1:1")
	}
	server.Kill()
	for name, w := range all {
		for range 2 {
			w.until(func(u discovery.Update) bool { return u.Kind == discovery.Failed || len(w.set) != 1 })
			if len(w.set) != 1 {
				t.Errorf("%s: there is %v", name, w.set)
			}
		}
	}
	// Nor does an agent know better that starts anew.
	agent.Kill()
	agent.Launch()
	for name, w := range all {
		for range 2 {
			w.until(func(u discovery.Update) bool { return u.Kind == discovery.Failed || len(w.set) != 1 })
			if len(w.set) != 1 {
				t.Errorf("%s, after a restart of the agent: there is %v", name, w.set)
			}
		}
	}
	server.Start()
	agent.WaitReady()
	add(t, agent, api.AgentServiceRegistration{ID: "second", Name: "orders", Address: "10.0.0.1", Port: 2})
	for _, w := range all {
		w.has("10.0.0.1:1", "10.0.0.1:2")
		w.cancel()
	}
}
