package balance

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// The budget is under 150 ns a pick and no allocation, flat from 10 to 100,000 nodes.
func BenchmarkPick(b *testing.B) {
	for _, a := range algorithms {
		for _, n := range []int{10, 1000, 100_000} {
			for _, kind := range []string{"even", "weighted", "skewed", "penalties", "half"} {
				b.Run(fmt.Sprintf("%s/%s/%d", a, kind, n), func(b *testing.B) { benchmarkPick(b, a, kind, n) })
			}
		}
	}
}

func benchmarkPick(b *testing.B, a Algorithm, kind string, n int) {
	nodes, f := prepare(kind, n)
	p := must(b, a, nodes)
	b.ReportAllocs()
	for b.Loop() {
		p.Pick(rand.Uint64(), f)
	}
}

// prepare makes nodes: of different weights, one far heavier than all, all with a recent failure, half of them unusable.
func prepare(kind string, n int) ([]*Node, Filter) {
	weights := make([]uint32, n)
	var f Filter
	for i := range weights {
		if kind == "weighted" {
			weights[i] = uint32(1 + i%7)
		}
	}
	if kind == "skewed" {
		weights[n/2] = 1 << 31
	}
	nodes := weighted(weights...)
	if kind == "penalties" {
		for _, node := range nodes {
			node.Fail()
		}
	}
	if kind == "half" {
		m := make(mask, n)
		for i := range m {
			m[i] = i%2 == 0
		}
		f = m
	}
	return nodes, f
}

// A change of the list makes a new picker: for 100,000 nodes it must stay well under 10 ms.
func BenchmarkNew(b *testing.B) {
	for _, a := range algorithms {
		for _, kind := range []string{"even", "weighted", "skewed"} {
			b.Run(fmt.Sprintf("%s/%s", a, kind), func(b *testing.B) {
				nodes, _ := prepare(kind, 100_000)
				b.ReportAllocs()
				for b.Loop() {
					must(b, a, nodes)
				}
			})
		}
	}
}
