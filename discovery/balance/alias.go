package balance

import (
	"math/bits"
	"math/rand/v2"
)

// aliasTable draws indexes in proportion to weights in constant time (Walker's alias method, in Vose's form). Each
// index has a column of equal probability; a column belongs to its index up to keep, and to one other index above it.
type aliasTable []column

type column struct {
	keep  uint64 // in units of 2^-64 of the column
	other int
}

// newAliasTable is nil where all nodes have the same weight: a uniform draw is cheaper.
func newAliasTable(nodes []*Node) *aliasTable {
	weights, total := shares(nodes)
	if weights == nil {
		return nil
	}
	t := make(aliasTable, len(nodes))
	t.fill(weights, total)
	return &t
}

// fill deals what is left over of the columns that are too full to those that are not full. It calculates in integers:
// a weight times the number of nodes fits in 64 bits, and nothing is lost to rounding.
func (t aliasTable) fill(weights []uint64, total uint64) {
	n := uint64(len(weights))
	small, large := make([]int, 0, n), make([]int, 0, n)
	for i := range weights {
		weights[i] *= n // now a column is full at total
		t[i].other = i
		if weights[i] < total {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		keep, _ := bits.Div64(weights[s], 0, total)
		t[s] = column{keep: keep, other: l}
		if weights[l] -= total - weights[s]; weights[l] < total {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
}

// draw takes column and place in it from one random word.
func (t aliasTable) draw() int {
	i, place := bits.Mul64(rand.Uint64(), uint64(len(t)))
	if c := t[i]; place >= c.keep {
		return c.other
	}
	return int(i)
}

// shares are the weights of nodes and their sum; nil where all are the same.
func shares(nodes []*Node) (weights []uint64, total uint64) {
	weights = make([]uint64, len(nodes))
	differ := false
	for i, n := range nodes {
		weights[i] = uint64(n.Share())
		total += weights[i]
		differ = differ || weights[i] != weights[0]
	}
	if !differ {
		return nil, total
	}
	return weights, total
}
