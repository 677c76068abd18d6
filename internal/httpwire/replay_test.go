package httpwire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// source counts its closings.
type source struct {
	io.Reader

	closed atomic.Int64
}

func (s *source) Close() error {
	s.closed.Add(1)
	if c, ok := s.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func of(s string) *source { return &source{Reader: strings.NewReader(s)} }

// TestReplayLimit: what fits is sent again, and one byte more is not.
func TestReplayLimit(t *testing.T) {
	const limit = 1000
	for _, tt := range []struct {
		size int
		ok   bool
	}{{0, true}, {1, true}, {limit - 1, true}, {limit, true}, {limit + 1, false}, {10 * limit, false}} {
		want := strings.Repeat("x", tt.size)
		src := of(want)
		r := NewReplay(src, limit)
		for attempt := range 3 {
			got, err := io.ReadAll(iotest.OneByteReader(r.Next()))
			if attempt > 0 && !tt.ok {
				if err == nil || len(got) > 0 {
					t.Errorf("%d bytes, attempt %d: %d bytes and %v: a torn body must not pass for the whole", tt.size, attempt, len(got), err)
				}
				continue
			}
			if string(got) != want || err != nil {
				t.Errorf("%d bytes, attempt %d: %d bytes, %v", tt.size, attempt, len(got), err)
			}
			if r.Replayable() != tt.ok {
				t.Errorf("%d bytes, attempt %d: replayable %v", tt.size, attempt, r.Replayable())
			}
		}
		r.Settle(true)
		if n := src.closed.Load(); n != 1 {
			t.Errorf("closed %d times", n)
		}
	}
}

// TestReplayRemainder: an attempt that read a part leaves the rest to the next.
func TestReplayRemainder(t *testing.T) {
	src := of("hello world")
	r := NewReplay(src, 100)
	first := r.Next()
	_, _ = io.ReadFull(first, make([]byte, 5))
	second := r.Next()
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, errSuperseded) {
		t.Errorf("the first reads on: %v", err)
	}
	first.Close()
	b, err := io.ReadAll(second)
	if string(b) != "hello world" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	r.Settle(false)
	if src.closed.Load() != 0 {
		t.Error("closed while the last copy is open")
	}
	second.Close()
	second.Close()
	if src.closed.Load() != 1 {
		t.Errorf("closed %d times", src.closed.Load())
	}
}

// TestReplayError: what the source failed with comes at the same place each time.
func TestReplayError(t *testing.T) {
	bad := errors.New("bad")
	r := NewReplay(&source{Reader: io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(bad))}, 100)
	for range 3 {
		if b, err := io.ReadAll(r.Next()); string(b) != "abc" || !errors.Is(err, bad) {
			t.Errorf("%q, %v", b, err)
		}
	}
	r.Settle(true)
}

// TestReplaySettled keeps nothing any more, and reads on.
func TestReplaySettled(t *testing.T) {
	r := NewReplay(of("hello world"), 8)
	c := r.Next()
	_, _ = io.ReadFull(c, make([]byte, 5))
	r.Settle(false)
	if b, err := io.ReadAll(c); string(b) != " world" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if r.kept != nil || r.Replayable() {
		t.Error("still kept")
	}
}

// TestReplayBlockedSource: the first attempt waits for the source when it is given up. What comes then is the second's,
// even where it is more than the limit.
func TestReplayBlockedSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		r := NewReplay(&source{Reader: pr}, 4)
		first := r.Next()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := first.Read(make([]byte, 100)); !errors.Is(err, errSuperseded) {
				t.Errorf("the first got %v", err)
			}
		})
		synctest.Wait()
		second := r.Next()
		wg.Go(func() {
			if b, err := io.ReadAll(second); string(b) != "more than four" || err != nil {
				t.Errorf("the second got %q, %v", b, err)
			}
		})
		synctest.Wait()
		_, _ = io.WriteString(pw, "more than four")
		pw.Close()
		wg.Wait()
		r.Settle(true)
	})
}

// stubborn is a source whose Close waits for its Read, as that of a request that a server received does.
type stubborn struct {
	mu   sync.Mutex
	data chan []byte
}

func (s *stubborn) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := <-s.data
	if !ok {
		return 0, io.EOF
	}
	return copy(p, b), nil
}

func (s *stubborn) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return nil
}

// TestReplayStubbornSource holds up nobody: neither the end of the call nor the copy's.
func TestReplayStubbornSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &stubborn{data: make(chan []byte)}
		r := NewReplay(src, 100)
		c := r.Next()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = c.Read(make([]byte, 1))
		}()
		synctest.Wait()
		r.Settle(true)
		c.Close()
		close(src.data)
		<-done
	})
}

// TestReplayConcurrent: attempts that were given up read on while the next does. The last one always gets the whole.
func TestReplayConcurrent(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789"), 1000)
	for range 50 {
		r := NewReplay(&source{Reader: iotest.HalfReader(bytes.NewReader(want))}, int64(len(want)))
		var wg sync.WaitGroup
		for range 4 {
			c := r.Next()
			wg.Go(func() {
				p := make([]byte, 1+rand.IntN(512))
				for {
					if _, err := c.Read(p); err != nil {
						return
					}
				}
			})
		}
		last := r.Next()
		if b, err := io.ReadAll(last); !bytes.Equal(b, want) || err != nil {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		r.Settle(false)
		last.Close()
		wg.Wait()
	}
}

// TestUpload: when the attempt is over and the transport still waits for the source, the source is closed.
func TestUpload(t *testing.T) {
	for name, wrap := range map[string]func(io.ReadCloser) io.ReadCloser{
		"plain": func(rc io.ReadCloser) io.ReadCloser { return rc },
		"kept":  func(rc io.ReadCloser) io.ReadCloser { return NewReplay(rc, 100).Next() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pr, pw := io.Pipe()
				defer pw.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				moves := 0
				u := NewUpload(ctx, wrap(pr), func() { moves++ })
				go func() { _, _ = io.WriteString(pw, "x") }()
				began := time.Now()
				b, err := io.ReadAll(u)
				if string(b) != "x" || err == nil || moves != 1 || time.Since(began) != time.Second+releaseAfter {
					t.Errorf("%q, %v, %d moves after %v", b, err, moves, time.Since(began))
				}
				u.Close()
			})
		})
	}
	t.Run("closed in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			src := of("x")
			u := NewUpload(ctx, NewReplay(src, 100).Next(), nil)
			cancel()
			synctest.Wait()
			u.Close()
			time.Sleep(time.Second) // in the bubble's time
			if src.closed.Load() != 0 {
				t.Error("the source was closed: it cannot be sent again")
			}
		})
	})
}
