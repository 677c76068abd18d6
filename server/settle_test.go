package server

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/memnet"
)

// Connections that are in use when a drain without delay begins are left before they are closed.
func TestDrainWithoutDelayWaitsForCalm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network memnet.Network
		serve := func(name string) (*Server, func()) {
			s := mustNew(t, Config{DrainDelay: -1})
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Millisecond)
				w.Header().Set("Server", name)
				buf := make([]byte, 64)
				n, _ := r.Body.Read(buf)
				_, _ = w.Write(buf[:n])
			})}
			s.Attach(srv)
			l, err := network.Listen(name + ":80")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- srv.Serve(l) }()
			return s, func() {
				_ = s.Close()
				if err := <-served; err != http.ErrServerClosed {
					t.Error(err)
				}
			}
		}
		a, closeA := serve("a")
		defer closeA()
		_, closeB := serve("b")
		defer closeB()

		var wg sync.WaitGroup
		var stop atomic.Bool
		answers := [6]map[string]int{}
		for i := range answers {
			answers[i] = map[string]int{}
			random := rand.New(rand.NewPCG(1, uint64(i)))
			tr := &http.Transport{DialContext: func(ctx context.Context, proto, _ string) (net.Conn, error) {
				if a.Ready() {
					return network.DialContext(ctx, proto, "a:80")
				}
				return network.DialContext(ctx, proto, "b:80")
			}}
			wg.Go(func() {
				defer tr.CloseIdleConnections()
				for !stop.Load() {
					time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
					server, err := post(&http.Client{Transport: tr}, "http://a/", false)
					if err != nil {
						t.Errorf("lost: %v", err)
						return
					}
					answers[i][server]++
				}
			})
		}
		time.Sleep(time.Second)
		start := time.Now()
		if err := a.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < calm || took > maxWait {
			t.Errorf("the drain took %v", took)
		}
		time.Sleep(time.Second)
		stop.Store(true)
		wg.Wait()
		for i, n := range answers {
			if n["a"] == 0 || n["b"] == 0 {
				t.Errorf("client %d: %v", i, n)
			}
		}
	})
}

// Somebody who keeps on connecting does not stop a drain.
func TestSettleIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &http.Server{}
		a := watch(srv, func() bool { return true })
		var wg sync.WaitGroup
		defer wg.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		wg.Go(func() {
			for ctx.Err() == nil {
				srv.ConnState(nil, http.StateNew)
				time.Sleep(calm / 3)
			}
		})
		start := time.Now()
		a.settle(t.Context())
		if took := time.Since(start); took != maxWait {
			t.Errorf("took %v", took)
		}
	})
}

func TestWatchKeepsTheUsersHook(t *testing.T) {
	var seen []http.ConnState
	srv := &http.Server{ConnState: func(_ net.Conn, s http.ConnState) { seen = append(seen, s) }}
	mustNew(t, Config{}).Attach(srv)
	srv.ConnState(nil, http.StateIdle)
	if len(seen) != 1 || seen[0] != http.StateIdle {
		t.Errorf("%v", seen)
	}
}
