package clientgrpc_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
)

// counted answers like j, and counts the calls that it got.
func counted(n *atomic.Int64, j jobs) jobs {
	return func(m string, s grpc.ServerStream) error {
		n.Add(1)
		return j(m, s)
	}
}

// fails ends every call with a status, after one message of a stream.
func fails(c codes.Code) jobs {
	return func(m string, s grpc.ServerStream) error {
		if m == push {
			if err := s.SendMsg(&testpb.SimpleResponse{}); err != nil {
				return err
			}
		}
		return status.Error(c, "said by the peer")
	}
}

// inBubble runs f with servers at "a:1" and on, which take turns.
func inBubble(t *testing.T, p resilience.Policy, servers []jobs, f func(t *testing.T, w *world, cc *grpc.ClientConn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := under(p)
		cfg.Balance = balance.RoundRobin
		var addrs []string
		for i := range servers {
			addrs = append(addrs, string(rune('a'+i))+":1")
		}
		w := newWorld(t, cfg, addrs...)
		for i, j := range servers {
			gs := w.serve(addrs[i], j.server())
			defer gs.Stop()
		}
		cc := w.conn()
		defer w.c.Close()
		defer cc.Close()
		cc.Connect()
		synctest.Wait()
		f(t, w, cc)
	})
}

func (w *world) out() (n int) {
	for _, e := range w.nodes() {
		if e.Ejected() {
			n++
		}
	}
	return n
}

// TestOutlier: which ends of calls and streams eject, five in a row.
func TestOutlier(t *testing.T) {
	for _, method := range []string{put, push} {
		for code, want := range map[codes.Code]int64{
			codes.Unavailable: 5, codes.Internal: 5, codes.DataLoss: 5, codes.Unknown: 5, codes.DeadlineExceeded: 5,
			codes.ResourceExhausted: 15, codes.NotFound: 15, codes.Aborted: 15,
		} {
			t.Run(method+" "+code.String(), func(t *testing.T) {
				var bad atomic.Int64
				p := resilience.Policy{Outlier: &resilience.Outlier{Jitter: -1}}
				servers := []jobs{answer("a"), counted(&bad, fails(code)), answer("c")}
				inBubble(t, p, servers, func(t *testing.T, w *world, cc *grpc.ClientConn) {
					for range 45 {
						_, _ = run(t.Context(), cc, method)
						synctest.Wait()
					}
					if n := bad.Load(); n != want {
						t.Errorf("%d calls, want %d", n, want)
					}
					if out := w.out(); (out == 1) != (want == 5) {
						t.Errorf("%d out", out)
					}
				})
			})
		}
	}
}

// TestOutlierReturns: by the time and one call, unary or stream.
func TestOutlierReturns(t *testing.T) {
	for _, method := range []string{put, push} {
		t.Run(method, func(t *testing.T) {
			var bad atomic.Int64
			var well atomic.Bool
			servers := []jobs{answer("a"), counted(&bad, func(m string, s grpc.ServerStream) error {
				if well.Load() {
					return answer("b")(m, s)
				}
				return status.Error(codes.Unavailable, "said by the peer")
			})}
			p := resilience.Policy{Outlier: &resilience.Outlier{Jitter: -1}}
			inBubble(t, p, servers, func(t *testing.T, _ *world, cc *grpc.ClientConn) {
				calls := func() int64 {
					for range 20 {
						_, _ = run(t.Context(), cc, method)
						synctest.Wait()
					}
					return bad.Swap(0)
				}
				for i, want := range []int64{5, 1, 1, 10} {
					if i == 3 {
						well.Store(true)
					}
					if n := calls(); n != want && (i < 3 || n < 9) {
						t.Errorf("%d: %d calls, want %d", i, n, want)
					}
					time.Sleep(time.Duration(i+1) * 30 * time.Second)
				}
			})
		})
	}
}

// TestOutlierSpares: what the caller ends says nothing about the endpoint.
func TestOutlierSpares(t *testing.T) {
	quiet := func(_ string, s grpc.ServerStream) error {
		if err := s.SendMsg(&testpb.SimpleResponse{}); err != nil {
			return err
		}
		<-s.Context().Done()
		return s.Context().Err()
	}
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"cancel": context.WithCancel,
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := resilience.Policy{Outlier: &resilience.Outlier{}, Breaker: &resilience.Breaker{}}
			inBubble(t, p, []jobs{quiet, quiet}, func(t *testing.T, w *world, cc *grpc.ClientConn) {
				for range 50 {
					ctx, cancel := end(t.Context())
					st, err := cc.NewStream(ctx, duplex, push)
					if err != nil {
						t.Fatal(err)
					}
					if err := st.RecvMsg(new(testpb.SimpleResponse)); err != nil {
						t.Fatal(err)
					}
					if name == "cancel" {
						cancel()
					}
					if err := st.RecvMsg(new(testpb.SimpleResponse)); err == nil {
						t.Fatal("no end")
					}
					cancel()
					synctest.Wait()
				}
				if n := w.out(); n != 0 {
					t.Errorf("%d out", n)
				}
			})
		})
	}
}

