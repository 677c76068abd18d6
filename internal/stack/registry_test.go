package stack

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
)

// knows is a source that knows no service but these.
type knows map[string]bool

func (k knows) Watch(ctx context.Context, service string, f func(discovery.Update)) error {
	u := discovery.Update{Kind: discovery.Absent}
	if k[service] {
		u = discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{{Addr: "a:1"}}}
	}
	f(u)
	<-ctx.Done()
	return ctx.Err()
}

// TestNamesAreForgotten: what a program calls may be chosen by its own callers.
func TestNamesAreForgotten(t *testing.T) {
	for name, tc := range map[string]struct {
		direct bool
		known  bool
		names  int           // called once
		idle   time.Duration // then
		kept   bool
	}{
		"in use lately":                 {known: true, names: 10, idle: 29 * time.Minute, kept: true},
		"idle":                          {known: true, names: 10, idle: 31 * time.Minute},
		"unknown to the source":         {names: 10, idle: 2 * time.Minute},
		"unknown, a moment ago":         {names: 10, idle: 30 * time.Second, kept: true},
		"without a source":              {direct: true, names: 10, idle: 2 * time.Minute, kept: true},
		"without a source, one of many": {direct: true, names: crowd + 1, idle: 2 * time.Minute},
		"one of many":                   {known: true, names: crowd + 1, idle: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := knows{}
				c := NewClient(Config{Discovery: source, Warmup: time.Hour, Logger: slog.New(slog.DiscardHandler)})
				defer c.Close()
				for i := range tc.names {
					source["s"+strconv.Itoa(i)] = tc.known
				}
				for i := range tc.names {
					callOnce(c, "s"+strconv.Itoa(i), tc.direct)
				}
				time.Sleep(tc.idle)
				callOnce(c, "another", tc.direct)
				synctest.Wait()
				left := 0
				c.each(func(*Destination) { left++ })
				if want := tc.names + 1; tc.kept && left != want || !tc.kept && left != 1 {
					t.Errorf("%d destinations of %d are left", left, want)
				}
			})
		})
	}
}

// callOnce makes one call, whatever becomes of it.
func callOnce(c *Client, service string, direct bool) {
	x := &Call{Call: call.Call{Ctx: context.Background(), Service: service}, Direct: direct}
	x.Wire = once{}
	if c.Do(x) == nil {
		x.Finish()
	}
}

// TestWhatIsPinnedIsKept, as by a gRPC connection that has no calls.
func TestWhatIsPinnedIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Config{Discovery: knows{"s": true}, Warmup: time.Hour, Logger: slog.New(slog.DiscardHandler)})
		defer c.Close()
		d := c.Destination("s", time.Now())
		d.Pin()
		time.Sleep(time.Hour)
		callOnce(c, "another", false)
		if c.Destination("s", time.Now()) != d {
			t.Error("forgotten")
		}
		d.Unpin()
		time.Sleep(time.Hour)
		callOnce(c, "one more", false)
		if c.Destination("s", time.Now()) == d {
			t.Error("kept")
		}
	})
}

// slow is a source that answers after a while.
type slow time.Duration

func (s slow) Watch(ctx context.Context, _ string, f func(discovery.Update)) error {
	select {
	case <-time.After(time.Duration(s)):
		f(discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{{Addr: "a:1"}}})
		<-ctx.Done()
	case <-ctx.Done():
	}
	return ctx.Err()
}

// TestWhatIsWaitedForIsKept: an answer that takes long is waited for where that was asked for.
func TestWhatIsWaitedForIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Config{Discovery: slow(50 * time.Minute), Warmup: time.Hour, Logger: slog.New(slog.DiscardHandler)})
		defer c.Close()
		ready := make(chan error, 1)
		go func() { ready <- c.Ready(t.Context(), "s") }()
		time.Sleep(40 * time.Minute)
		go callOnce(c, "another", false)
		if err := <-ready; err != nil {
			t.Error(err)
		}
		c.meshed.mu.Lock()
		defer c.meshed.mu.Unlock()
		if ago := time.Since(c.meshed.swept); ago > 10*time.Minute {
			t.Errorf("nothing was swept for %v", ago)
		}
	})
}
