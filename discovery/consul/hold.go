package consul

import (
	"cmp"
	"slices"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// recovery is how long Consul is given, after it was away, to learn again of the instances that it knew: an agent that
// begins anew takes checks for critical until they have run (every 10 s where nobody says otherwise), instances look every
// 10 s at the latest whether they are still registered, and a restarted node joins its cluster.
const recovery = 30 * time.Second

// hold are instances that Consul's last answer does not have, and which are called all the same. There are two reasons:
// that Consul was away, and may have forgotten them; and that the token lost rights, so that nobody knows how they are.
type hold struct {
	lost   map[string]discovery.Endpoint // since Consul was away
	until  time.Time                     // when lost are given up
	hidden map[string]discovery.Endpoint // since rights were lost, for as long as they are
}

// away is said when Consul answers again, with what was known before.
func (h *hold) away(set []discovery.Endpoint) {
	h.lost, h.until = byAddress(set), time.Now().Add(recovery)
}

// hide is said when answers begin to be filtered, with what was known before.
func (h *hold) hide(set []discovery.Endpoint) { h.hidden = byAddress(set) }

// show is said when they no longer are.
func (h *hold) show() { h.hidden = nil }

// left is for how long lost instances are kept; 0: there are none.
func (h *hold) left() time.Duration {
	if len(h.lost) == 0 {
		return 0
	}
	return max(time.Until(h.until), time.Millisecond)
}

// apply takes a new answer into account, and adds to it what is held, of which it says how many instances there are. Those
// in maintenance are let go: somebody has asked for that, as everybody does who leaves in good order. Of those lost nothing
// else is believed for now. That one is listed says little: what a restarted agent begins with may come to the servers
// after their first answer.
func (h *hold) apply(got *reading) int {
	if !time.Now().Before(h.until) {
		h.lost = nil
	}
	for addr, state := range got.out {
		delete(h.hidden, addr)
		if state == maintenance {
			delete(h.lost, addr)
		}
	}
	if len(h.lost)+len(h.hidden) == 0 {
		return 0
	}
	listed := byAddress(got.endpoints)
	for addr, e := range h.lost {
		if _, ok := listed[addr]; !ok {
			got.endpoints = append(got.endpoints, e)
		}
	}
	for addr, e := range h.hidden {
		if _, ok := listed[addr]; ok {
			delete(h.hidden, addr)
		} else if _, lost := h.lost[addr]; !lost {
			got.endpoints = append(got.endpoints, e)
		}
	}
	slices.SortFunc(got.endpoints, func(a, b discovery.Endpoint) int { return cmp.Compare(a.Addr, b.Addr) })
	return len(got.endpoints) - len(listed)
}

func byAddress(set []discovery.Endpoint) map[string]discovery.Endpoint {
	m := make(map[string]discovery.Endpoint, len(set))
	for _, e := range set {
		m[e.Addr] = e
	}
	return m
}
