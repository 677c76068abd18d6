package client_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
)

// Frames of RFC 9113 that a server which refuses every stream needs.
const (
	frameHeaders   = 0x1
	frameRSTStream = 0x3
	frameSettings  = 0x4
	framePing      = 0x6
	flagAck        = 0x1
	refusedStream  = 0x7
)

// refuseStreams speaks just enough HTTP/2 to hand every request back unprocessed.
func refuseStreams(c net.Conn, refused *atomic.Int64) {
	defer c.Close()
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	writeFrame(c, frameSettings, 0, 0, nil)
	for {
		var head [9]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			return
		}
		switch kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:]); {
		case kind == frameHeaders:
			refused.Add(1)
			writeFrame(c, frameRSTStream, 0, stream, binary.BigEndian.AppendUint32(nil, refusedStream))
		case kind == frameSettings && flags&flagAck == 0:
			writeFrame(c, frameSettings, flagAck, 0, nil)
		case kind == framePing && flags&flagAck == 0:
			writeFrame(c, framePing, flagAck, 0, payload)
		}
	}
}

func writeFrame(w io.Writer, kind, flags byte, stream uint32, payload []byte) {
	f := []byte{0, 0, byte(len(payload)), kind, flags}
	_, _ = w.Write(append(binary.BigEndian.AppendUint32(f, stream), payload...))
}

// TestRefusedStreams: a request that HTTP/2 hands back goes to another endpoint at once, whatever its method and however
// its body comes. The transport may try once more by itself, and no more.
func TestRefusedStreams(t *testing.T) {
	for name, body := range map[string]func() io.Reader{
		"with GetBody": func() io.Reader { return strings.NewReader("hello") },
		"kept":         func() io.Reader { return io.NopCloser(strings.NewReader("hello")) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var refused atomic.Int64
				m := newMesh(t, client.Config{
					Resilience: standard,
					Discovery:  discovery.Static{"orders": {{Addr: "a:80"}, {Addr: "b:80"}}},
				})
				defer m.c.Close()
				l, err := m.net.Listen("a:80")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				go func() {
					for {
						c, err := l.Accept()
						if err != nil {
							return
						}
						go refuseStreams(c, &refused)
					}
				}()
				m.serve("b:80", http.HandlerFunc(echo))
				var h2c http.Protocols
				h2c.SetUnencryptedHTTP2(true)
				m.rt = m.c.Transport(&http.Transport{Protocols: &h2c})
				began := time.Now()
				met := false
				for range 20 {
					before := refused.Load()
					resp, err := m.rt.RoundTrip(request(t, http.MethodPost, "mesh://orders/", body()))
					if got := text(t, resp, err); got != "hello" {
						t.Fatalf("%q", got)
					}
					n := refused.Load() - before
					if met = met || n > 0; n > 2 {
						t.Errorf("%d tries at one endpoint", n)
					}
				}
				if took := time.Since(began); !met || took > 5*time.Second {
					t.Errorf("refused: %v, took %v", met, took)
				}
			})
		})
	}
}

// TestPostIsNotRepeatedAfterEOF: the request was written, and then the connection was closed.
func TestPostIsNotRepeatedAfterEOF(t *testing.T) {
	m := newMesh(t, client.Config{Resilience: standard, Discovery: discovery.Static{"orders": {{Addr: "a:80"}}}})
	l, err := m.net.Listen("a:80")
	if err != nil {
		t.Fatal(err)
	}
	var got atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			got.Add(1)
			_, _ = c.Read(make([]byte, 1024))
			c.Close()
		}
	}()
	_, err = m.rt.RoundTrip(request(t, http.MethodPost, "mesh://orders/", strings.NewReader("x"))) //nolint:bodyclose // there is none
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != client.Broken || e.Attempts != 1 || !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "EOF") {
		t.Errorf("%v", err)
	}
	l.Close()
	<-done
	if n := got.Load(); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// TestStaleConnections: a POST on a connection that the server has closed meanwhile arrives all the same.
func TestStaleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, client.Config{Resilience: standard}, http.HandlerFunc(echo))
		defer m.c.Close()
		for range 20 {
			resp, err := m.rt.RoundTrip(request(t, http.MethodPost, "mesh://orders/", track("hi")))
			if got := text(t, resp, err); got != "hi" {
				t.Errorf("%q", got)
			}
			m.net.Cut("a:80")
			synctest.Wait()
		}
	})
}
