package traffic

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

func weights(of ...uint32) (to []Backend) {
	for i, w := range of {
		to = append(to, Backend{Service: "s" + itoa(i), Weight: w})
	}
	return to
}

func shareOf(to []Backend, i int) float64 {
	var sum float64
	for _, b := range to {
		sum += float64(b.Weight)
	}
	return float64(to[i].Weight) / sum
}

// After N requests each backend has N x share of them to within the number of bits that are set in N, and in these cases
// even log2(N)/3 + 1. A sequence of random numbers would be off by 400 at the end.
func TestSplitIsExact(t *testing.T) {
	for _, to := range [][]Backend{
		weights(1, 1), weights(90, 10), weights(99, 1), weights(1, 1, 1), weights(1, 2, 3, 4, 5), weights(999, 1), weights(0, 37, 63, 0),
		weights(math.MaxUint32, math.MaxUint32, math.MaxUint32), weights(math.MaxUint32, 1), weights(5, 0),
	} {
		s := newSplit(to)
		count := make([]float64, len(to))
		for n := range uint64(1 << 17) {
			count[s.choose(n)]++
			hard, usual := float64(bits.OnesCount64(n+1)), math.Log2(float64(n+1))/3+1
			for i := range to {
				if d := math.Abs(count[i] - float64(n+1)*shareOf(to, i)); d > hard+1e-6 || d > usual+1e-6 {
					t.Fatalf("%v: after %d requests backend %d is off by %.2f", to, n+1, i, d)
				}
			}
		}
	}
}

// From any request on the bound is twice as wide: what was, and what is with it.
func TestSplitIsExactFromAnyStart(t *testing.T) {
	d := newDice(1)
	s := newSplit(weights(90, 10))
	for range 2000 {
		start, n := d.Uint64()>>d.IntN(60), 1+d.Uint64N(3000)
		count := 0.0
		for i := range n {
			count += float64(s.choose(start + i))
		}
		if off := math.Abs(count - float64(n)/10); off > 2*(math.Log2(float64(n))/3+3) {
			t.Fatalf("%d requests from %d on: %v, off by %.2f", n, start, count, off)
		}
	}
}

// A thousand swaps: where the weights stay the split does not notice; where they change each stretch is off by its own
// bound at most, and as the stretches' errors have different signs, all of them by less than 100 (seen: under 40) of
// 1,000,000 requests.
func TestSplitOverSwaps(t *testing.T) {
	const swaps, each = 1000, 1000
	var n uint64
	same, changing, want := 0.0, 0.0, 0.0
	for i := range uint32(swaps) {
		to := weights(1000-i, i)
		kept, swapped := newSplit(weights(3, 7)), newSplit(to)
		for range each {
			same += float64(kept.choose(n))
			changing += float64(swapped.choose(n))
			n++
		}
		want += each * shareOf(to, 1)
		if d := math.Abs(same - float64(n)*0.7); d > math.Log2(float64(n))/3+3 {
			t.Fatalf("after %d swaps of the same weights off by %.2f", i+1, d)
		}
		if d := math.Abs(changing - want); d > 100 {
			t.Fatalf("after %d swaps of weights off by %.2f", i+1, d)
		}
	}
}

// A caller with a rhythm sees the split within each kind of its requests, as close as if lots were drawn: within five
// standard deviations of that.
func TestSplitOfCallersWithARhythm(t *testing.T) {
	const requests = 10_000
	for _, period := range []uint64{2, 3, 4, 6, 8, 10, 16, 64, 100, 128, 1000, 1024, 4096, 65536} {
		for _, to := range [][]Backend{weights(50, 50), weights(90, 10), weights(99, 1)} {
			s, share := newSplit(to), shareOf(to, 1)
			for phase := range min(period, 16) {
				count := 0.0
				for i := range uint64(requests) {
					count += float64(s.choose(i*period + phase))
				}
				if off := math.Abs(count - requests*share); off > 5*math.Sqrt(requests*share*(1-share)) {
					t.Errorf("every %d-th request from %d on, %v: %v of %d", period, phase, to, count, requests)
				}
			}
		}
	}
}

func TestSplitAtItsEdges(t *testing.T) {
	s := newSplit(weights(0, 1, 0, 1, 0))
	for _, tt := range []struct {
		u    uint64
		want int
	}{{0, 1}, {1<<63 - 1, 1}, {1 << 63, 3}, {math.MaxUint64, 3}} {
		if got := s.at(tt.u); got != tt.want {
			t.Errorf("at %x: %d, want %d", tt.u, got, tt.want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		to := make([]Backend, 1+r.IntN(8))
		var sum uint64
		for i := range to {
			to[i].Weight = r.Uint32() >> r.IntN(33) * r.Uint32N(2)
			sum += uint64(to[i].Weight)
		}
		if sum == 0 {
			continue
		}
		s := newSplit(to)
		for _, u := range []uint64{0, 1, math.MaxUint64, r.Uint64()} {
			if i := s.at(u); to[i].Weight == 0 {
				t.Fatalf("%v: %d has no weight and gets %x", to, i, u)
			}
		}
		for i, end := range s.ends { // where a part ends the next one with a weight begins
			if at := s.at(end); end < math.MaxUint64 && at <= i {
				t.Fatalf("%v: %d gets what is behind its end", to, at)
			}
		}
	}
}

// spread is a permutation of each dyadic block, which is what the bound rests on.
func TestSpreadFillsEveryPart(t *testing.T) {
	for k := range 12 {
		for _, block := range []uint64{0, 1, 77, 1 << 40} {
			seen := make([]bool, 1<<k)
			for i := range uint64(1) << k {
				part := bits.RotateLeft64(spread(block<<k+i), k) & (1<<k - 1)
				if seen[part] {
					t.Fatalf("two of %d requests from %d on in part %d", 1<<k, block<<k, part)
				}
				seen[part] = true
			}
		}
	}
}
