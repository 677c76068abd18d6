package clientgrpc_test

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// load calls from many goroutines, unary and streams, none of which may be executed twice, until stop is closed. It
// gives the number of calls; each that fails fails the test.
func load(t *testing.T, cc *grpc.ClientConn, stop <-chan struct{}) (calls func() int64, wait func()) {
	var n atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var err error
				if i == 0 {
					_, err = run(t.Context(), cc, push)
				} else {
					_, err = invoke(t.Context(), cc, put)
				}
				if err != nil && err != io.EOF {
					t.Errorf("call %d: %v", n.Load(), err)
					return
				}
				n.Add(1)
			}
		})
	}
	return n.Load, wg.Wait
}

// Three servers are restarted in turn, five times, under load, without the registry saying a word.
func TestRollingRestart(t *testing.T) {
	w := newWorld(t, standard(), "a:1", "b:1", "c:1")
	servers := map[string]*grpc.Server{}
	for _, a := range []string{"a:1", "b:1", "c:1"} {
		servers[a] = w.serve(a, echo(a).server())
	}
	cc := w.conn()
	over := make(chan struct{})
	calls, wait := load(t, cc, over)
	for range 5 {
		for a := range servers {
			at := calls()
			servers[a].GracefulStop()
			w.free(a)
			servers[a] = w.serve(a, echo(a).server())
			eventually(t, "calls go on", func() bool { return calls() > at+500 || t.Failed() })
		}
	}
	close(over)
	wait()
	w.settled()
	t.Logf("%d calls", calls())
}

// The drain of the server package beside the client: nothing is lost there either.
func TestDrainUnderLoad(t *testing.T) {
	w := newWorld(t, standard(), "a:1", "b:1")
	start := func(addr string) *server.Server {
		s, err := server.New(server.Config{DrainDelay: -1, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		gs := echo(addr).server(servergrpc.ServerOptions(s)...)
		servergrpc.Attach(s, gs)
		w.serve(addr, gs)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	servers := []*server.Server{start("a:1"), start("b:1")}
	cc := w.conn()
	over := make(chan struct{})
	calls, wait := load(t, cc, over)
	for i := range 6 {
		addr := []string{"a:1", "b:1"}[i%2]
		at := calls()
		if err := servers[i%2].Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.free(addr)
		servers[i%2] = start(addr)
		eventually(t, "calls go on", func() bool { return calls() > at+500 || t.Failed() })
	}
	close(over)
	wait()
	w.settled()
}

// A stream that is open when its server drains goes on to its end, and new ones go elsewhere.
func TestAStreamAcrossADrain(t *testing.T) {
	w := newWorld(t, client.Config{}, "a:1")
	gs := w.serve("a:1", echo("a").server())
	cc := w.conn()
	st, err := cc.NewStream(t.Context(), duplex, push)
	if err != nil {
		t.Fatal(err)
	}
	exchange := func() error {
		return errors.Join(st.SendMsg(new(testpb.SimpleRequest)), st.RecvMsg(new(testpb.SimpleResponse)))
	}
	if err := exchange(); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() { defer close(stopped); gs.GracefulStop() }()
	w.source.push(set("a:1", "b:1"))
	w.serve("b:1", echo("b").server())
	eventually(t, "new calls go to the other", func() bool { server, err := invoke(t.Context(), cc, put); return err == nil && server == "b" })
	for range 10 {
		if err := exchange(); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(st.CloseSend(), wantEOF(st)); err != nil {
		t.Fatal(err)
	}
	<-stopped
	w.settled()
}
