package balance

import (
	"math"
	"math/rand/v2"
	"testing"
)

// placed is a key and the node that Envoy gives it to.
type placed struct {
	key  uint64
	node int
}

// The rings of Envoy's own tests: test/extensions/load_balancing_policies/ring_hash/ring_hash_lb_test.cc, in Basic,
// UnevenHosts and HostWeightedTinyRing. Each entry of the ring is a key that its node gets; one more is the next node's.
func TestRingIsEnvoys(t *testing.T) {
	six := at(ports(90, 91, 92, 93, 94, 95))
	for name, tt := range map[string]struct {
		nodes []*Node
		c     Config
		ring  []placed
	}{
		"Basic": {six, Config{RingMin: 12}, []placed{
			{833437586790550860, 4}, {928266305478181108, 2}, {1033482794131418490, 0}, {3551244743356806947, 5},
			{3851675632748031481, 3}, {5583722120771150861, 1}, {6311230543546372928, 1}, {7700377290971790572, 3},
			{13144177310400110813, 5}, {13444792449719432967, 2}, {15516499411664133160, 4}, {16117243373044804889, 0},
		}},
		"UnevenHosts": {at(ports(80, 81)), Config{RingMin: 3}, []placed{
			{5454692015285649509, 0}, {7859399908942313493, 1}, {13838424394637650569, 0}, {16064866803292627174, 1},
		}},
		"UnevenHosts, others": {at(ports(81, 82)), Config{RingMin: 3}, []placed{
			{7859399908942313493, 0}, {8241336090459785962, 1}, {12882406409176325258, 1}, {16064866803292627174, 0},
		}},
		"HostWeightedTinyRing": {at(ports(90, 91, 92), 1, 2, 3), Config{RingMin: 6, RingMax: 6}, []placed{
			{928266305478181108, 2}, {4443673547860492590, 2}, {5583722120771150861, 1},
			{6311230543546372928, 1}, {13444792449719432967, 2}, {16117243373044804889, 0},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.c.Algorithm = RingHash
			p := mustBy(t, tt.c, tt.nodes).(*ring)
			if len(p.places) != len(tt.ring) {
				t.Fatalf("%d places, expected %d", len(p.places), len(tt.ring))
			}
			for i, want := range tt.ring {
				if got := p.Pick(want.key, nil); got != want.node {
					t.Errorf("the key %d is node %d's, expected %d", want.key, got, want.node)
				}
				next := tt.ring[(i+1)%len(tt.ring)]
				if got := p.Pick(want.key+1, nil); got != next.node {
					t.Errorf("the key %d is node %d's, expected %d", want.key+1, got, next.node)
				}
			}
			if first := tt.ring[0].node; p.Pick(0, nil) != first || p.Pick(math.MaxUint64, nil) != first {
				t.Error("the ring does not close")
			}
		})
	}
}

// Keys that belong to unusable nodes go to the next usable one on the ring: Envoy's BasicWithRetryHostPredicate, where the
// key 0 belongs to :94, then :92, then :90.
func TestRingGoesOn(t *testing.T) {
	p := mustBy(t, Config{Algorithm: RingHash, RingMin: 12}, at(ports(90, 91, 92, 93, 94, 95)))
	for _, tt := range []struct {
		usable mask
		want   int
	}{
		{mask{true, true, true, true, true, true}, 4},
		{mask{true, true, true, true, false, true}, 2},
		{mask{true, true, false, true, false, true}, 0},
		{mask{false, true, false, true, false, false}, 3},
		{mask{false, true, false, false, false, false}, 1},
	} {
		if got := p.Pick(0, tt.usable); got != tt.want {
			t.Errorf("usable %v: picked %d, expected %d", tt.usable, got, tt.want)
		}
	}
}

// The search by parts finds what a plain search finds, at every place and beside it.
func TestRingFind(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 100} {
		p := mustBy(t, Config{Algorithm: RingHash, RingMin: 8 * n}, even(n)).(*ring)
		for i, place := range p.places {
			if i > 0 && place.hash < p.places[i-1].hash {
				t.Fatalf("%d nodes: the ring is not sorted", n)
			}
			if got := p.find(place.hash); got != i {
				t.Errorf("%d nodes: found %d, expected %d", n, got, i)
			}
			if got := p.find(place.hash + 1); got != i+1 {
				t.Errorf("%d nodes: found %d above place %d", n, got, i)
			}
			if got := p.find(place.hash - 1); got != i && p.places[i-1].hash != place.hash-1 {
				t.Errorf("%d nodes: found %d below place %d", n, got, i)
			}
		}
	}
}

