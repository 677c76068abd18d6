package clientgrpc_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/resilience"
)

// after lets the first calls fail before headers, with a status that has details.
func after(failures int64, calls *atomic.Int64, then jobs) jobs {
	s, err := status.New(codes.Unavailable, "said by the peer").WithDetails(&errdetails.ErrorInfo{Reason: "MOON"})
	if err != nil {
		panic(err)
	}
	return func(method string, st grpc.ServerStream) error {
		if calls.Add(1) <= failures {
			return s.Err()
		}
		return then(method, st)
	}
}

func TestStreamsAreRetriedUntilHeaders(t *testing.T) {
	noRetry := client.Options{NoRetry: true}
	for name, tc := range map[string]struct {
		method   string
		options  client.Options
		failures int64
		calls    int64
		ok       bool
	}{
		"both ways":               {method: feed, failures: 2, calls: 3, ok: true},
		"from the server":         {method: watch, failures: 2, calls: 3, ok: true},
		"too many failures":       {method: feed, failures: 9, calls: 3},
		"once only":               {method: push, failures: 1, calls: 1},
		"no retry wanted":         {method: feed, options: noRetry, failures: 1, calls: 1},
		"a server stream, vetoed": {method: watch, options: noRetry, failures: 1, calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, under(fastRetries()), "a:1")
			var calls atomic.Int64
			w.serve("a:1", after(tc.failures, &calls, echo("a")).server())
			_, err := run(client.With(t.Context(), tc.options), w.conn(), tc.method)
			if tc.ok != (err == io.EOF) || calls.Load() != tc.calls {
				t.Errorf("%d calls, want %d; error %v", calls.Load(), tc.calls, err)
			}
			if s := status.Convert(err); !tc.ok && (s.Message() != "said by the peer" || len(s.Details()) != 1) {
				t.Errorf("error %v, details %v", err, s.Details())
			}
			w.settled()
		})
	}
}

// grpc notices that a stream is over when it sends, too, and does not tell the balancer why: the caller must hear what
// the peer said all the same, and sending must fail as it does in grpc, by io.EOF.
func TestAVetoWhileSending(t *testing.T) {
	for _, method := range []string{feed, watch} {
		p := fastRetries()
		p.Retry.Retries = 1
		w := newWorld(t, under(p), "a:1")
		var calls atomic.Int64
		w.serve("a:1", after(9, &calls, echo("a")).server())
		cc := w.conn()
		for range 30 {
			calls.Store(0)
			desc := duplex
			if method == watch {
				desc = outputs
			}
			st, err := cc.NewStream(t.Context(), desc, method)
			if err != nil {
				t.Fatal(err)
			}
			for err == nil {
				eventually(t, "the first try has failed", func() bool { return calls.Load() > 0 })
				if err = st.SendMsg(new(testpb.SimpleRequest)); method == watch {
					break
				}
			}
			if err != nil && err != io.EOF {
				t.Fatalf("SendMsg: %v", err)
			}
			err = st.RecvMsg(new(testpb.SimpleResponse))
			if s := status.Convert(err); s.Message() != "said by the peer" || len(s.Details()) != 1 || calls.Load() != 2 {
				t.Fatalf("RecvMsg: %v, details %v, after %d calls", err, s.Details(), calls.Load())
			}
		}
		w.settled()
	}
}

func TestNothingIsRetriedAfterHeaders(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1")
	var calls atomic.Int64
	w.serve("a:1", jobs(func(_ string, s grpc.ServerStream) error {
		calls.Add(1)
		_ = s.SendHeader(metadata.Pairs("k", "v"))
		return unavailable
	}).server())
	if _, err := run(t.Context(), w.conn(), feed); status.Code(err) != codes.Unavailable || calls.Load() != 1 {
		t.Errorf("%d calls, error %v", calls.Load(), err)
	}
}

func TestNothingIsRetriedThatIsTooLarge(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1")
	var calls atomic.Int64
	w.serve("a:1", jobs(func(_ string, s grpc.ServerStream) error {
		calls.Add(1)
		_ = s.RecvMsg(new(testpb.SimpleRequest))
		return unavailable
	}).server())
	st, err := w.conn().NewStream(t.Context(), duplex, feed)
	if err != nil {
		t.Fatal(err)
	}
	_ = st.SendMsg(&testpb.SimpleRequest{Payload: &testpb.Payload{Body: make([]byte, 300<<10)}})
	if err = st.RecvMsg(new(testpb.SimpleResponse)); status.Code(err) != codes.Unavailable || calls.Load() != 1 {
		t.Errorf("%d calls, error %v", calls.Load(), err)
	}
}

