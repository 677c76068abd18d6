package client_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// zones are four endpoints of orders in the own zone and two in another; those that are down answer 503.
func zones(t *testing.T, l traffic.Locality, down *map[string]bool) *mesh {
	t.Helper()
	m := &mesh{t: t}
	var eps []discovery.Endpoint
	for _, e := range []struct{ addr, zone string }{{"a:80", "here"}, {"b:80", "here"}, {"c:80", "here"}, {"d:80", "here"}, {"e:80", "there"}, {"f:80", "there"}} {
		m.serve(e.addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if (*down)[e.addr] {
				w.WriteHeader(503)
				return
			}
			says(e.zone)(w, r)
		}))
		eps = append(eps, discovery.Endpoint{Addr: e.addr, Region: "north", Zone: e.zone})
	}
	m.c = newClient(t, client.Config{
		Discovery: discovery.Static{"orders": eps}, Dial: m.dial,
		Local: traffic.Local{Region: "north", Zone: "here"},
		Resilience: resilience.Config{Default: resilience.Policy{
			Retry: &resilience.Retry{Retries: 5}, Outlier: &resilience.Outlier{Consecutive5xx: 1, MaxPercent: 100},
		}},
		Traffic: traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{Locality: &l}}}},
	})
	m.rt = m.c.Transport(nil)
	return m
}

// share is the percentage of 400 calls that go to the other zone.
func (m *mesh) share() int {
	there := 0
	for range 400 {
		if m.ask("http://orders/")[:5] == "there" {
			there++
		}
	}
	return there / 4
}

// With three of four near endpoints well, 1.4 x 75 % is enough; with two of four 70 % of the calls stay; with none none do.
// The shares are Envoy's (priority levels, overprovisioning factor 1.4); 400 calls, +-8 percent points, which is over three
// standard deviations.
func TestLocalityFailover(t *testing.T) {
	down := map[string]bool{}
	m := zones(t, traffic.Locality{}, &down)
	for _, step := range []struct {
		down []string
		want int
	}{{nil, 0}, {[]string{"a:80"}, 0}, {[]string{"b:80"}, 30}, {[]string{"c:80", "d:80"}, 100}} {
		for _, addr := range step.down {
			down[addr] = true
		}
		m.share() // ejects them
		if got := m.share(); got < step.want-8 || got > step.want+8 {
			t.Errorf("with %v down too, %d %% of the calls left the zone, want %d", step.down, got, step.want)
		}
	}
}

// A zone that was down altogether gets no calls, and is found to be well again all the same when its ejections are over.
func TestLocalityRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := map[string]bool{"a:80": true, "b:80": true, "c:80": true, "d:80": true}
		m := zones(t, traffic.Locality{}, &down)
		for range 2 {
			m.share() // ejects them, or finds by probes that nothing has changed
			if got := m.share(); got != 100 {
				t.Errorf("%d %% of the calls left a zone that is down", got)
			}
			time.Sleep(100 * time.Second) // longer than the second ejection
		}
		clear(down)
		m.share() // probes them
		if got := m.share(); got != 0 {
			t.Errorf("%d %% of the calls left a zone that is well again", got)
		}
	})
}

func TestLocalityDistribute(t *testing.T) {
	down := map[string]bool{}
	m := zones(t, traffic.Locality{Distribute: []traffic.Distribute{
		{From: "north/here", To: map[string]uint32{"north/here": 80, "north/there": 20}},
	}}, &down)
	if got := m.share(); got < 12 || got > 28 {
		t.Errorf("%d %% of the calls left the zone, want 20", got)
	}
}

func TestLocalityNowhere(t *testing.T) {
	down := map[string]bool{}
	m := zones(t, traffic.Locality{Distribute: []traffic.Distribute{
		{From: "north", To: map[string]uint32{"south": 100}},
	}}, &down)
	_, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil)) //nolint:bodyclose // there is none
	if !errors.Is(err, discovery.ErrNoEndpoint) {
		t.Errorf("got %v", err)
	}
}