// isOpen reports whether err is the refusal of a breaker, with a status.
func isOpen(err error) bool {
	var e *client.Error
	return status.Code(err) == codes.Unavailable && errors.As(err, &e) && e.Reason == client.BreakerOpen && e.Attempts == 0 &&
		errors.Is(err, resilience.ErrOpen)
}

// TestBreaker: calls and streams count by how they end, and are refused without an attempt.
func TestBreaker(t *testing.T) {
	for _, method := range []string{put, push} {
		t.Run(method, func(t *testing.T) {
			var n atomic.Int64
			p := resilience.Policy{Breaker: &resilience.Breaker{}}
			inBubble(t, p, []jobs{counted(&n, fails(codes.Internal))}, func(t *testing.T, _ *world, cc *grpc.ClientConn) {
				for i := range 25 {
					_, err := run(t.Context(), cc, method)
					synctest.Wait()
					if isOpen(err) != (i >= 20) {
						t.Fatal(i, err)
					}
				}
				if n.Load() != 20 {
					t.Errorf("%d arrived", n.Load())
				}
			})
		})
	}
}

// TestStreamsAsProbes: the first message of a stream is enough, for the breaker and for the endpoint; one that is silent
// does not keep others waiting for ever.
func TestStreamsAsProbes(t *testing.T) {
	var well atomic.Bool
	var n atomic.Int64
	j := counted(&n, func(m string, s grpc.ServerStream) error {
		if !well.Load() {
			return fails(codes.Unavailable)(m, s)
		}
		if err := s.RecvMsg(new(testpb.SimpleRequest)); err == nil {
			_ = s.SendMsg(&testpb.SimpleResponse{})
		}
		<-s.Context().Done()
		return nil
	})
	open := func(t *testing.T, cc *grpc.ClientConn) (grpc.ClientStream, error) {
		return cc.NewStream(t.Context(), duplex, push)
	}
	talk := func(t *testing.T, st grpc.ClientStream) {
		t.Helper()
		if err := st.SendMsg(new(testpb.SimpleRequest)); err != nil {
			t.Fatal(err)
		}
		if err := st.RecvMsg(new(testpb.SimpleResponse)); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("breaker", func(t *testing.T) {
		well.Store(false)
		inBubble(t, resilience.Policy{Breaker: &resilience.Breaker{}}, []jobs{j}, func(t *testing.T, _ *world, cc *grpc.ClientConn) {
			for range 20 {
				_, _ = run(t.Context(), cc, push)
				synctest.Wait()
			}
			well.Store(true)
			time.Sleep(5 * time.Second)
			if _, err := open(t, cc); err != nil { // and is silent
				t.Fatal(err)
			}
			if _, err := open(t, cc); !isOpen(err) {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			second, err := open(t, cc)
			if err != nil {
				t.Fatal(err)
			}
			talk(t, second)
			for range 3 {
				if _, err := open(t, cc); err != nil {
					t.Error(err)
				}
			}
		})
	})
	t.Run("outlier", func(t *testing.T) {
		well.Store(false)
		p := resilience.Policy{Outlier: &resilience.Outlier{Jitter: -1}}
		inBubble(t, p, []jobs{j, answer("b")}, func(t *testing.T, w *world, cc *grpc.ClientConn) {
			for range 20 {
				_, _ = run(t.Context(), cc, push)
				synctest.Wait()
			}
			if w.out() != 1 {
				t.Fatal("not out")
			}
			well.Store(true)
			n.Store(0)
			time.Sleep(30 * time.Second)
			for n.Load() == 0 {
				st, err := open(t, cc)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if w.out() != 1 {
					t.Fatal("back before it said anything")
				}
				talk(t, st)
				synctest.Wait()
			}
			if w.out() != 0 {
				t.Error("still out, though the stream moves")
			}
		})
	})
}

// TestLongStreamsTeachNothing: that a stream lasted an hour does not make an hour the endpoint's usual latency, below which
// being late would be forgiven.
func TestLongStreamsTeachNothing(t *testing.T) {
	silent := jobs(func(m string, s grpc.ServerStream) error {
		if m == push {
			time.Sleep(time.Hour)
			return nil
		}
		<-s.Context().Done()
		return s.Context().Err()
	})
	p := resilience.Policy{Outlier: &resilience.Outlier{}}
	inBubble(t, p, []jobs{silent, silent}, func(t *testing.T, w *world, cc *grpc.ClientConn) {
		for range 4 {
			_, _ = run(t.Context(), cc, push)
		}
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := run(ctx, cc, put); status.Code(err) != codes.DeadlineExceeded {
				t.Fatal(err)
			}
			cancel()
		}
		if w.out() != 1 {
			t.Errorf("%d out", w.out())
		}
	})
}