func TestTheBudgetBoundsStreams(t *testing.T) {
	p := fastRetries()
	p.Budget = &resilience.Budget{Ratio: -1, PerSecond: 0.3, Window: 10 * time.Second} // 3 in all
	w := newWorld(t, under(p), "a:1")
	var calls atomic.Int64
	w.serve("a:1", after(1000, &calls, echo("a")).server())
	cc := w.conn()
	for range 10 {
		_, err := run(t.Context(), cc, feed)
		if s := status.Convert(err); s.Message() != "said by the peer" || len(s.Details()) != 1 {
			t.Fatal(err)
		}
	}
	if calls.Load() != 13 {
		t.Errorf("%d attempts of 10 streams, want 3 retries", calls.Load())
	}
}

func TestRetriesOfStreamsGoElsewhere(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1", "b:1", "c:1")
	var calls atomic.Int64
	w.serve("a:1", after(1<<40, &calls, echo("a")).server())
	w.serve("b:1", after(1<<40, &calls, echo("b")).server())
	w.serve("c:1", echo("c").server())
	cc := w.conn()
	for range 50 {
		if server, err := run(t.Context(), cc, feed); server != "c" || err != io.EOF {
			t.Fatal(server, err)
		}
	}
	w.settled()
}

// However a stream ends, its endpoint counts it no more, and what the caller wants to be told is told once.
func TestEndsOfStreams(t *testing.T) {
	type parts struct {
		w      *world
		cc     *grpc.ClientConn
		st     grpc.ClientStream
		cancel context.CancelFunc
	}
	recv := func(p parts) error {
		for {
			if err := p.st.RecvMsg(new(testpb.SimpleResponse)); err != nil {
				return err
			}
		}
	}
	for name, tc := range map[string]struct {
		end  func(parts) error
		want codes.Code
	}{
		"to its end":                 {func(p parts) error { _ = p.st.CloseSend(); return recv(p) }, codes.OK},
		"the caller cancels":         {func(p parts) error { p.cancel(); return recv(p) }, codes.Canceled},
		"the caller cancels, unread": {func(p parts) error { p.cancel(); return nil }, codes.Canceled},
		"the connection is closed":   {func(p parts) error { _ = p.cc.Close(); return nil }, codes.Canceled},
		"the server goes":            {func(p parts) error { p.w.net.Cut("a:1"); return recv(p) }, codes.Unavailable},
		"a message that cannot be sent": {func(p parts) error {
			return p.st.SendMsg("not a message")
		}, codes.Internal},
		"the client is closed, the stream goes on": {func(p parts) error {
			_ = p.w.c.Close()
			if err := p.st.SendMsg(new(testpb.SimpleRequest)); err != nil {
				return err
			}
			if err := p.st.RecvMsg(new(testpb.SimpleResponse)); err != nil {
				return err
			}
			_ = p.st.CloseSend()
			return recv(p)
		}, codes.OK},
	} {
		for _, cfg := range []client.Config{{}, standard()} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, cfg, "a:1")
				w.serve("a:1", echo("a").server())
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				told := make(chan error, 5)
				cc := w.conn()
				st, err := cc.NewStream(ctx, duplex, push, grpc.OnFinish(func(err error) { told <- err }))
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(st.SendMsg(new(testpb.SimpleRequest)), st.RecvMsg(new(testpb.SimpleResponse))); err != nil {
					t.Fatal(err)
				}
				if w.inFlight() != 1 {
					t.Errorf("%d in flight, want 1", w.inFlight())
				}
				if err := tc.end(parts{w, cc, st, cancel}); err != nil && err != io.EOF && status.Code(err) != tc.want {
					t.Errorf("ended with %v, want %v", err, tc.want)
				}
				if err := <-told; status.Code(err) != tc.want {
					t.Errorf("told %v, want %v", err, tc.want)
				}
				w.settled()
				if len(told) > 0 {
					t.Errorf("told again: %v", <-told)
				}
			})
		}
	}
}

