package consul

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/consul/api"
)

// agentFake is as much of an agent as leases speak to, which hangs and forgets as it is told.
type agentFake struct {
	mu    sync.Mutex
	words []string          // what was said, but for TTL
	state map[string]string // by ID: passing, critical or maintenance
	odd   map[string]func(http.ResponseWriter, *http.Request) bool
	asked int
}

// newAgent runs one in a bubble, with a Plane that speaks to it.
func newAgent(t *testing.T, cfg Config) (*agentFake, *Plane) {
	f, p := newFake(t, cfg)
	a := &agentFake{state: make(map[string]string), odd: make(map[string]func(http.ResponseWriter, *http.Request) bool)}
	f.oddly(a.ServeHTTP)
	return a, p
}

// oddly has requests of a kind go through h first, which says whether to go on. Kind "" is all of them; h nil: no more.
func (a *agentFake) oddly(kind string, h func(http.ResponseWriter, *http.Request) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.odd[kind] = h
}

func (a *agentFake) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

func (a *agentFake) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.state)
}

// has checks what the agent knows of the instance; "": nothing.
func (a *agentFake) has(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := a.state["orders-10.0.0.7:80"]; got != want {
		t.Errorf("the agent has the instance as %q, want %q", got, want)
	}
}

// heard checks what was said to it since it was asked last.
func (a *agentFake) heard(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.words, want) {
		t.Errorf("the agent has heard %q, want %q", a.words, want)
	}
	a.words = nil
}

func (a *agentFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/agent/"), "/") // "service", "register"
	kind := path[1]
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.asked++
	if kind != "update" {
		a.words = append(a.words, kind)
	}
	all, odd := a.odd[""], a.odd[kind]
	a.mu.Unlock()
	for _, h := range []func(http.ResponseWriter, *http.Request) bool{all, odd} {
		if h != nil && !h(w, r) {
			return
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id := strings.TrimSuffix(strings.TrimPrefix(path[len(path)-1], "service:"), ":1")
	if kind == "register" {
		var s api.AgentServiceRegistration
		if err := json.Unmarshal(body, &s); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a.state[s.ID] = s.Checks[0].Status
		return
	}
	switch was := a.state[id]; {
	case was == "":
		http.Error(w, "unknown", http.StatusNotFound)
	case kind == "update" && was != "maintenance":
		var c struct{ Status string }
		_ = json.Unmarshal(body, &c)
		a.state[id] = c.Status
	case kind == "maintenance":
		a.state[id] = "maintenance"
	case kind == "deregister":
		delete(a.state, id)
	}
}

// hangs answers when the client has gone, or by go on when released.
func hangs(released <-chan struct{}) func(http.ResponseWriter, *http.Request) bool {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-released:
			return true
		case <-r.Context().Done():
			return false
		}
	}
}

func errs(w http.ResponseWriter, _ *http.Request) bool {
	http.Error(w, "out of order", http.StatusInternalServerError)
	return false
}
