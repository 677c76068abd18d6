package clientgrpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/resilience"
)

// chaos is a config with one route that has these faults.
func chaos(p resilience.Policy, faults ...traffic.Fault) client.Config {
	cfg := under(p)
	cfg.Traffic = traffic.Policy{Routes: []traffic.Route{{Name: "chaos", Faults: faults}}}
	return cfg
}

// lines answers each message of a stream, or the first two times, with a message of n letters.
func lines(n int, served *atomic.Int64) jobs {
	m := &testpb.SimpleResponse{ServerId: string(bytes.Repeat([]byte("a"), n-2-n/130))} // with tag and length n bytes, about
	return func(method string, s grpc.ServerStream) error {
		served.Add(1)
		for {
			switch err := s.RecvMsg(new(testpb.SimpleRequest)); {
			case err == io.EOF:
				return nil
			case err != nil:
				return err
			}
			if err := s.SendMsg(m); err != nil || method == get || method == put {
				return err
			}
		}
	}
}

func TestFaultAborts(t *testing.T) {
	for _, scope := range []traffic.Scope{traffic.ScopeCall, traffic.ScopeAttempt} {
		for _, method := range []string{get, put, watch, feed, push} {
			var served atomic.Int64
			w := newWorld(t, chaos(fastRetries(), traffic.Fault{Percent: 100, Scope: scope, Abort: &traffic.Abort{Code: "UNAVAILABLE"}}), "a:1")
			w.serve("a:1", lines(10, &served).server())
			var info client.Info
			_, err := run(client.With(t.Context(), client.Options{Info: &info}), w.conn(), method)
			e, _ := errors.AsType[*client.Error](err)
			if status.Code(err) != codes.Unavailable || e == nil || e.Reason != client.FaultInjected || e.Rule != "chaos" || e.Faults[0] != "abort" {
				t.Errorf("%s %s: %v", scope, method, err)
			}
			want := 0
			if scope == traffic.ScopeAttempt {
				if want = 1; method != put && method != push {
					want = 3 // retried as a real one
				}
			}
			if len(info.Attempts) != want || served.Load() != 0 || info.Faults[0] != "abort" {
				t.Errorf("%s %s: %d attempts, want %d, %d served, %v", scope, method, len(info.Attempts), want, served.Load(), info.Faults)
			}
			w.settled()
		}
	}
}

func TestFaultDelays(t *testing.T) {
	for _, scope := range []traffic.Scope{traffic.ScopeCall, traffic.ScopeAttempt} {
		for _, method := range []string{put, push} {
			synctest.Test(t, func(t *testing.T) {
				var served atomic.Int64
				w := newWorld(t, chaos(resilience.Policy{}, traffic.Fault{Percent: 100, Scope: scope, Delay: 10 * time.Second}), "a:1")
				w.serve("a:1", lines(10, &served).server())
				cc := w.conn()
				began := time.Now()
				if _, err := run(t.Context(), cc, method); err != nil && err != io.EOF || time.Since(began) != 10*time.Second {
					t.Errorf("%s %s: %v after %v", scope, method, err, time.Since(began))
				}
				began = time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := run(ctx, cc, method); status.Code(err) != codes.DeadlineExceeded || time.Since(began) != time.Second {
					t.Errorf("%s %s: %v after %v", scope, method, err, time.Since(began))
				}
				ctx, cancel = context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				if _, err := run(ctx, cc, method); status.Code(err) != codes.Canceled {
					t.Errorf("%s %s: %v", scope, method, err)
				}
				if served.Load() != 1 {
					t.Errorf("%s %s: %d served", scope, method, served.Load())
				}
				w.settled()
				cc.Close()
				w.c.Close()
			})
		}
	}
}

// reply is the beginning of an answer: headers, and the prefix of a message of 10 bytes with the first 4 of them.
func reply(c *rudeConn, stream uint32, then func()) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	_ = e.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	_ = e.WriteField(hpack.HeaderField{Name: "content-type", Value: "application/grpc"})
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: b.Bytes(), EndHeaders: true})
	then()
}

