package balance

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// ring is a ring of hashes: each node stands at many places of it, as many as its weight says, and a key belongs to the
// next place at or above it. The places are Envoy's, so that both send a key to the same node: xxhash64 of the node's
// address, "_" and a number counted from 0.
//
// A key whose node f does not let pass goes on along the ring, and no other key moves. (Envoy builds another ring of what
// is healthy, where all may stand at other places if the number of places for each has changed.)
type ring struct {
	list
	places []place
	guide  []int32 // where the places of each of 2^n equal parts of the ring begin, and their end
	shift  uint    // of a hash, to the number of its part
}

type place struct {
	hash uint64
	node int32
}

func newRing(l list, low, high int) *ring {
	r := &ring{list: l}
	r.places = placesOf(l, low, high)
	r.sort()
	return r
}

// placesOf deals the places. The lightest node gets a whole number of them, so that there are at least low; the others get
// as their weights say, where running sums see to it that the fractions are not lost.
func placesOf(l list, low, high int) []place {
	weights, lightest := l.normalized()
	if len(weights) == 0 {
		return nil
	}
	scale := math.Min(math.Ceil(lightest*float64(low))/lightest, float64(high))
	places := make([]place, 0, int(math.Ceil(scale)))
	var have, want float64
	var key []byte
	for _, n := range l.byKey() {
		key = append(append(key[:0], n.key...), '_')
		key = slices.Grow(key, 20) // the digits of the largest number
		// The conversion keeps a compiler from fusing the two operations, which would round otherwise than Envoy.
		want += float64(scale * weights[n.node])
		for k := uint64(0); have < want; k++ {
			places = append(places, place{xxhash.Sum64(strconv.AppendUint(key, k, 10)), n.node})
			have++
		}
	}
	return places
}

// sort brings the places into their order. Hashes are even, so that most parts of the guide hold no more than one or two.
func (r *ring) sort() {
	n := uint(bits.Len(uint(len(r.places))))
	r.shift = 64 - n
	r.guide = make([]int32, 1<<n+1)
	for _, p := range r.places {
		r.guide[p.hash>>r.shift+1]++
	}
	for part := range 1 << n {
		r.guide[part+1] += r.guide[part]
	}
	sorted, next := make([]place, len(r.places)), slices.Clone(r.guide)
	for _, p := range r.places {
		part := p.hash >> r.shift
		sorted[next[part]] = p
		next[part]++
	}
	for part := range 1 << n {
		slices.SortFunc(sorted[r.guide[part]:r.guide[part+1]], func(a, b place) int {
			return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.node, b.node))
		})
	}
	r.places = sorted
}

// Pick takes the node at the key's place.
func (r *ring) Pick(key uint64, f Filter) int { return r.id(r.at(key, f)) }

// at is the node of the next place at or above the key, or of the next after that which f lets pass.
func (r *ring) at(key uint64, f Filter) int {
	if len(r.places) == 0 {
		return -1
	}
	i := r.find(key)
	last := int32(-1)
	for range steps {
		if i >= len(r.places) {
			i = 0
		}
		if n := r.places[i].node; n != last {
			if r.usable(int(n), f) {
				return int(n)
			}
			last = n
		}
		i++
	}
	return r.scanFrom(r.spread(key), -1, f)
}

// steps bounds how far a pick goes on from a key's place. Beyond, which with half of the nodes unusable happens once in
// 10^19 picks and with nine of ten once in 850, it looks through the list, from a start that the key decides.
const steps = 64

// find is the place of a key, or the number of places where the next is the first.
func (r *ring) find(key uint64) int {
	part := key >> r.shift
	i, end := int(r.guide[part]), int(r.guide[part+1])
	for i < end && r.places[i].hash < key {
		i++
	}
	return i
}
