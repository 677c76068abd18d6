package balance

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// fuzzed makes nodes of bytes, six for each: the weight, its place, and whether it is usable and well.
func fuzzed(data []byte) (nodes []*Node, usable mask, w well) {
	for n := 0; len(data) >= 6 && n < 64; n++ {
		nodes = append(nodes, NewNode(discovery.Endpoint{
			Addr: ports(1 + n)[0], Weight: binary.LittleEndian.Uint32(data) >> (data[5] >> 3), // of all magnitudes
			Region: string('a' + rune(data[4]&3)), Zone: string('a' + rune(data[4]>>2&3)), SubZone: string('a' + rune(data[4]>>4&3)),
		}))
		usable = append(usable, data[5]&1 != 0)
		data = data[6:]
	}
	w = allWell(len(nodes))
	for i := range nodes {
		w[i].Store(nodes[i].Share()&1 == 0)
	}
	return nodes, usable, w
}

// Whatever the weights, filters, places and keys are: no picker panics, what is picked is usable, and something is picked
// where anything is usable.
func FuzzPick(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 5, 0}, uint64(0), uint8(0))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 1}, ^uint64(0), uint8(255))
	f.Add([]byte{}, uint64(1), uint8(3))
	configs := []Config{
		{SlowStart: &SlowStart{Window: time.Hour}}, {Choices: 5}, {Algorithm: RoundRobin},
		{Algorithm: RoundRobin, SlowStart: &SlowStart{Window: time.Nanosecond}}, {Algorithm: Random},
		{Algorithm: RingHash, RingMax: 2048}, {Algorithm: RingHash, RingMin: 1, RingMax: 3, BoundedLoad: 1},
		{Algorithm: Maglev, TableSize: 61}, {Algorithm: Maglev, TableSize: 2, BoundedLoad: 1.5},
	}
	f.Fuzz(func(t *testing.T, data []byte, key uint64, busy uint8) {
		nodes, usable, w := fuzzed(data)
		some := false
		for i := range nodes {
			some = some || usable[i]
		}
		for _, c := range configs {
			p, err := New(c, nodes)
			if err != nil {
				t.Fatal(err)
			}
			q, err := NewByLocality(c, Locality{}, Place{Region: "a", Zone: "b"}, nodes, w.ask, int(busy)%101)
			if err != nil {
				t.Fatal(err)
			}
			for k := range uint64(8) {
				for _, p := range []Picker{p, q} {
					i := p.Pick(key+k, usable)
					if (i >= 0) != some || some && !usable[i] {
						t.Fatalf("%+v: picked %d of %v", c, i, usable)
					}
					if i >= 0 && busy&1 != 0 {
						nodes[i].Begin()
					}
				}
			}
		}
	})
}

// A pattern that is taken matches what it says.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"*", "eu", "eu/*", "eu/a/1", "eu//1", "*/a", "eu/a*", ""} {
		f.Add(s, "eu", "a", "1")
	}
	f.Fuzz(func(t *testing.T, s, region, zone, sub string) {
		p, err := parsePattern(s)
		if err != nil {
			return
		}
		if s == region+"/"+zone+"/"+sub && sub != "*" && zone != "*" && !p.matches(Place{Region: region, Zone: zone, SubZone: sub}) {
			t.Errorf("%q does not match itself", s)
		}
		if !p.overlaps(p) {
			t.Errorf("%q does not overlap with itself", s)
		}
		if err := (Locality{Distribute: []Distribute{{s, map[string]uint32{s: 1}}}}).Validate(); err != nil {
			t.Error(err)
		}
	})
}
