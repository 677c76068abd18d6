package clientgrpc_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
)

// rude is an HTTP/2 server that does to each stream what a test wants.
type rude struct {
	do      func(c *rudeConn, stream uint32)
	streams atomic.Int64
	conns   sync.WaitGroup
}

type rudeConn struct {
	*http2.Framer
	net.Conn
}

func (w *world) serveRude(addr string, do func(c *rudeConn, stream uint32)) *rude {
	w.t.Helper()
	l, err := w.net.Listen(addr)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &rude{do: do}
	w.t.Cleanup(func() { l.Close(); w.net.Cut(addr); r.conns.Wait() })
	r.conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.conns.Go(func() { defer c.Close(); r.serve(c) })
		}
	})
	return r
}

func (r *rude) serve(nc net.Conn) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(nc, preface); err != nil {
		return
	}
	c := &rudeConn{Framer: http2.NewFramer(nc, nc), Conn: nc}
	_ = c.WriteSettings()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = c.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = c.WritePing(true, f.Data)
			}
		case *http2.HeadersFrame:
			r.streams.Add(1)
			r.do(c, f.StreamID)
		}
	}
}

// refuseStream resets a stream as one that was not processed.
func refuseStream(c *rudeConn, stream uint32) {
	_ = c.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
}

// goAway says that this stream, and all after it, were not processed.
func goAway(c *rudeConn, stream uint32) {
	last := uint32(0)
	if stream > 1 {
		last = stream - 2
	}
	_ = c.WriteGoAway(last, http2.ErrCodeNo, nil)
}

// breakOff closes the connection under a stream that may have been processed.
func breakOff(c *rudeConn, _ uint32) { _ = c.Conn.Close() }

// fail answers with a status and nothing else.
func fail(code, more string) func(c *rudeConn, stream uint32) {
	return func(c *rudeConn, stream uint32) {
		var b bytes.Buffer
		e := hpack.NewEncoder(&b)
		fields := []string{":status", "200", "content-type", "application/grpc", "grpc-status", code, "grpc-message", "said by the peer"}
		if more != "" {
			fields = append(fields, strings.Fields(more)...)
		}
		for i := 0; i < len(fields); i += 2 {
			_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: b.Bytes(), EndHeaders: true, EndStream: true})
	}
}

// run makes one call of a kind and reports who answered.
func run(ctx context.Context, cc *grpc.ClientConn, method string) (string, error) {
	switch method {
	case get, put:
		return invoke(ctx, cc, method)
	}
	desc := duplex
	if method == watch {
		desc = outputs
	}
	st, err := cc.NewStream(ctx, desc, method)
	if err != nil {
		return "", err
	}
	out := new(testpb.SimpleResponse)
	if err := st.SendMsg(new(testpb.SimpleRequest)); err != nil && err != io.EOF {
		return "", err
	}
	if err := st.CloseSend(); err != nil {
		return "", err
	}
	if err := st.RecvMsg(out); err != nil {
		return "", err
	}
	return out.ServerId, st.RecvMsg(new(testpb.SimpleResponse))
}

func TestWhatTheProtocolHandsBackIsRepeated(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(c *rudeConn, stream uint32)
		once bool // it may have been executed: only what may be executed twice is repeated
	}{
		"REFUSED_STREAM":             {do: refuseStream},
		"GOAWAY":                     {do: goAway},
		"a connection that breaks":   {do: breakOff, once: true},
		"a status":                   {do: fail("14", ""), once: true},
		"a status refused by load":   {do: fail("14", "x-envoy-overloaded true"), once: false},
		"RESOURCE_EXHAUSTED by load": {do: fail("8", "x-envoy-overloaded true"), once: false},
	} {
		for _, method := range []string{get, put, watch, feed, push} {
			t.Run(name+method, func(t *testing.T) {
				w := newWorld(t, under(fastRetries()), "a:1", "b:1", "c:1")
				a, b := w.serveRude("a:1", tc.do), w.serveRude("b:1", tc.do)
				w.serve("c:1", answer("c").server())
				cc := w.conn()
				twice := method == get || method == watch || method == feed
				byLoad := strings.HasSuffix(name, "by load")
				for range 100 {
					before := a.streams.Load() + b.streams.Load()
					server, err := run(t.Context(), cc, method)
					tried := a.streams.Load() + b.streams.Load() - before
					switch {
					case tried == 0:
						continue
					case byLoad && method == push, byLoad && name[0] == 'R' && (method == watch || method == feed):
						// Of streams grpc repeats those that the service config names, after the codes that it names.
						if tried != 1 || err == nil {
							t.Fatalf("%d tries, error %v", tried, err)
						}
					case tc.once && !twice:
						if tried != 1 || status.Code(err) != codes.Unavailable {
							t.Fatalf("%d tries, error %v", tried, err)
						}
					case method == push && tried == 2:
						// grpc repeats a stream transparently once.
						if status.Code(err) != codes.Unavailable {
							t.Fatalf("error %v", err)
						}
					case server != "c" || err != nil && err != io.EOF || tried > 2:
						t.Fatalf("%d tries, answer of %q, error %v", tried, server, err)
					}
				}
				w.settled()
			})
		}
	}
}

// Where all hand the call back the mesh gives up after its own number of attempts.
func TestHandedBackByAll(t *testing.T) {
	for _, do := range []func(*rudeConn, uint32){refuseStream, goAway} {
		for _, method := range []string{get, put, watch, feed, push} {
			w := newWorld(t, under(fastRetries()), "a:1")
			a := w.serveRude("a:1", do)
			_, err := run(t.Context(), w.conn(), method)
			if status.Code(err) != codes.Unavailable {
				t.Errorf("%s: %v", method, err)
			}
			if n := a.streams.Load(); n < 2 || n > 8 { // two of grpc's for each of ours at most
				t.Errorf("%s: %d streams", method, n)
			}
			w.settled()
		}
	}
}

func TestAServerThatFailsAtOnceIsNotTheFastest(t *testing.T) {
	w := newWorld(t, client.Config{}, "a:1")
	w.serveRude("a:1", fail("14", ""))
	cc := w.conn()
	for range 50 {
		_, _ = invoke(t.Context(), cc, put)
		_, _ = run(t.Context(), cc, push)
	}
	if p := w.nodes()[0].Load.Penalty(); p < 90 {
		t.Errorf("the penalty after 100 failures is %.1f", p)
	}
}
