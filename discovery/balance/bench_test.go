package balance

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// benched are the ways to pick that are measured; those of the five algorithms with nothing else have their names.
var benched = []struct {
	name string
	c    Config
}{
	{"least_request", Config{}},
	{"least_request_slow_start", Config{SlowStart: &SlowStart{Window: time.Second}}},
	{"round_robin", Config{Algorithm: RoundRobin}},
	{"round_robin_slow_start", Config{Algorithm: RoundRobin, SlowStart: &SlowStart{Window: time.Second}}},
	{"random", Config{Algorithm: Random}},
	{"ring_hash", Config{Algorithm: RingHash}},
	{"ring_hash_bounded", Config{Algorithm: RingHash, BoundedLoad: 1.25}},
	{"maglev", Config{Algorithm: Maglev}},
	{"maglev_bounded", Config{Algorithm: Maglev, BoundedLoad: 1.25}},
}

// The budget is under 150 ns a pick and no allocation, flat from 10 to 100,000 nodes.
func BenchmarkPick(b *testing.B) {
	for _, bb := range benched {
		for _, n := range []int{10, 1000, 100_000} {
			for _, kind := range []string{"even", "weighted", "skewed", "penalties", "half"} {
				if kind == "skewed" && bb.c.Algorithm == RingHash {
					continue // a ring of 8 million entries, which are picked from as others are
				}
				b.Run(fmt.Sprintf("%s/%s/%d", bb.name, kind, n), func(b *testing.B) {
					nodes, f := prepare(kind, n)
					benchmarkPick(b, mustBy(b, bb.c, nodes), f)
				})
			}
		}
	}
}

func benchmarkPick(b *testing.B, p Picker, f Filter) {
	b.ReportAllocs()
	key := rand.Uint64()
	for b.Loop() {
		key += golden
		p.Pick(key, f)
	}
}

// By locality: priorities of which one has half of its nodes ejected, and calls distributed to ten zones.
func BenchmarkPickByLocality(b *testing.B) {
	to := map[string]uint32{}
	for z := range 10 {
		to[fmt.Sprintf("eu/%d", z)] = uint32(1 + z)
	}
	for _, l := range []struct {
		name string
		l    Locality
	}{{"priorities", Locality{}}, {"distribute", Locality{Distribute: []Distribute{{"*", to}}}}} {
		for _, a := range algorithms {
			for _, n := range []int{10, 1000, 100_000} {
				b.Run(fmt.Sprintf("%s/%s/%d", l.name, a, n), func(b *testing.B) {
					nodes, w := zones(n)
					p := mustByLocality(b, Config{Algorithm: a}, l.l, Place{Region: "eu", Zone: "0"}, nodes, w, 50)
					benchmarkPick(b, p, respecting{p, w})
				})
			}
		}
	}
}

// zones are nodes in ten zones of one region, of which the first has half of its nodes ejected.
func zones(n int) ([]*Node, well) {
	nodes, w := make([]*Node, n), allWell(n)
	for i := range nodes {
		nodes[i] = NewNode(discovery.Endpoint{Addr: fmt.Sprintf("10.0.0.%d:80", i), Region: "eu", Zone: fmt.Sprint(i % 10)})
		w[i].Store(i%20 > 0)
	}
	return nodes, w
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
	for _, node := range nodes {
		node.born.Store(now() - int64(time.Hour))
		if kind == "penalties" {
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

// While one node of ten is new.
func BenchmarkPickInSlowStart(b *testing.B) {
	for _, a := range warming {
		for _, n := range []int{10, 1000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", a, n), func(b *testing.B) {
				nodes, _ := prepare("even", n)
				for i := 0; i < n; i += 10 {
					nodes[i].Join()
				}
				benchmarkPick(b, mustBy(b, Config{Algorithm: a, SlowStart: &SlowStart{Window: time.Hour}}, nodes), nil)
			})
		}
	}
}

// Nodes that are full: a bound of 1.25 with calls of ten keys alone.
func BenchmarkPickOfFullNodes(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			nodes, _ := prepare("even", n)
			p := mustBy(b, Config{Algorithm: Maglev, BoundedLoad: 1.25}, nodes)
			for k := range 10 * n {
				nodes[p.Pick(mix(uint64(k%10)), nil)].Begin()
			}
			b.ReportAllocs()
			k := uint64(0)
			for b.Loop() {
				k++
				p.Pick(mix(k%10), nil)
			}
		})
	}
}

// A change of the list makes a new picker.
func BenchmarkNew(b *testing.B) {
	for _, a := range algorithms {
		for _, kind := range []string{"even", "weighted", "skewed"} {
			b.Run(fmt.Sprintf("%s/%s", a, kind), func(b *testing.B) {
				nodes, _ := prepare(kind, 100_000)
				b.ReportAllocs()
				for b.Loop() {
					mustBy(b, Config{Algorithm: a}, nodes)
				}
			})
		}
	}
}

// A change of health shares calls out anew, among 100,000 nodes.
func BenchmarkUpdate(b *testing.B) {
	nodes, w := zones(100_000)
	p := mustByLocality(b, Config{}, Locality{}, Place{Region: "eu", Zone: "0"}, nodes, w, 50)
	b.ReportAllocs()
	for b.Loop() {
		p.Update()
	}
}
