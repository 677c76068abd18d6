package shop

import (
	"math"
	"time"
)

// A histogram counts durations in buckets that grow by 5 %, from 10 us to about a minute, so that percentiles of many
// processes can be added up and a run may last for days.
type histogram []int

const (
	firstBucket = 10 * time.Microsecond
	growth      = 1.05
	lastBucket  = 320
)

func (h *histogram) add(d time.Duration) {
	i := 0
	if d > firstBucket {
		i = min(lastBucket, int(math.Log(float64(d)/float64(firstBucket))/math.Log(growth))+1)
	}
	h.grow(i + 1)
	(*h)[i]++
}

// merge adds o, or with a sign of -1 takes it away.
func (h *histogram) merge(o histogram, sign int) {
	h.grow(len(o))
	for i, n := range o {
		(*h)[i] += sign * n
	}
}

func (h *histogram) grow(n int) {
	if n > len(*h) {
		*h = append(*h, make(histogram, n-len(*h))...)
	}
}

// quantile is the upper edge of the bucket that holds the q-th part, so it errs by at most 5 %, upwards.
func (h *histogram) quantile(q float64) time.Duration {
	total := 0
	for _, n := range *h {
		total += n
	}
	rank := int(math.Ceil(q * float64(total)))
	for i, n := range *h {
		if rank -= n; rank <= 0 && n > 0 {
			return time.Duration(float64(firstBucket) * math.Pow(growth, float64(i)))
		}
	}
	return 0
}
