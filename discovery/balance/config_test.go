package balance

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestBadConfig(t *testing.T) {
	window := func(s SlowStart) *SlowStart {
		if s.Window == 0 {
			s.Window = time.Second
		}
		return &s
	}
	for _, tt := range []struct {
		want string
		c    Config
	}{
		{`balance: Algorithm: unknown algorithm "fastest"`, Config{Algorithm: "fastest"}},
		{"balance: Choices: 1: want", Config{Choices: 1}},
		{"balance: Choices: -1: want", Config{Choices: -1}},
		{"balance: Choices: 101: want", Config{Choices: 101}},
		{"balance: RingMin: -1: want", Config{RingMin: -1}},
		{"balance: RingMax: 8388609: want", Config{RingMax: 8<<20 + 1}},
		{"balance: RingMin: 20 is more than RingMax, 10", Config{RingMin: 20, RingMax: 10}},
		{"balance: RingMin: 1024 is more than RingMax, 10", Config{RingMax: 10}},
		{"balance: TableSize: 8: want a prime", Config{TableSize: 8}},
		{"balance: TableSize: 1: want a prime", Config{TableSize: 1}},
		{"balance: TableSize: -7: want a prime", Config{TableSize: -7}},
		{"balance: TableSize: 5000021: want a prime of at most", Config{TableSize: 5000021}},
		{"balance: BoundedLoad: 0.5: want", Config{BoundedLoad: 0.5}},
		{"balance: BoundedLoad: -1: want", Config{BoundedLoad: -1}},
		{"balance: BoundedLoad: NaN: want", Config{BoundedLoad: math.NaN()}},
		{"balance: BoundedLoad: +Inf: want", Config{BoundedLoad: math.Inf(1)}},
		{"balance: SlowStart.Window: 0s: want", Config{SlowStart: &SlowStart{}}},
		{"balance: SlowStart.Window: -1s: want", Config{SlowStart: &SlowStart{Window: -time.Second}}},
		{"balance: SlowStart.MinPercent: -1: want", Config{SlowStart: window(SlowStart{MinPercent: -1})}},
		{"balance: SlowStart.MinPercent: 101: want", Config{SlowStart: window(SlowStart{MinPercent: 101})}},
		{"balance: SlowStart.MinPercent: NaN: want", Config{SlowStart: window(SlowStart{MinPercent: math.NaN()})}},
		{"balance: SlowStart.Aggression: -1: want", Config{SlowStart: window(SlowStart{Aggression: -1})}},
		{"balance: SlowStart.Aggression: +Inf: want", Config{SlowStart: window(SlowStart{Aggression: math.Inf(1)})}},
		{"balance: SlowStart.Aggression: NaN: want", Config{SlowStart: window(SlowStart{Aggression: math.NaN()})}},
	} {
		if err := tt.c.Validate(); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, expected %s", tt.c, err, tt.want)
		}
		if _, err := New(tt.c, nil); err == nil {
			t.Errorf("%+v: New takes it", tt.c)
		}
	}
	for _, c := range []Config{
		{}, {Choices: 2}, {Choices: 100}, {RingMin: 1, RingMax: 1}, {RingMin: 8 << 20}, {TableSize: 2}, {TableSize: 5000011},
		{BoundedLoad: 1}, {BoundedLoad: 2.5}, {SlowStart: window(SlowStart{MinPercent: 100, Aggression: 0.01})},
		{Algorithm: RoundRobin, TableSize: 7, BoundedLoad: 2}, // what an algorithm ignores is no error
	} {
		if err := c.Validate(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// All errors are told at once.
func TestBadConfigTellsAll(t *testing.T) {
	err := Config{Choices: 1, TableSize: 4, BoundedLoad: 0.1}.Validate()
	for _, want := range []string{"Choices", "TableSize", "BoundedLoad"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, expected %s", err, want)
		}
	}
}

func TestConfigEqual(t *testing.T) {
	s := func(w time.Duration) *SlowStart { return &SlowStart{Window: w} }
	for _, tt := range []struct {
		a, b Config
		want bool
	}{
		{Config{}, Config{}, true},
		{Config{Choices: 2}, Config{}, false},
		{Config{SlowStart: s(1)}, Config{SlowStart: s(1)}, true},
		{Config{SlowStart: s(1)}, Config{SlowStart: s(2)}, false},
		{Config{SlowStart: s(1)}, Config{}, false},
		{Config{}, Config{SlowStart: s(1)}, false},
		{Config{Algorithm: Random, SlowStart: s(1)}, Config{SlowStart: s(1)}, false},
	} {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("%+v and %+v: %t", tt.a, tt.b, got)
		}
	}
}

func TestKeyed(t *testing.T) {
	for _, a := range algorithms {
		if got := a.Keyed(); got != (a == RingHash || a == Maglev) {
			t.Errorf("%s: %t", a, got)
		}
	}
}
