package security_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/security"
)

// end is what one side of a connection has seen: its state, and the error of its handshake or of the first read.
type end struct {
	state tls.ConnectionState
	err   error
}

// connect makes one connection, on which each side says a word if the handshake lets it, and reads the other's.
func connect(t testing.TB, client, server *tls.Config) (c, s end) {
	t.Helper()
	var n memnet.Network
	l, err := n.Listen("server:1")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			s.err = err
			return
		}
		s = talk(tls.Server(conn, server), true)
	})
	conn, err := n.DialContext(t.Context(), "tcp", "server:1")
	if err != nil {
		t.Fatal(err)
	}
	c = talk(tls.Client(conn, client), false)
	wg.Wait()
	return c, s
}

// talk lets the server speak first, so that a client that is refused reads the alert before it can fail to write.
func talk(conn *tls.Conn, server bool) (e end) {
	defer conn.Close()
	if e.err = conn.Handshake(); e.err != nil {
		return e
	}
	e.state = conn.ConnectionState()
	say := func() {
		if e.err == nil {
			_, e.err = conn.Write([]byte("word"))
		}
	}
	hear := func() {
		if e.err == nil {
			_, e.err = io.ReadFull(conn, make([]byte, 4))
		}
	}
	if server {
		say()
		hear()
	} else {
		hear()
		say()
	}
	return e
}

// heard remembers what an observer was told.
type heard struct {
	mu  sync.Mutex
	all []*security.HandshakeError
}

func (h *heard) hear(e *security.HandshakeError) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, e)
}

// once checks that exactly this was heard.
func (h *heard) once(t *testing.T, want security.Reason) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.all) != 1 || h.all[0].Reason != want {
		t.Errorf("the observer heard %v, want %s once", h.all, want)
	}
}

// refusedBy checks the error of the side that refuses.
func refusedBy(t *testing.T, err error, want security.Reason) *security.HandshakeError {
	t.Helper()
	var h *security.HandshakeError
	if !errors.As(err, &h) || h.Reason != want || !errors.Is(err, security.ErrHandshakeRefused) {
		t.Fatalf("got error %v, want reason %s", err, want)
	}
	return h
}

// refusedThere checks the error of the side that was refused: the alert of the other, or a broken connection.
func refusedThere(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("the refused side saw no error")
	}
	var op *net.OpError
	if r := security.Refusal(err); !errors.Is(r, security.ErrHandshakeRefused) && !errors.As(err, &op) && !errors.Is(err, io.EOF) {
		t.Errorf("the refused side got %v, which is neither a refusal nor a broken connection", err)
	}
}
