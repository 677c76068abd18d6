package memnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/internal/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const addr = "orders:80"

// connect opens a connection and gives both ends of it.
func connect(t *testing.T, n *memnet.Network) (client, server net.Conn) {
	t.Helper()
	l, err := n.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	client = dial(t, n)
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close(); l.Close() })
	return client, server
}

func dial(t *testing.T, n *memnet.Network) net.Conn {
	t.Helper()
	c, err := n.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, c net.Conn) string {
	t.Helper()
	b := make([]byte, 64)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	var op *net.OpError
	if !errors.Is(got, want) || !errors.As(got, &op) {
		t.Errorf("error %v, want a *net.OpError around %v", got, want)
	}
}

func readError(c net.Conn) error {
	_, err := c.Read(make([]byte, 1))
	return err
}

func writeError(c net.Conn) error {
	_, err := c.Write([]byte("x"))
	return err
}

func TestClose(t *testing.T) {
	client, server := connect(t, new(memnet.Network))
	send(t, client, "last words")
	client.Close()
	if got := read(t, server); got != "last words" {
		t.Errorf("read %q", got)
	}
	if err := readError(server); err != io.EOF {
		t.Errorf("then %v, want io.EOF", err)
	}
	wantError(t, writeError(server), syscall.EPIPE)
	wantError(t, readError(client), net.ErrClosed)
	wantError(t, writeError(client), net.ErrClosed)
	wantError(t, client.Close(), net.ErrClosed)
	wantError(t, client.SetDeadline(time.Now()), net.ErrClosed)
}

func TestCloseWrite(t *testing.T) {
	client, server := connect(t, new(memnet.Network))
	if err := client.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := readError(server); err != io.EOF {
		t.Errorf("server: %v, want io.EOF", err)
	}
	send(t, server, "answer")
	if got := read(t, client); got != "answer" {
		t.Errorf("read %q", got)
	}
	wantError(t, writeError(client), net.ErrClosed)
}

func TestReset(t *testing.T) {
	client, server := connect(t, new(memnet.Network))
	send(t, client, "lost")
	if err := client.(interface{ SetLinger(int) error }).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	client.Close()
	wantError(t, readError(server), syscall.ECONNRESET)
	wantError(t, writeError(server), syscall.ECONNRESET)
}

func TestListen(t *testing.T) {
	var n memnet.Network
	l, err := n.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.Listen(addr)
	wantError(t, err, syscall.EADDRINUSE)

	waiting := dial(t, &n)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, readError(waiting), syscall.ECONNRESET)
	waiting.Close()
	if n.Conns(addr) != 0 {
		t.Errorf("%d connections left", n.Conns(addr))
	}
	wantError(t, l.Close(), net.ErrClosed)
	_, err = l.Accept()
	wantError(t, err, net.ErrClosed)
	_, err = n.DialContext(t.Context(), "tcp", addr)
	wantError(t, err, syscall.ECONNREFUSED)

	if l, err = n.Listen(addr); err != nil {
		t.Fatalf("listening again: %v", err)
	}
	l.Close()
}

func TestPortZero(t *testing.T) {
	var n memnet.Network
	seen := make(map[string]bool)
	for range 3 {
		l, err := n.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		a := l.Addr().String()
		if seen[a] || strings.HasSuffix(a, ":0") {
			t.Errorf("address %s", a)
		}
		seen[a] = true
	}
}

func TestAddresses(t *testing.T) {
	client, server := connect(t, new(memnet.Network))
	if got := client.RemoteAddr().String(); got != addr {
		t.Errorf("remote address %s", got)
	}
	if client.LocalAddr() != server.RemoteAddr() || server.LocalAddr() != client.RemoteAddr() {
		t.Error("the ends do not agree about their addresses")
	}
	if _, port, err := net.SplitHostPort(client.LocalAddr().String()); err != nil || port == "0" {
		t.Errorf("local address %s: %v", client.LocalAddr(), err)
	}
}

func TestWriteWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := connect(t, new(memnet.Network))
		big := strings.Repeat("x", 1<<20)
		done := make(chan error)
		go func() {
			_, err := io.WriteString(client, big)
			client.Close()
			done <- err
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("a megabyte went into the buffer")
		default:
		}
		got, err := io.ReadAll(server)
		if err != nil || len(got) != len(big) {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := connect(t, new(memnet.Network))
		start := time.Now()
		client.SetReadDeadline(start.Add(3 * time.Second))
		wantError(t, readError(client), os.ErrDeadlineExceeded)
		client.SetWriteDeadline(start.Add(5 * time.Second))
		_, err := client.Write(make([]byte, 1<<20))
		wantError(t, err, os.ErrDeadlineExceeded)
		if ne := net.Error(nil); !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("%v is not a timeout", err)
		}
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestDialWithEndedContext(t *testing.T) {
	var n memnet.Network
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := n.DialContext(ctx, "tcp", addr)
	wantError(t, err, context.Canceled)
}
