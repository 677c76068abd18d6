package traffic

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func version(n int) Policy { return Policy{MirrorLimits: MirrorLimits{Calls: n}} }

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live, err := NewLive(version(1))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var seen [3][]int
		var wg sync.WaitGroup
		for i := range seen {
			wg.Go(func() {
				err := live.WatchTraffic(ctx, func(u Update) {
					if u.Err != nil {
						t.Error(u.Err)
					}
					seen[i] = append(seen[i], u.Policy.MirrorLimits.Calls)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := live.Set(version(2)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := live.Set(version(-1)); err == nil || live.Policy().MirrorLimits.Calls != 2 {
			t.Errorf("a bad policy: %v, in force %v", err, live.Policy())
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if err := live.Set(version(3)); err != nil {
			t.Fatal(err)
		}
		for i := range seen {
			if len(seen[i]) != 2 || seen[i][0] != 1 || seen[i][1] != 2 {
				t.Errorf("watcher %d saw %v, want [1 2]", i, seen[i])
			}
		}
	})
}

// The zero Live is one with the empty policy, until it is given another.
func TestLiveZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var live Live
		if p := live.Policy(); !p.Equal(Policy{}) {
			t.Errorf("policy %v", p)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var seen []int
		go func() {
			_ = live.WatchTraffic(ctx, func(u Update) { seen = append(seen, u.Policy.MirrorLimits.Calls) })
		}()
		synctest.Wait()
		if err := live.Set(version(2)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(seen) != 2 || seen[0] != 0 || seen[1] != 2 {
			t.Errorf("saw %v, want [0 2]", seen)
		}
	})
}

// A watcher that is slow learns the last policy and not each one before it.
func TestLiveCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live, err := NewLive(version(0))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var seen []int
		go live.WatchTraffic(ctx, func(u Update) {
			seen = append(seen, u.Policy.MirrorLimits.Calls)
			if len(seen) == 1 {
				for n := range 100 { // it is told while it is busy
					if err := live.Set(version(n + 1)); err != nil {
						t.Error(err)
					}
				}
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		if len(seen) != 2 || seen[1] != 100 {
			t.Errorf("%v, want [0 100]", seen)
		}
	})
}

func TestNewLiveRefuses(t *testing.T) {
	live, err := NewLive(version(-1))
	var field *FieldError
	if live != nil || !errors.As(err, &field) || field.Path != "MirrorLimits.Calls" {
		t.Errorf("%v, %v", live, err)
	}
}

// A policy itself is a source that never changes.
func TestPolicyIsASource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		go version(7).WatchTraffic(ctx, func(u Update) { calls += u.Policy.MirrorLimits.Calls })
		synctest.Wait()
		cancel()
		synctest.Wait()
		if calls != 7 {
			t.Errorf("%d", calls)
		}
	})
}
