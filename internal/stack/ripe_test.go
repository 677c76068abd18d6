package stack

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// TestProbeOfAPlaceWithoutCalls: all of the own zone is out, so that no call goes there. When the time is over the next call
// is the probe of the first endpoint, the one after it that of the second. A probe that says nothing is followed by another
// after a moment, and one that fails by none before the next ejection is over.
func TestProbeOfAPlaceWithoutCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, served: make(map[string]int)}
		r.c = NewClient(Config{
			Discovery: discovery.Static{"orders": {
				{Addr: "a:1", Zone: "here"}, {Addr: "b:1", Zone: "here"}, {Addr: "c:1", Zone: "there"},
			}},
			Resilience: resilience.Config{Default: resilience.Policy{
				Outlier: &resilience.Outlier{Consecutive5xx: 1, MaxPercent: 100, Jitter: -1},
			}},
			Traffic: traffic.Policy{Destinations: []traffic.Destination{{
				Service: "orders", Settings: traffic.Settings{Locality: &traffic.Locality{}},
			}}},
			Local:  traffic.Local{Zone: "here"},
			Warmup: time.Hour, Logger: slog.New(slog.DiscardHandler), Listener: r,
		})
		defer r.c.Close()
		r.dest()
		synctest.Wait()
		r.judge("a:1", http500, 1)
		time.Sleep(time.Second)
		r.judge("b:1", http500, 1)

		says := map[string]call.Outcome{"a:1": {Err: context.Canceled, Canceled: true}, "b:1": http500, "c:1": http200}
		r.try = func(a *Attempt) call.Outcome { return says[a.Addr] }
		calls := func(wait time.Duration, want map[string]int) {
			t.Helper()
			time.Sleep(wait)
			clear(r.served)
			for range 100 {
				_, _ = r.do()
			}
			for addr, n := range want {
				if r.served[addr] != n {
					t.Errorf("%d calls at %s, want %d: %v", r.served[addr], addr, n, r.served)
				}
			}
		}
		calls(28*time.Second, map[string]int{"a:1": 0, "b:1": 0})
		calls(2*time.Second, map[string]int{"a:1": 1, "b:1": 1})
		calls(lookAgain-1, map[string]int{"a:1": 0, "b:1": 0})
		says["a:1"] = http200
		calls(1, map[string]int{"b:1": 0})
		if r.node("a:1").Ejected() || r.served["a:1"] < 50 {
			t.Errorf("the zone has half of its endpoints again: %v", r.served)
		}
		calls(time.Minute, map[string]int{"b:1": 1})
	})
}
