package memnet_test

import (
	"context"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/memnet"
)

func TestRefuse(t *testing.T) {
	var n memnet.Network
	client, server := connect(t, &n)
	n.Refuse(addr)
	_, err := n.DialContext(t.Context(), "tcp", addr)
	wantError(t, err, syscall.ECONNREFUSED)
	send(t, client, "still here")
	if got := read(t, server); got != "still here" {
		t.Errorf("read %q", got)
	}
	n.Restore(addr)
	dial(t, &n).Close()
}

func TestBlackHoleDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n memnet.Network
		connect(t, &n)
		n.BlackHole(addr)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		_, err := n.DialContext(ctx, "tcp", addr)
		wantError(t, err, context.DeadlineExceeded)
		if d := time.Since(start); d != 7*time.Second {
			t.Errorf("hung for %v", d)
		}
		time.AfterFunc(time.Second, func() { n.Restore(addr) })
		dial(t, &n).Close()
		if d := time.Since(start); d != 8*time.Second {
			t.Errorf("connected after %v", d)
		}
	})
}

func TestBlackHoleStallsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n memnet.Network
		client, server := connect(t, &n)
		n.BlackHole(addr)
		send(t, client, "ping")
		client.Close()
		if err := writeError(server); err != nil {
			t.Errorf("the server learned that its peer has gone: %v", err)
		}
		server.SetReadDeadline(time.Now().Add(time.Minute))
		if err := readError(server); err == nil || err == io.EOF {
			t.Errorf("something arrived: %v", err)
		}
		server.SetReadDeadline(time.Time{})
		n.Restore(addr)
		if got := read(t, server); got != "ping" {
			t.Errorf("read %q", got)
		}
		if err := readError(server); err != io.EOF {
			t.Errorf("then %v", err)
		}
		wantError(t, writeError(server), syscall.EPIPE)
	})
}

func TestCut(t *testing.T) {
	for _, stalled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var n memnet.Network
			client, server := connect(t, &n)
			if stalled {
				n.BlackHole(addr)
			}
			failed := make(chan error)
			go func() { failed <- readError(client) }()
			synctest.Wait()
			if got := n.Cut(addr); got != 1 {
				t.Errorf("cut %d", got)
			}
			wantError(t, <-failed, syscall.ECONNRESET)
			wantError(t, writeError(server), syscall.ECONNRESET)
			if n.Cut(addr) != 0 {
				t.Error("cut it twice")
			}
		})
	}
}

func TestConns(t *testing.T) {
	var n memnet.Network
	client, server := connect(t, &n)
	for _, c := range []struct {
		close func() error
		want  int
	}{{func() error { return nil }, 1}, {client.Close, 1}, {server.Close, 0}} {
		c.close()
		if got := n.Conns(addr); got != c.want {
			t.Errorf("%d connections, want %d", got, c.want)
		}
	}
}
