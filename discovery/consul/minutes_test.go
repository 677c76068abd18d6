package consul

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/resilience"
)

// TestMinutesWithoutConsul takes Consul away for ten minutes of constant load: no call fails, and Consul is asked by the law
// of the back-off, 1 s x1.6 up to 30 s, 20 % to either side, which are 25 questions or so.
func TestMinutesWithoutConsul(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{})
		network := new(memnet.Network)
		l, err := network.Listen("10.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })}
		go srv.Serve(l)
		c, err := client.New(client.Config{
			Discovery: p, Resilience: resilience.Config{Default: resilience.Standard()},
			Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
				return network.DialContext(ctx, "tcp", e.Addr)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		hc := &http.Client{Transport: c.Transport(nil)}
		calls := 0
		load := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				calls++
				resp, err := hc.Get("mesh://orders/")
				if err != nil {
					t.Fatalf("call %d: %v", calls, err)
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}
		load(time.Second)
		before := f.count()
		f.oddly(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "rpc error: No cluster leader", 500) })
		load(10 * time.Minute)
		f.mu.Lock()
		asked := f.asked[before:]
		f.mu.Unlock()
		if len(asked) < 20 || len(asked) > 30 {
			t.Errorf("%d questions in 10 minutes", len(asked))
		}
		for i := 1; i < len(asked); i++ {
			law := min(math.Pow(1.6, float64(i)), 30)
			if gap := asked[i].Sub(asked[i-1]).Seconds(); gap < 0.79*law || gap > 1.21*law {
				t.Errorf("question %d came %.1f s after the one before, want %.1f s, 20 %% to either side", i, gap, law)
			}
		}
		f.oddly(nil)
		load(2 * time.Minute)
		if n := f.count() - before - len(asked); n > 6 {
			t.Errorf("%d questions in the 2 minutes after it", n)
		}
		t.Logf("%d calls and none failed, %d questions while Consul was away", calls, len(asked))
		c.Close()
		hc.CloseIdleConnections()
		srv.Close()
	})
}

// TestHundredClients checks that clients which share a Plane ask one question a service.
func TestHundredClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFake(t, Config{})
		for range 100 {
			c, err := client.New(client.Config{Discovery: p})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Ready(t.Context(), "a", "b", "c"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if n := f.count(); n != 6 {
			t.Errorf("%d questions for 100 clients of 3 services, want the first and one that is held of each", n)
		}
		time.Sleep(10 * time.Minute)
		if n := f.count(); n > 6+3*11 {
			t.Errorf("%d questions after 10 idle minutes", n)
		}
	})
}
