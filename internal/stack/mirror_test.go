package stack

import (
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

func TestShadow(t *testing.T) {
	for in, want := range map[string]string{
		"orders": "orders-shadow", "orders:8080": "orders-shadow:8080", "orders.shop.svc": "orders.shop.svc-shadow",
		"10.0.0.1:80": "10.0.0.1-shadow:80", "[::1]:80": "[::1]:80", "::1": "::1", "": "-shadow",
	} {
		if got := Shadow(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// copyWire counts its copies.
type copyWire struct {
	faultWire

	copied map[string]int
}

func (w copyWire) Copy(cs *Copies) {
	for _, to := range cs.to {
		w.copied[to.Service]++
	}
	cs.Drop(CopyMessage)
}

// TestMirrorShares: of 10,000 requests with a fixed seed each mirror gets its share within four standard deviations, and
// one's share says nothing of the other's, nor of the split's.
func TestMirrorShares(t *testing.T) {
	withRoute(t, resilience.Policy{}, traffic.Route{
		To:      []traffic.Backend{{Weight: 50}, {Service: "orders", Weight: 50}},
		Mirrors: []traffic.Mirror{{Service: "half", Percent: 50}, {Service: "few", Percent: 1}, {Service: "all", Percent: 100}, {Service: "none"}},
	}, func(t *testing.T, r *faultRig) {
		copied, first := map[string]int{}, 0
		const n = 10_000
		for range n {
			before := copied["half"]
			c, _ := r.send(t.Context(), func(c *Call) { c.Wire = copyWire{faultWire{rigWire{r.rig}, nil}, copied} })
			if copied["half"] > before && c.Target().Index == 0 {
				first++
			}
		}
		if h := copied["half"]; h < 4800 || h > 5200 { // sigma 50
			t.Errorf("half: %d, want 5,000 +-200", h)
		}
		if f := copied["few"]; f < 60 || f > 140 { // sigma 10
			t.Errorf("few: %d, want 100 +-40", f)
		}
		if copied["all"] != n || copied["none"] != 0 {
			t.Errorf("%v", copied)
		}
		if first < 2327 || first > 2673 { // sigma 43
			t.Errorf("of the copies %d are of calls to the first destination, want 2,500 +-173", first)
		}
	})
}

// TestCopyMayBeOfNoUse: a wire that cannot copy, and a rule without mirrors, have none.
func TestCopyMayBeOfNoUse(t *testing.T) {
	withRoute(t, resilience.Policy{}, traffic.Route{Mirrors: []traffic.Mirror{{Percent: 100}}}, func(t *testing.T, r *faultRig) {
		if c, err := r.send(t.Context()); err != nil || c.Copies() != nil || c.Last().Outcome.Code != call.OK {
			t.Error(err, c.Copies())
		}
	})
}