// Both algorithms of keys, in all that they have in common.
var keyed = []Config{{Algorithm: RingHash}, {Algorithm: Maglev}}

// One key has one node, whatever the order of the list.
func TestKeysStay(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range keyed {
		nodes := weighted(1, 5, 2, 8, 1, 1, 3, 9, 4, 1)
		perm := r.Perm(len(nodes))
		shuffled := make([]*Node, len(nodes))
		for to, from := range perm {
			shuffled[to] = nodes[from]
		}
		p, q := mustBy(t, c, nodes), mustBy(t, c, shuffled)
		for range 1000 {
			key := r.Uint64()
			i := p.Pick(key, nil)
			if j := p.Pick(key, nil); j != i {
				t.Fatalf("%s: the key %d is at %d and at %d", c.Algorithm, key, i, j)
			}
			if j := q.Pick(key, nil); shuffled[j] != nodes[i] {
				t.Fatalf("%s: the order of the list moves the key %d", c.Algorithm, key)
			}
		}
	}
}

// A node that is unusable moves its own keys and no others, and spreads them: none of nine others gets over a half.
func TestUnusableNodesMoveTheirOwnKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range keyed {
		p := mustBy(t, c, even(10))
		usable := mask{true, true, true, false, true, true, true, true, true, true}
		var moved [10]int
		total := 0
		for range 20_000 {
			key := r.Uint64()
			before, after := p.Pick(key, nil), p.Pick(key, usable)
			if before != 3 && after != before {
				t.Fatalf("%s: the key %d moved from %d to %d", c.Algorithm, key, before, after)
			}
			if before == 3 {
				moved[after]++
				total++
			}
		}
		for i, n := range moved {
			if n > total/2 || n == 0 && i != 3 {
				t.Errorf("%s: node %d got %d of %d keys", c.Algorithm, i, n, total)
			}
		}
	}
}

// A node that joins takes keys from all and moves hardly any between the others: of 100,000 keys, with 1 node joining 50,
// its share of 1/51 goes to it, give or take 30 %, and under 1/20 move between others: by the table, and by the ring
// because each of 51 has a few places less than each of 50. (A plain remainder would move 50 of 51.)
func TestJoiningNodesMoveFewKeys(t *testing.T) {
	for _, c := range []Config{{Algorithm: RingHash, RingMin: 50_000}, {Algorithm: Maglev}} {
		nodes := even(51)
		p, q := mustBy(t, c, nodes[:50]), mustBy(t, c, nodes)
		r := rand.New(rand.NewPCG(9, 10))
		joined, others := 0, 0
		for range 100_000 {
			key := r.Uint64()
			switch before, after := p.Pick(key, nil), q.Pick(key, nil); {
			case after == 50:
				joined++
			case after != before:
				others++
			}
		}
		if share := float64(joined) / 100_000; share < 0.7/51 || share > 1.3/51 {
			t.Errorf("%s: the new node has %.4f of the keys", c.Algorithm, share)
		}
		if share := float64(others) / 100_000; share > 0.05 {
			t.Errorf("%s: %.4f of the keys moved between others", c.Algorithm, share)
		}
	}
}

// Keys follow the weights: a ring of 100,000 places leaves a standard deviation of about 1/sqrt(places of a node), here
// under 2 %, the table under 1 %; the tolerance is 8 %, of 400,000 keys.
func TestKeysFollowWeights(t *testing.T) {
	weights := []uint32{1, 2, 3, 4, 10}
	for _, c := range []Config{{Algorithm: RingHash, RingMin: 100_000}, {Algorithm: Maglev}} {
		p := mustBy(t, c, weighted(weights...))
		r := rand.New(rand.NewPCG(11, 12))
		counts := make([]int, len(weights))
		for range 400_000 {
			counts[p.Pick(r.Uint64(), nil)]++
		}
		for i, got := range counts {
			if want := 400_000 * float64(weights[i]) / 20; math.Abs(float64(got)-want) > 0.08*want {
				t.Errorf("%s: node %d of weight %d has %d of 400000 keys", c.Algorithm, i, weights[i], got)
			}
		}
	}
}

// A socket is hashed by its path, as Envoy writes it.
func TestSocketsAreHashedByPath(t *testing.T) {
	if got := at([]string{"unix:/run/x"})[0].hashKey(); got != "/run/x" {
		t.Errorf("got %q", got)
	}
}