func TestOnFinishRunsOnceACall(t *testing.T) {
	for _, addrs := range [][]string{{"gone:1"}, {"gone:1", "a:1"}, {"gone:1", "gone:2", "a:1"}, {}} {
		w := newWorld(t, under(fastRetries()), addrs...)
		w.serve("a:1", answer("a").server())
		cc := w.conn(grpc.WithDefaultCallOptions(grpc.OnFinish(func(error) {})))
		for _, method := range []string{get, put, watch, feed, push} {
			var told atomic.Int64
			var last error
			desc := duplex
			if method == watch {
				desc = outputs
			}
			finish := grpc.OnFinish(func(err error) { last = err; told.Add(1) })
			var err error
			if method == get || method == put {
				_, err = invoke(t.Context(), cc, method, finish)
			} else {
				var st grpc.ClientStream
				if st, err = cc.NewStream(t.Context(), desc, method, finish); err == nil {
					_ = st.SendMsg(new(testpb.SimpleRequest))
					err = errors.Join(st.CloseSend(), st.RecvMsg(new(testpb.SimpleResponse)), wantEOF(st))
				}
			}
			if told.Load() != 1 || last != err {
				t.Errorf("%v %s: told %d times, %v; the call ended with %v", addrs, method, told.Load(), last, err)
			}
		}
	}
}

// A stream that is canceled while it is being opened.
func TestCancelledWhileOpening(t *testing.T) {
	w := newWorld(t, standard(), "a:1", "b:1")
	w.serve("a:1", echo("a").server())
	cc := w.conn()
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for range i % 30 {
				w.inFlight()
			}
			cancel()
		}()
		var told atomic.Int64
		st, err := cc.NewStream(ctx, duplex, feed, grpc.OnFinish(func(error) { told.Add(1) }))
		if err == nil {
			err = st.RecvMsg(new(testpb.SimpleResponse))
		}
		if status.Code(err) != codes.Canceled {
			t.Fatal(err)
		}
		cancel()
		eventually(t, "the end is told", func() bool { return told.Load() == 1 })
	}
	w.settled()
}

// idleWorld serves at a:1 within a bubble of synctest.
func idleWorld(t *testing.T, p resilience.Policy, f jobs) (*world, *grpc.ClientConn) {
	w := newWorld(t, under(p), "a:1")
	w.serve("a:1", f.server())
	return w, w.conn()
}

func TestSilentStreamsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := resilience.Standard()
		p.Timeout = &resilience.Timeout{Idle: time.Minute, Reply: time.Second}
		w, cc := idleWorld(t, p, echo("a"))
		st, err := cc.NewStream(t.Context(), duplex, push)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 { // what moves lives, and no limit on the reply is about a stream
			time.Sleep(50 * time.Second)
			if err := errors.Join(st.SendMsg(new(testpb.SimpleRequest)), st.RecvMsg(new(testpb.SimpleResponse))); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		err = st.RecvMsg(new(testpb.SimpleResponse))
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.Idle || status.Code(err) != codes.DeadlineExceeded || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if err := st.SendMsg(new(testpb.SimpleRequest)); err != io.EOF {
			t.Errorf("SendMsg after the end: %v", err)
		}
		synctest.Wait()
		if w.inFlight() != 0 {
			t.Errorf("%d in flight", w.inFlight())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if st, err = cc.NewStream(ctx, duplex, push); err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		if err = st.RecvMsg(new(testpb.SimpleResponse)); status.Code(err) != codes.DeadlineExceeded || time.Since(began) != time.Hour {
			t.Errorf("the caller's own deadline: after %v: %v", time.Since(began), err)
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}

func TestReplyTimeLimitOfUnaryCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cc := idleWorld(t, resilience.Standard(), func(_ string, s grpc.ServerStream) error {
			<-s.Context().Done()
			return s.Context().Err()
		})
		for method, attempts := range map[string]int{put: 1, get: 3} {
			began := time.Now()
			_, err := invoke(t.Context(), cc, method)
			var e *client.Error
			if !errors.As(err, &e) || status.Code(err) != codes.DeadlineExceeded || !errors.Is(err, context.DeadlineExceeded) || e.Attempts != attempts {
				t.Errorf("%s: %v (%+v)", method, err, e)
			}
			if took := time.Since(began); took != 15*time.Second {
				t.Errorf("%s took %v", method, took)
			}
		}
		synctest.Wait()
		if w.inFlight() != 0 {
			t.Errorf("%d in flight", w.inFlight())
		}
		_ = cc.Close()
		_ = w.c.Close()
	})
}
