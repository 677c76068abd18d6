package snapshot

import (
	"sync"
	"testing"
)

func TestValue(t *testing.T) {
	var v Value[int]
	if v.Load() != nil {
		t.Error("the zero Value holds something")
	}
	before, changed := v.Watch()
	if before != nil {
		t.Error("the zero Value holds something")
	}
	one, two := 1, 2
	v.Store(&one)
	<-changed
	now, changed := v.Watch()
	if now != &one || v.Load() != &one {
		t.Error("not what was stored")
	}
	select {
	case <-changed:
		t.Error("changed without a change")
	default:
	}
	v.Update(func(old *int) *int {
		if old != &one {
			t.Error("Update got another value")
		}
		return &two
	})
	<-changed
	if v.Load() != &two {
		t.Error("not what Update made")
	}
}

// TestUpdatesTakeTurns: none is lost, and who watches sees the last.
func TestUpdatesTakeTurns(t *testing.T) {
	var v Value[int]
	const writers, each = 8, 100
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				v.Update(func(old *int) *int {
					next := 1
					if old != nil {
						next = *old + 1
					}
					return &next
				})
			}
		})
	}
	wg.Go(func() {
		seen := 0
		for seen < writers*each {
			now, changed := v.Watch()
			if now != nil {
				if *now < seen {
					t.Errorf("went back from %d to %d", seen, *now)
				}
				if seen = *now; seen == writers*each {
					return
				}
			}
			<-changed
		}
	})
	wg.Wait()
	if got := *v.Load(); got != writers*each {
		t.Errorf("%d, want %d", got, writers*each)
	}
}

// TestUpdateThatPanics leaves the value as it was, and usable.
func TestUpdateThatPanics(t *testing.T) {
	var v Value[int]
	one := 1
	v.Store(&one)
	func() {
		defer func() { _ = recover() }()
		v.Update(func(*int) *int { panic("no") })
	}()
	v.Store(v.Load())
	if v.Load() != &one {
		t.Error("the value was lost")
	}
}

// TestLoadDoesNotAllocate since every call does it.
func TestLoadDoesNotAllocate(t *testing.T) {
	var v Value[int]
	one := 1
	v.Store(&one)
	if n := testing.AllocsPerRun(100, func() { v.Load(); v.Watch() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