// TestMessageFaultsHaveTheCodesOfRealOnes compares with servers that do it.
func TestMessageFaultsHaveTheCodesOfRealOnes(t *testing.T) {
	zero := int64(0)
	for name, tc := range map[string]struct {
		real  func(c *rudeConn, stream uint32)
		fault traffic.BodyFault
		cause error
	}{
		"truncate": {func(c *rudeConn, stream uint32) {
			reply(c, stream, func() { _ = c.WriteData(stream, true, []byte{0, 0, 0, 0, 10, 1, 2, 3, 4}) })
		}, traffic.BodyFault{TruncateAfter: &zero}, io.ErrUnexpectedEOF},
		"reset": {func(c *rudeConn, stream uint32) {
			reply(c, stream, func() { _ = c.WriteData(stream, false, []byte{0, 0, 0, 0, 10, 1, 2, 3, 4}); _ = c.Conn.Close() })
		}, traffic.BodyFault{ResetAfter: &zero}, syscall.ECONNRESET},
		"corrupt": {func(c *rudeConn, stream uint32) {
			reply(c, stream, func() { _ = c.WriteData(stream, false, []byte{0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff}) })
		}, traffic.BodyFault{Corrupt: 1}, nil},
	} {
		for _, method := range []string{put, push} {
			r := newWorld(t, client.Config{}, "a:1")
			r.serveRude("a:1", tc.real)
			_, rude := run(t.Context(), r.conn(), method)

			var served atomic.Int64
			w := newWorld(t, chaos(resilience.Policy{}, traffic.Fault{Percent: 100, Body: &tc.fault}), "a:1")
			w.serve("a:1", lines(10, &served).server())
			var info client.Info
			_, err := run(client.With(t.Context(), client.Options{Info: &info}), w.conn(), method)
			if status.Code(err) != status.Code(rude) || status.Code(err) == codes.OK {
				t.Errorf("%s %s: %v, the rude one is %v", name, method, err, rude)
			}
			e, _ := errors.AsType[*client.Error](err)
			if e == nil || e.Reason != client.FaultInjected || len(info.Faults) != 1 || info.Faults[0] != name || served.Load() != 1 {
				t.Errorf("%s %s: %v, %+v", name, method, err, info)
			}
			if tc.cause != nil && !errors.Is(err, tc.cause) {
				t.Errorf("%s %s: %v is not %v", name, method, err, tc.cause)
			}
			w.settled()
		}
	}
}

// TestStreamIsResetInTheMiddle: what came before arrives, the server hears that it is over, and so does the breaker.
func TestStreamIsResetInTheMiddle(t *testing.T) {
	after := int64(25)
	p := resilience.Policy{Breaker: &resilience.Breaker{MinCalls: 1}}
	w := newWorld(t, chaos(p, traffic.Fault{Percent: 100, Body: &traffic.BodyFault{ResetAfter: &after}}), "a:1")
	gone := make(chan struct{})
	w.serve("a:1", jobs(func(method string, s grpc.ServerStream) error {
		defer close(gone)
		var n atomic.Int64
		return lines(10, &n)(method, s)
	}).server())
	cc := w.conn()
	st, err := cc.NewStream(t.Context(), duplex, push)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := st.SendMsg(new(testpb.SimpleRequest)); err != nil {
			t.Fatal(err)
		}
		if err = st.RecvMsg(new(testpb.SimpleResponse)); (err == nil) != (i < 2) {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	err = st.RecvMsg(new(testpb.SimpleResponse))
	if status.Code(err) != codes.Unavailable {
		t.Errorf("asked again: %v", err)
	}
	<-gone
	w.settled()
	d := w.c.Core().Destination("orders", time.Now())
	eventually(t, "the breaker is open", func() bool { return d.BreakerState() == resilience.BreakerOpen })
	if _, err := invoke(t.Context(), cc, put); !errors.Is(err, resilience.ErrOpen) {
		t.Errorf("another call: %v", err)
	}
}

func TestMessagesArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var served atomic.Int64
		w := newWorld(t, chaos(resilience.Policy{}, traffic.Fault{Percent: 100, Body: &traffic.BodyFault{BytesPerSecond: 10}}), "a:1")
		w.serve("a:1", lines(100, &served).server())
		cc := w.conn()
		for _, method := range []string{put, push} {
			began := time.Now()
			if _, err := run(t.Context(), cc, method); err != nil && err != io.EOF || time.Since(began) != 10*time.Second {
				t.Errorf("%s: %v after %v", method, err, time.Since(began))
			}
			began = time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := run(ctx, cc, method); status.Code(err) != codes.DeadlineExceeded || time.Since(began) != time.Second {
				t.Errorf("%s: %v after %v", method, err, time.Since(began))
			}
			cancel()
		}
		cc.Close()
		w.c.Close()
	})
}
