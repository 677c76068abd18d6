package balance

// health is how many of a level's or part's nodes are well.
type health struct{ well, size int }

// overprovisioning is how much more than its share, in percent, a level is thought to be able to carry: it keeps all of
// its load while 100/140, about 72 %, of it is well. It is Envoy's.
const overprovisioning = 140

// score is the load that the nodes can carry, in percent of what is theirs.
func (h health) score() int {
	if h.size == 0 {
		return 0
	}
	return min(100, overprovisioning*h.well/h.size)
}

// loads shares calls out between levels, in percent that sum to 100, and says which of them are in panic: whose health is
// to be ignored because less than panicPercent of them are well, and the others cannot take what they leave. The
// arithmetic is Envoy's, its rounding included: every level carries what it can, from the first on, as long as there is
// load; where all together cannot carry it, each carries more in proportion; what rounding leaves is the first's that can
// carry anything. Where all are in panic the load goes by their sizes alone.
func loads(levels []health, panicPercent int) (percent []int, panics []bool) {
	percent, panics = make([]int, len(levels)), make([]bool, len(levels))
	if len(levels) == 0 {
		return percent, panics
	}
	total := 0
	for _, h := range levels {
		total += h.score()
	}
	total = min(total, 100)
	all := true
	for i, h := range levels {
		panics[i] = total < 100 && 100*h.well < panicPercent*h.size
		all = all && panics[i]
	}
	switch {
	case all:
		bySize(levels, percent)
	case total == 0:
		percent[0] = 100 // whether anything there can be used is the filter's matter
	default:
		byScore(levels, percent, total)
	}
	return percent, panics
}

func byScore(levels []health, percent []int, total int) {
	left, first := 100, -1
	for i, h := range levels {
		if first < 0 && h.score() > 0 {
			first = i
		}
		percent[i] = min(left, h.score()*100/total)
		left -= percent[i]
	}
	percent[first] += left
}

func bySize(levels []health, percent []int) {
	size, left := 0, 100
	for _, h := range levels {
		size += h.size
	}
	for i, h := range levels {
		percent[i] = 100 * h.size / size
		left -= percent[i]
	}
	percent[0] += left
}

// weigh is a part's weight by how well it is: the whole of it down to about 72 %, then in proportion, as for levels
// but without rounding. A weight of 2^32 stays under 2^53.
func (h health) weigh(weight uint32) uint64 {
	const unit = 1 << 20
	if overprovisioning*h.well >= 100*h.size {
		return uint64(weight) * unit
	}
	return uint64(float64(weight) * unit * overprovisioning / 100 * float64(h.well) / float64(h.size))
}
