//go:build unix

package consul

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

var figures = flag.Bool("figures", false, "measure what Consul costs, which takes minutes, and print it")

// TestFigures measures against a real server. It judges only what no busy machine can spoil: that no call failed, and what
// was asked. `make bench-consul` runs it.
func TestFigures(t *testing.T) {
	if !*figures {
		t.Skip("make bench-consul runs it")
	}
	t.Run("change", figureChange)
	t.Run("hundred clients", figureClients)
	t.Run("large service", figureLarge)
}

func figuref(name, format string, args ...any) {
	fmt.Printf("%-58s %s\n", name, fmt.Sprintf(format, args...))
}

// figureChange registers an instance and takes it away again, under load: how long until the first call comes, and until
// the last one has.
func figureChange(t *testing.T) {
	server := consultest.Start(t, consultest.Config{})
	home, p := newPlane(t, Config{Address: server.Addr()}), newPlane(t, Config{Address: server.Addr()})
	staff(t, home)
	passing(server, 2)
	s := openShop(t, p)
	s.load(http.MethodGet, http.MethodGet, http.MethodGet, http.MethodGet)
	w := listen(t, p, "orders")
	w.sees(2)
	var come, gone []time.Duration
	for range 25 {
		var mu sync.Mutex
		var last time.Time
		first := make(chan time.Time, 1)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			now := time.Now()
			mu.Lock()
			last = now
			mu.Unlock()
			select {
			case first <- now:
			default:
			}
			io.WriteString(w, "ok")
		}))
		began := time.Now()
		l := register(t, home, discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: srv.Listener.Addr().String()}})
		come = append(come, (<-first).Sub(began))
		w.sees(3)
		s.more(100)
		began = time.Now()
		leave(t, l)
		w.sees(2)
		s.more(100)
		mu.Lock()
		gone = append(gone, max(0, last.Sub(began)))
		mu.Unlock()
		srv.Close()
	}
	s.close()
	figuref("register, until the first call (25): median, p99", "%v  %v", round(quantile(come, 0.5)), round(quantile(come, 0.99)))
	figuref("deregister, until the last call (25): median, p99", "%v  %v", round(quantile(gone, 0.5)), round(quantile(gone, 0.99)))
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// figureClients has 100 clients, which share a Plane, learn of three services.
func figureClients(t *testing.T) {
	server := consultest.Start(t, consultest.Config{})
	door := newTamper(t, server.Addr())
	home, p := newPlane(t, Config{Address: server.Addr()}), newPlane(t, Config{Address: door.addr()})
	services := []string{"a", "b", "c"}
	for _, name := range services {
		register(t, home, discovery.Registration{Service: name, Endpoint: discovery.Endpoint{Addr: "127.0.0.1:9"}})
	}
	began := time.Now()
	for range 100 {
		c, err := client.New(client.Config{Discovery: p})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Ready(t.Context(), services...); err != nil {
			t.Fatal(err)
		}
	}
	end := time.NewTimer(2 * time.Second)
	<-end.C
	n := len(door.questions(began))
	if n > 2*len(services) {
		t.Errorf("%d questions", n)
	}
	figuref("100 clients of 3 services, questions (first, and held)", "%d", n)
}

