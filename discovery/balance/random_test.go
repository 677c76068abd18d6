package balance

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/intramesh/intramesh/discovery"
)

// 200,000 draws, 6 standard deviations.
func TestRandomFollowsWeights(t *testing.T) {
	for _, weights := range [][]uint32{{1, 1, 1, 1}, {1, 3}, {1, 2, 3, 4}, {1, 100}, {1, 1, 1, 1000}, {1, math.MaxUint32}} {
		p := must(t, Random, weighted(weights...))
		counts := make([]int, len(weights))
		for range 200_000 {
			counts[p.Pick(0, nil)]++
		}
		proportions(t, counts, weights, 6)
	}
}

// What is left shares the calls by weight too: half of 20 nodes usable, 200,000 draws, 6 standard deviations and the one
// pick in 4096 that is found by looking through the nodes.
func TestRandomFiltered(t *testing.T) {
	usable := make(mask, 20)
	for _, i := range rand.New(rand.NewPCG(23, 24)).Perm(20)[:10] {
		usable[i] = true
	}
	for name, weights := range map[string][]uint32{
		"even":     {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		"weighted": {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2},
	} {
		p := must(t, Random, weighted(weights...))
		counts := make([]int, 20)
		for range 200_000 {
			counts[p.Pick(0, usable)]++
		}
		left := make([]uint32, 20)
		for i := range left {
			if usable[i] {
				left[i] = weights[i]
			}
		}
		t.Run(name, func(t *testing.T) { proportions(t, counts, left, 6.5) })
	}
}

// Five choices find the one idle node of twenty more often than two: 1-(19/20)(18/19)^(n-1) of 100,000 picks, within 0.01,
// which is 7 standard deviations.
func TestChoices(t *testing.T) {
	nodes := even(20)
	for _, n := range nodes[1:] {
		n.Begin()
	}
	for choices, want := range map[int]float64{0: 0.1, 2: 0.1, 5: 1 - 0.95*math.Pow(18.0/19, 4), 100: 1 - 0.95*math.Pow(18.0/19, 19)} {
		p := mustBy(t, Config{Choices: choices}, nodes)
		found := 0
		for range 100_000 {
			if p.Pick(0, nil) == 0 {
				found++
			}
		}
		if got := float64(found) / 100_000; math.Abs(got-want) > 0.01 {
			t.Errorf("%d choices: %.3f of the picks are of the idle node, expected %.3f", choices, got, want)
		}
	}
}

// Weights and places that change beside picks, and while pickers are made, are not a matter of the pickers that exist.
func TestRevisionsBesidePicks(t *testing.T) {
	nodes := weighted(1, 2, 3, 4, 5)
	configs := []Config{{Algorithm: Maglev, BoundedLoad: 1.5, TableSize: 251}}
	for _, a := range algorithms {
		configs = append(configs, Config{Algorithm: a, RingMax: 2048, TableSize: 251})
	}
	var wg sync.WaitGroup
	for _, c := range configs {
		wg.Go(func() {
			for range 50 {
				p := mustBy(t, c, nodes)
				q := mustByLocality(t, c, Locality{}, home, nodes, allWell(5), 50)
				for range 50 {
					if p.Pick(rand.Uint64(), nil) < 0 || q.Pick(rand.Uint64(), nil) < 0 {
						t.Error("nothing picked")
					}
				}
			}
		})
	}
	for k := range uint32(2000) {
		nodes[k%5].Revise(discovery.Endpoint{Addr: nodes[k%5].addr, Weight: k % 100, Region: string('a' + rune(k%3))})
	}
	wg.Wait()
}
