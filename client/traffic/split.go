package traffic

import (
	"math"
	"math/bits"
	"slices"
)

// split divides requests by weights.
type split struct {
	// ends[i] is where the part of backend i ends in [0, 2^64), the last one's apart, which goes to the end. A backend
	// without weight has an empty part.
	ends []uint64
	last int // the last backend that has weight
}

// newSplit makes the parts. The sum of the weights must not be 0; of at most 2^32 backends it cannot overflow.
func newSplit(to []Backend) split {
	s := split{ends: make([]uint64, len(to))}
	var sum, below uint64
	for i := range to {
		sum += uint64(to[i].Weight)
	}
	for i := range to {
		below += uint64(to[i].Weight)
		if to[i].Weight > 0 {
			s.last = i
		}
		if below >= sum {
			s.ends[i] = math.MaxUint64
			continue
		}
		s.ends[i], _ = bits.Div64(below, 0, sum) // below/sum x 2^64
	}
	return s
}

// choose is the backend of the n-th request.
func (s *split) choose(n uint64) int { return s.at(spread(n)) }

// at is the backend whose part has u in it.
func (s *split) at(u uint64) int {
	i, ok := slices.BinarySearch(s.ends, u)
	if ok { // u is where a part ends, so it is in the next one that is not empty
		for i < len(s.ends) && s.ends[i] == u {
			i++
		}
	}
	return min(i, s.last)
}