// figureLarge has a service of 5,000 instances, of which 50 change a second.
func figureLarge(t *testing.T) {
	const instances, perSecond, idle, window = 5000, 50, time.Minute, 20 * time.Second
	server := consultest.Start(t, consultest.Config{Durable: true})
	door := newTamper(t, server.Addr())
	_, err := server.Client().Catalog().Register(&api.CatalogRegistration{Node: externalNode, Address: "10.8.0.1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := &crowd{api: server.Client(), t: t}
	all.add(instances)
	if err := all.flush(); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	defer web.Close()

	c := startClient(t, door.addr(), web.Listener.Addr().String(), "crowd")
	c.over(5 * time.Second)
	began := time.Now()
	u := c.over(idle)
	figuref("idle for a minute: CPU, questions", "%s  %d", u.share(idle), len(door.questions(began)))
	began = time.Now()
	stop := all.churn(perSecond)
	u = c.over(window)
	n, took := stop(), time.Since(began).Seconds()
	figuref("changing, no calls: CPU, changes and answers a second", "%s  %.0f  %.1f", u.share(window), float64(n)/took,
		float64(len(door.questions(began)))/took)
	c.say("call")
	c.over(5 * time.Second) // connections
	report := func(name string, u usage) {
		figuref(name, "%v  %v  %v  %d  %s", round(u.P50), round(u.P99), round(u.Max), u.Failed, u.share(window))
		if u.Failed > 0 {
			t.Errorf("%d calls failed", u.Failed)
		}
	}
	report("100 calls/s, none changes: p50, p99, most, failed, CPU", c.over(window))
	stop = all.churn(perSecond)
	u = c.over(window)
	stop()
	report("100 calls/s, changing", u)
	figuref("memory of that process at most", "%d MiB", u.RSS>>20)
	c.end()

	// The same load of the machine, of a client that does not hear of it; and how soon who watches does.
	c = startClient(t, fmt.Sprint(instances), web.Listener.Addr().String(), "crowd")
	c.say("call")
	c.over(5 * time.Second)
	heard := hear(t, newPlane(t, Config{Address: server.Addr()}), all)
	stop = all.churn(perSecond)
	u = c.over(window)
	stop()
	report("100 calls/s, another process hears of the changes", u)
	late := heard()
	figuref("changing, from the write to the news: median, p99, most", "%v  %v  %v  (%d)", round(quantile(late, 0.5)),
		round(quantile(late, 0.99)), round(quantile(late, 1)), len(late))
}

// hear notes how long it takes from when an instance of the crowd is written to when a Watch tells of it.
func hear(t *testing.T, p *Plane, c *crowd) func() []time.Duration {
	t.Helper()
	var mu sync.Mutex
	written, told := make(map[string]time.Time), make(map[string]time.Time)
	c.added = func(addr string) {
		mu.Lock()
		defer mu.Unlock()
		written[addr] = time.Now()
	}
	known := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- p.Watch(ctx, "crowd", func(u discovery.Update) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range u.Endpoints {
				addr, _, _ := strings.Cut(e.Addr, ":")
				if _, again := told[addr]; !again {
					told[addr] = time.Now()
				}
			}
			select {
			case known <- struct{}{}:
			default:
			}
		})
	}()
	<-known
	return func() []time.Duration {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		c.added = nil
		var late []time.Duration
		for addr, at := range written {
			if heard, ok := told[addr]; ok {
				late = append(late, max(0, heard.Sub(at)))
			}
		}
		return late
	}
}

// crowd is a service of many instances, on a node that no agent looks after.
type crowd struct {
	t     *testing.T
	api   *api.Client
	first int // the oldest instance
	next  int
	ops   api.TxnOps
	added func(addr string) // hears of each that churn has registered
}

func crowdAddress(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255) }

func (c *crowd) instance(n int) api.AgentService {
	return api.AgentService{ID: fmt.Sprint("crowd-", n), Service: "crowd", Address: crowdAddress(n),
		Port: 8080, Tags: []string{"canary"}, Meta: map[string]string{"version": "v1"}, Weights: api.AgentWeights{Passing: 1, Warning: 1}}
}

// add registers n more, each with a check, as Registrar does.
func (c *crowd) add(n int) {
	for range n {
		in := c.instance(c.next)
		c.ops = append(c.ops, &api.TxnOp{Service: &api.ServiceTxnOp{Verb: api.ServiceSet, Node: externalNode, Service: in}},
			&api.TxnOp{Check: &api.CheckTxnOp{Verb: api.CheckSet, Check: api.HealthCheck{Node: externalNode, CheckID: "service:" + in.ID + ":1",
				Name: "ttl", Type: "ttl", ServiceID: in.ID, ServiceName: in.Service, ServiceTags: in.Tags, Status: api.HealthPassing, Output: "ready"}}})
		c.next++
	}
}

// remove takes the oldest away.
func (c *crowd) remove() {
	c.ops = append(c.ops, &api.TxnOp{Service: &api.ServiceTxnOp{Verb: api.ServiceDelete, Node: externalNode, Service: c.instance(c.first)}})
	c.first++
}

// flush writes what is to be written.
func (c *crowd) flush() error {
	const most = 128 // that Consul takes at a time
	for ops := range slices.Chunk(c.ops, most) {
		if ok, resp, _, err := c.api.Txn().Txn(ops, nil); err != nil || !ok {
			return fmt.Errorf("write to the catalog: %w %+v", err, resp)
		}
	}
	c.ops = nil
	return nil
}

// churn makes so many changes a second, an instance that comes and one that goes at a time, until the function that it
// returns is called, which says how many there were.
func (c *crowd) churn(perSecond int) func() int {
	end, made := make(chan struct{}), make(chan int)
	go func() {
		tick := time.NewTicker(2 * time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for n := 0; ; n += 2 {
			select {
			case <-end:
				made <- n
				return
			case <-tick.C:
			}
			c.add(1)
			c.remove()
			if err := c.flush(); err != nil {
				c.t.Error(err)
			}
			if c.added != nil {
				c.added(crowdAddress(c.next - 1))
			}
		}
	}()
	return func() int { close(end); return <-made }
}
