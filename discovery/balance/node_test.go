package balance

import (
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-3*math.Max(1, math.Abs(b)) }

func TestPenaltyDecays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNode(discovery.Endpoint{})
		if n.Penalty() != 0 {
			t.Errorf("a node without failures has the penalty %v", n.Penalty())
		}
		n.Fail()
		n.Fail()
		if !near(n.Penalty(), 2) {
			t.Errorf("after two failures: %v", n.Penalty())
		}
		time.Sleep(penaltyDecay)
		if !near(n.Penalty(), 2/math.E) {
			t.Errorf("after %v: %v, expected %v", penaltyDecay, n.Penalty(), 2/math.E)
		}
		n.Fail()
		if !near(n.Penalty(), 1+2/math.E) {
			t.Errorf("after another failure: %v", n.Penalty())
		}
		time.Sleep(time.Hour)
		if n.Penalty() > 1e-6 {
			t.Errorf("after an hour: %v", n.Penalty())
		}
	})
}

// A node that failed for ever is back in 70 s.
func TestPenaltyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNode(discovery.Endpoint{})
		for range 1_000_000 {
			n.Fail()
		}
		if n.Penalty() > maxPenalty*1.001 {
			t.Errorf("a million failures: %v", n.Penalty())
		}
		time.Sleep(70 * time.Second)
		if n.Penalty() > 1 {
			t.Errorf("70 s later: %v", n.Penalty())
		}
	})
}

func TestNodeCountsConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time stands still, so that no failure decays
		n := NewNode(discovery.Endpoint{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 100 {
					n.Begin()
					n.Fail()
				}
			})
		}
		wg.Wait()
		if n.InFlight() != 800 || !near(n.Penalty(), 800) {
			t.Errorf("in flight %d, penalty %v after 800 of each", n.InFlight(), n.Penalty())
		}
	})
}

func TestShareIsAtLeastOne(t *testing.T) {
	n := NewNode(discovery.Endpoint{})
	if n.Share() != 1 || new(Node).Share() != 1 {
		t.Error("the default is not 1")
	}
	n.Revise(discovery.Endpoint{Weight: 5})
	if n.Share() != 5 {
		t.Errorf("got %d", n.Share())
	}
	if n.Revise(discovery.Endpoint{}); n.Share() != 1 {
		t.Errorf("got %d", n.Share())
	}
}
