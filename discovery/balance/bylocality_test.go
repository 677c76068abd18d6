package balance

import (
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// well lets tests change the health of nodes.
type well []atomic.Bool

func allWell(n int) well {
	w := make(well, n)
	for i := range w {
		w[i].Store(true)
	}
	return w
}

func (w well) ask(i int) bool { return w[i].Load() }

func (w well) set(healthy bool, nodes ...int) {
	for _, i := range nodes {
		w[i].Store(healthy)
	}
}

func mustByLocality(t testing.TB, c Config, l Locality, from Place, nodes []*Node, w well, panicPercent int) *ByLocality {
	t.Helper()
	p, err := NewByLocality(c, l, from, nodes, w.ask, panicPercent)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// respecting is what a client's filter does: the unhealthy stand back, unless their priority is in panic.
type respecting struct {
	p *ByLocality
	w well
}

func (r respecting) Usable(i int) bool { return r.w.ask(i) || r.p.Panic(i) }

// spread is how many of 100,000 picks go to each node.
func (p *ByLocality) spread(f Filter) []int {
	counts := make([]int, len(p.levelOf))
	r := rand.New(rand.NewPCG(15, 16))
	for range 100_000 {
		counts[p.Pick(r.Uint64(), f)]++
	}
	return counts
}

func add(counts []int, nodes ...int) (n int) {
	for _, i := range nodes {
		n += counts[i]
	}
	return n
}

// about: within 1.5 % of 100,000 picks, more than 9 standard deviations.
func about(got int, percent float64) bool { return math.Abs(float64(got)-1000*percent) <= 1500 }

// With half of the nearest well, 70 % of the calls stay there; with none they go on; with all they are back.
func TestFailover(t *testing.T) {
	nodes := placedAt("eu/a/1", "eu/a/1", "eu/a/1", "eu/a/1", "eu/b", "eu/b", "us/c")
	for _, a := range algorithms {
		w := allWell(len(nodes))
		p := mustByLocality(t, Config{Algorithm: a}, Locality{}, home, nodes, w, 50)
		f := respecting{p, w}
		if c := p.spread(nil); add(c, 0, 1, 2, 3) != 100_000 {
			t.Errorf("%s, all well: %v", a, c)
		}
		w.set(false, 0, 1)
		p.Update()
		if c := p.spread(f); !about(add(c, 2, 3), 70) || !about(add(c, 4, 5), 30) || add(c, 0, 1) > 0 {
			t.Errorf("%s, half well: %v", a, c)
		}
		w.set(false, 2, 3)
		p.Update()
		if c := p.spread(f); add(c, 4, 5) != 100_000 {
			t.Errorf("%s, none well: %v", a, c)
		}
		w.set(true, 0, 1, 2, 3)
		p.Update()
		if c := p.spread(f); add(c, 0, 1, 2, 3) != 100_000 {
			t.Errorf("%s, all well again: %v", a, c)
		}
	}
}

// Before anybody calls Update, what the filter does not let pass is avoided all the same.
func TestFilterGoesBeforeLoads(t *testing.T) {
	nodes := placedAt("eu/a/1", "eu/b", "us/c")
	for _, a := range algorithms {
		p := mustByLocality(t, Config{Algorithm: a}, Locality{}, home, nodes, allWell(3), 50)
		for only, want := range map[int]only{1: {1: true, 2: true}, 2: {2: true}, -1: {}} {
			if got := p.Pick(rand.Uint64(), want); got != only {
				t.Errorf("%s: picked %d of %v", a, got, want)
			}
		}
	}
}

// When too few are well everywhere their health is ignored, where it is under the threshold.
func TestPanic(t *testing.T) {
	nodes := placedAt("eu/a/1", "eu/a/1", "eu/a/1", "eu/a/1", "us/c", "us/c")
	w := allWell(len(nodes))
	p := mustByLocality(t, Config{}, Locality{}, home, nodes, w, 50)
	f := respecting{p, w}
	w.set(false, 0, 1, 2, 4) // 25 % and 50 %: 35 and 70 are enough
	if p.Update(); p.Panic(0) || p.Panic(4) {
		t.Error("in panic with enough left")
	}
	w.set(false, 5) // 25 % and none: 35 to be carried by all that is left
	if p.Update(); !p.Panic(0) || !p.Panic(4) {
		t.Error("not in panic")
	}
	c := p.spread(f) // both in panic: 4 to 2
	for i, got := range c {
		if !about(got, 100.0/6) {
			t.Errorf("node %d: %d of 100000 picks in panic", i, got)
		}
	}
	w.set(true, 3, 2)
	if p.Update(); p.Panic(0) || !p.Panic(4) {
		t.Error("half of the nodes is not under the threshold of 50 %")
	}
	if c := p.spread(f); add(c, 0, 1) > 0 || !about(add(c, 2, 3), 100) {
		t.Errorf("a part in panic: %v", c)
	}
}

func TestDistribute(t *testing.T) {
	nodes := placedAt("eu/a", "eu/a", "eu/a", "eu/b", "us/c", "us/d", "ap/x")
	l := Locality{Distribute: []Distribute{{"eu", map[string]uint32{"eu/a": 60, "eu/b": 30, "us/*": 10}}}}
	for _, a := range algorithms {
		w := allWell(len(nodes))
		p := mustByLocality(t, Config{Algorithm: a, RingMin: 1 << 16}, l, home, nodes, w, 0)
		f := respecting{p, w}
		if c := p.spread(nil); !about(add(c, 0, 1, 2), 60) || !about(c[3], 30) || !about(add(c, 4, 5), 10) || c[6] > 0 || !about(c[1], 20) {
			t.Errorf("%s: %v", a, c)
		}
		w.set(false, 0, 1) // a third of 60, times 1.4: 28 to 30 and 10
		p.Update()
		if c := p.spread(f); !about(c[2], 2800.0/68) || !about(c[3], 3000.0/68) || !about(add(c, 4, 5), 1000.0/68) {
			t.Errorf("%s, a third well: %v", a, c)
		}
		w.set(false, 2)
		p.Update()
		if c := p.spread(f); !about(c[3], 75) || !about(add(c, 4, 5), 25) {
			t.Errorf("%s, none well: %v", a, c)
		}
		if got := p.Pick(1, only{6: true}); got != -1 {
			t.Errorf("%s: picked %d, which gets no share", a, got)
		}
	}
}

func TestDistributeToNobody(t *testing.T) {
	l := Locality{Distribute: []Distribute{{"eu", map[string]uint32{"sa": 1}}}}
	p := mustByLocality(t, Config{}, l, home, placedAt("eu/a", "us/c"), allWell(2), 50)
	if got := p.Pick(1, nil); got != -1 || p.Panic(0) {
		t.Errorf("picked %d", got)
	}
	p.Update()
}

// A key stays where it is when other places lose health, as long as its own place keeps its load.
func TestKeysStayAtTheirPlace(t *testing.T) {
	nodes := placedAt("eu/a", "eu/a", "eu/b", "eu/b", "us/c", "us/c")
	l := Locality{Distribute: []Distribute{{"eu", map[string]uint32{"eu/a": 50, "eu/b": 30, "us/*": 20}}}}
	for _, c := range keyed {
		w := allWell(len(nodes))
		p := mustByLocality(t, c, l, home, nodes, w, 0)
		r := rand.New(rand.NewPCG(17, 18))
		keys, before := make([]uint64, 5000), make([]int, 5000)
		for i := range keys {
			keys[i] = r.Uint64()
			before[i] = p.Pick(keys[i], nil)
			if again := p.Pick(keys[i], nil); again != before[i] {
				t.Fatalf("%s: a key is at %d and at %d", c.Algorithm, before[i], again)
			}
		}
		w.set(false, 4)
		p.Update()
		moved := 0
		for i, key := range keys {
			if after := p.Pick(key, respecting{p, w}); before[i] != 4 && after != before[i] {
				moved++
			}
		}
		// The place's weight fell from 20 to 14: the ends of the others move by up to 6 of 100 between them.
		if moved > 5000*12/100 {
			t.Errorf("%s: %d of 5000 keys moved", c.Algorithm, moved)
		}
	}
}

// The one property of all pickers holds by locality too: what is picked is usable, and where anything is usable something
// is picked. 300 lists with places, weights, health and filters drawn, 30 picks each.
func TestPicksByLocalityAreUsable(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	all := []string{"eu/a/1", "eu/a/2", "eu/b", "us/c", "us/d", "ap/x"}
	rules := []Locality{
		{}, {Failover: []Failover{{"eu", "ap"}}}, {FailoverPriority: []string{"topology.kubernetes.io/region", "v=1"}},
		{Distribute: []Distribute{{"eu/*", map[string]uint32{"eu/a": 8, "eu/b": 1, "us/*": 1 << 30, "ap": 3}}}},
	}
	for range 300 {
		n := 1 + r.IntN(30)
		places, w, usable := make([]string, n), allWell(n), make(mask, n)
		some, level := false, r.Float64()
		for i := range places {
			places[i] = all[r.IntN(len(all))]
			w[i].Store(r.Float64() < level)
			usable[i] = r.Float64() < level
			some = some || usable[i]
		}
		nodes := placedAt(places...)
		for i, node := range nodes {
			e := *node.endpoint.Load()
			e.Weight = randomWeight(r)
			nodes[i].Revise(e)
		}
		c := Config{Algorithm: algorithms[r.IntN(len(algorithms))], RingMax: 4096, TableSize: 251}
		p := mustByLocality(t, c, rules[r.IntN(len(rules))], home, nodes, w, r.IntN(101))
		for range 30 {
			if i := p.Pick(r.Uint64(), usable); (i >= 0) != some || some && !usable[i] {
				t.Fatalf("%+v: picked %d of %v, usable %v", c, i, places, usable)
			}
		}
	}
}

// Updates beside picks: nobody waits, and every pick is of a usable node. The race detector sees to the rest.
func TestUpdateBesidePicks(t *testing.T) {
	nodes := placedAt("eu/a/1", "eu/a/1", "eu/b", "eu/b", "us/c")
	w := allWell(len(nodes))
	p := mustByLocality(t, Config{Algorithm: RingHash}, Locality{}, home, nodes, w, 50)
	var picking sync.WaitGroup
	for range 4 {
		picking.Go(func() {
			for range 5000 {
				if i := p.Pick(rand.Uint64(), nil); i < 0 {
					t.Error("nothing picked")
					return
				}
			}
		})
	}
	for k := range 500 {
		w.set(k%2 == 0, k%len(nodes))
		p.Update()
	}
	picking.Wait()
}

func TestPicksByLocalityDoNotAllocate(t *testing.T) {
	nodes := placedAt("eu/a/1", "eu/a/1", "eu/b", "eu/b", "us/c")
	half := mask{true, false, false, true, false}
	for _, l := range []Locality{{}, {Distribute: []Distribute{{"*", map[string]uint32{"eu": 80, "us": 20}}}}} {
		for _, a := range algorithms {
			p := mustByLocality(t, Config{Algorithm: a}, l, home, nodes, allWell(len(nodes)), 50)
			for name, f := range map[string]Filter{"no filter": nil, "half": half, "the last": mask{false, false, false, false, true}} {
				if got := testing.AllocsPerRun(1000, func() { p.Pick(7, f) }); got != 0 {
					t.Errorf("%s, %s: %v allocations a pick", a, name, got)
				}
			}
		}
	}
}

func TestNewByLocalityRefuses(t *testing.T) {
	for want, build := range map[string]func() error{
		"Algorithm": func() error {
			_, err := NewByLocality(Config{Algorithm: "x"}, Locality{}, home, nil, nil, 50)
			return err
		},
		"Failover[0].From": func() error {
			_, err := NewByLocality(Config{}, Locality{Failover: []Failover{{}}}, home, nil, nil, 50)
			return err
		},
		"panicPercent: 101": func() error {
			_, err := NewByLocality(Config{}, Locality{}, home, nil, nil, 101)
			return err
		},
	} {
		if err := build(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, expected %s", err, want)
		}
	}
	p, err := NewByLocality(Config{}, Locality{}, home, nil, nil, 50)
	if err != nil || p.Pick(0, nil) != -1 {
		t.Errorf("no nodes: %v", err)
	}
}
