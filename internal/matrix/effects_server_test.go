package matrix

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// TestDrainTimes shows how long a drain takes, without work and with work that does not end.
func TestDrainTimes(t *testing.T) {
	for _, c := range []struct {
		name       string
		cfg        server.Config
		idle, busy time.Duration
	}{
		{"nothing set", server.Config{}, 5 * time.Second, 35 * time.Second},
		{"DrainDelay", server.Config{DrainDelay: time.Second}, time.Second, 31 * time.Second},
		{"no DrainDelay", server.Config{DrainDelay: -1}, 0, 30 * time.Second},
		{"DrainTimeout", server.Config{DrainTimeout: time.Second}, 5 * time.Second, 6 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEachColumn(t, func(w *world) { w.drains(c.cfg, c.idle, false) }, h1, h2, overGRPC)
			onEachColumn(t, func(w *world) { w.drains(c.cfg, c.busy, true) }, h1, h2, overGRPC)
		})
	}
}

// drains measures a drain; a busy server has a call that nobody ends.
func (w *world) drains(cfg server.Config, want time.Duration, busy bool) {
	cfg.Logger = w.logger()
	s := w.newServer(cfg)
	w.peer(peerAddr, silent, attachedTo(s))
	over := make(chan struct{})
	if busy {
		c := w.plainCaller()
		go func() { defer close(over); w.column.call(marked(), c) }()
		synctest.Wait()
	} else {
		close(over)
	}
	began := time.Now()
	err := s.Drain(context.Background())
	// An idle HTTP server waits for a moment of calm, too.
	if took := time.Since(began); took < want || took > want+100*time.Millisecond {
		w.t.Errorf("busy %t: the drain took %v, want %v", busy, took, want)
	}
	if (err != nil) != busy {
		w.t.Errorf("busy %t: the drain ended with: %v", busy, err)
	}
	<-over
}

// serving is one way to give a gRPC server its options.
type serving struct {
	name    string
	options func(*server.Server) []grpc.ServerOption
	workers int  // goroutines that are kept for handlers
	pings   bool // clients may ping every ten seconds
}

var servings = []serving{
	{"plain", func(*server.Server) []grpc.ServerOption { return nil }, 0, false},
	{"Interceptors", servergrpc.Interceptors, 0, false},
	{"ServerOptions", servergrpc.ServerOptions, 64, true},
	{"Workers", transport(servergrpc.Transport{Workers: 3, PingTime: -1}), 3, false},
	{"PingTime", transport(servergrpc.Transport{Workers: -1, PingTime: 10 * time.Second}), 0, true},
	{"long PingTime", transport(servergrpc.Transport{Workers: -1, PingTime: time.Minute}), 0, false},
}

func transport(tr servergrpc.Transport) func(*server.Server) []grpc.ServerOption {
	return func(s *server.Server) []grpc.ServerOption { return append(servergrpc.Interceptors(s), tr.Options()...) }
}

// TestTransportOfServers shows each setting alone: the goroutines that are there before a call, and whether a client may
// ping as often as grpc lets it, also between calls.
func TestTransportOfServers(t *testing.T) {
	for _, sv := range servings {
		t.Run(sv.name, func(t *testing.T) {
			onEachColumn(t, func(w *world) {
				w.peer(peerAddr, answers, wrapping{grpc: sv.options(w.newServer(server.Config{}))})
				c := w.plainCaller(grpc.WithKeepaliveParams(keepalive.ClientParameters{
					Time: 10 * time.Second, PermitWithoutStream: true,
				}))
				synctest.Wait()
				if n := workers(); n != sv.workers {
					w.t.Errorf("%d goroutines wait for calls, want %d", n, sv.workers)
				}
				w.column.call(marked(), c)
				time.Sleep(10 * time.Minute) // the bubble's time
				if kept := w.net.Conns(peerAddr) == 1; kept != sv.pings {
					w.t.Errorf("the connection was kept: %t, want %t", kept, sv.pings)
				}
			}, overGRPC)
		})
	}
}

// workers counts the goroutines that grpc keeps for handlers.
func workers() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "(*Server).serverWorker(")
}

// TestAttachSetsWhatIsZero shows that what an http.Server has set already is left alone.
func TestAttachSetsWhatIsZero(t *testing.T) {
	s, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: time.Hour, IdleTimeout: time.Hour, MaxHeaderBytes: 1 << 10}
	s.Attach(srv)
	if srv.ReadHeaderTimeout != time.Hour || srv.IdleTimeout != time.Hour || srv.MaxHeaderBytes != 1<<10 {
		t.Errorf("Attach changed what was set: %+v", srv)
	}
	if srv.ReadTimeout != 0 || srv.WriteTimeout != 0 {
		t.Error("Attach set a time limit for bodies")
	}
}
