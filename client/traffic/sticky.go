package traffic

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// sticky places keys by weighted rendezvous hashing: each backend draws from the key and its own name a time until it
// arrives, exponentially distributed with its weight as the rate, and the first one gets the key. Backend i is the first
// with a chance of its weight in proportion to the sum.
//
// Nobody's draw depends on the other backends. So who is on the only version that grows in proportion to every other stays
// there, and where only one weight grows keys only move to that one.
type sticky struct {
	names   []uint64 // hashes of what the backends are
	weights []float64
}

func newSticky(to []Backend) *sticky {
	s := &sticky{}
	for i := range to {
		s.names = append(s.names, xxhash.Sum64String(to[i].identity()))
		s.weights = append(s.weights, float64(to[i].Weight))
	}
	return s
}

// identity tells a backend from the others of its route, whatever their order and weights.
func (b *Backend) identity() string {
	if b.Respond != nil {
		return "respond\x00" + strconv.Itoa(b.Respond.Status) + "\x00" + b.Respond.Body
	}
	return b.Service + "\x00" + b.Subset + "\x00" + strconv.Itoa(int(b.Port))
}

// choose is the backend of a key.
func (s *sticky) choose(key uint64) int {
	best, at := math.Inf(1), 0
	for i, name := range s.names {
		if s.weights[i] == 0 {
			continue
		}
		// Less is earlier; of equal times, which need equal draws of 53 bits, the first stands.
		if t := arrival(key, name) / s.weights[i]; t < best {
			best, at = t, i
		}
	}
	return at
}

// arrival is -ln(u) for a u that is evenly distributed and never 0 or 1, so that it is finite and above 0.
func arrival(key, name uint64) float64 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], key)
	binary.LittleEndian.PutUint64(b[8:], name)
	u := (float64(xxhash.Sum64(b[:])>>12) + 0.5) / (1 << 52)
	return -math.Log(u)
}
