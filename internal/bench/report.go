package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// absolute is the line of the implementation that the others are compared with.
func absolute(s []sample) string {
	us := func(of func(sample) float64) string { return fmt.Sprintf("%.1fus", 1e6*median(s, of)) }
	return fmt.Sprintf("cpu=%s allocs=%.0f p50=%s p99=%s calls/s=%.0f",
		us(cpu), median(s, allocs), us(p50), us(p99), median(s, func(s sample) float64 { return s.rate }))
}

// relative is the line of another one: each round against the plain one beside it, and its CPU time also against the tuned
// one.
func relative(s, plain, tuned []sample) string {
	ratio := func(of func(sample) float64) []float64 {
		return pairwise(s, plain, func(a, b sample) float64 { return of(a) / of(b) })
	}
	cpus := ratio(cpu)
	more := pairwise(s, plain, func(a, b sample) float64 { return a.allocs - b.allocs })
	tuning := pairwise(s, tuned, func(a, b sample) float64 { return a.cpu / b.cpu })
	return fmt.Sprintf("cpu=%.2fx tuned=%.2fx allocs=%+d p50=%.2fx p99=%.2fx spread=%.2f-%.2fx",
		quantile(cpus, 0.5), quantile(tuning, 0.5), int(math.Round(quantile(more, 0.5))), quantile(ratio(p50), 0.5), quantile(ratio(p99), 0.5),
		quantile(cpus, 0.25), quantile(cpus, 0.75))
}

func cpu(s sample) float64    { return s.cpu }
func allocs(s sample) float64 { return s.allocs }
func p50(s sample) float64    { return s.p50 }
func p99(s sample) float64    { return s.p99 }

func median(s []sample, of func(sample) float64) float64 {
	values := make([]float64, len(s))
	for i := range s {
		values[i] = of(s[i])
	}
	slices.Sort(values)
	return quantile(values, 0.5)
}

// pairwise compares round with round, and sorts what comes out.
func pairwise(a, b []sample, f func(a, b sample) float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = f(a[i], b[i])
	}
	slices.Sort(out)
	return out
}

// quantile is the value below which the share q of sorted lies, by the nearest rank.
func quantile[T cmp.Ordered](sorted []T, q float64) T {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
