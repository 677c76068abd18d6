package ca_test

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

// While certificates and roots are replaced all the time, no handshake fails: not one of a listener and configs that were
// made once.
func TestHandshakesDuringRotation(t *testing.T) {
	const rounds, workers = 30, 4
	c := newCA(t, ca.Config{})
	web, orders := identity(t, c, "/web"), identity(t, c, "/orders")
	expected, err := security.Expect("spiffe://shop/orders")
	if err != nil {
		t.Fatal(err)
	}
	var network memnet.Network
	l, err := network.Listen("orders:1")
	if err != nil {
		t.Fatal(err)
	}
	refused := func(e *security.HandshakeError) { t.Error(e) }
	server, client := security.ServerTLS(orders, refused), security.ClientTLS(web, expected, refused)
	var serving, calling sync.WaitGroup
	serving.Go(func() { echo(l, server, &serving) })

	var made atomic.Int64
	var turns [workers]atomic.Int64 // handshakes that each worker has finished
	var stop atomic.Bool
	turned := make(chan struct{}, 1)
	for i := range workers {
		calling.Go(func() {
			for !stop.Load() {
				conn, err := network.DialContext(t.Context(), "tcp", "orders:1")
				if err != nil {
					t.Error(err)
					return
				}
				if err := exchange(tls.Client(conn, client)); err != nil {
					t.Error(err)
				}
				made.Add(1)
				turns[i].Add(1)
				select {
				case turned <- struct{}{}:
				default:
				}
			}
		})
	}
	// Every handshake that had begun before has ended when each worker has finished two more.
	settled := func() {
		var from [workers]int64
		for i := range from {
			from[i] = turns[i].Load()
		}
		for i := range from {
			for turns[i].Load() < from[i]+2 {
				<-turned
			}
		}
	}
	for range rounds {
		for _, step := range []func() error{web.Renew, orders.Renew, c.AddRoot, orders.Renew, c.UseRoot, web.Renew} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		settled()
		if err := c.DropRoots(); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	calling.Wait()
	_ = l.Close()
	serving.Wait()
	if made.Load() < rounds*workers {
		t.Errorf("only %d handshakes", made.Load())
	}
	t.Logf("%d handshakes", made.Load())
}

// echo serves until the listener is closed.
func echo(l net.Listener, cfg *tls.Config, wg *sync.WaitGroup) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer conn.Close()
			s := tls.Server(conn, cfg)
			_, _ = io.CopyN(s, s, 4)
		})
	}
}

func exchange(conn *tls.Conn) error {
	defer conn.Close()
	if _, err := conn.Write([]byte("word")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 4))
	return err
}
