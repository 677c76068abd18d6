package balance

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// percentages are levels of 100 nodes of which so many are well.
func percentages(well ...int) []health {
	levels := make([]health, len(well))
	for i, w := range well {
		levels[i] = health{w, 100}
	}
	return levels
}

// The tables of Envoy's documentation, "Priority levels" (arch_overview/upstream/load_balancing/priority), and what its
// code makes of them where the table is rounded otherwise: what is left of the division is the first level's.
func TestPriorityLoadIsEnvoys(t *testing.T) {
	for _, tt := range []struct{ well, documented, exact []int }{
		{well: []int{100, 100}, documented: []int{100, 0}},
		{well: []int{72, 100}, documented: []int{100, 0}},
		{well: []int{71, 100}, documented: []int{99, 1}},
		{well: []int{50, 100}, documented: []int{70, 30}},
		{well: []int{25, 100}, documented: []int{35, 65}},
		{well: []int{0, 100}, documented: []int{0, 100}},

		{well: []int{72, 72}, documented: []int{100, 0}},
		{well: []int{71, 71}, documented: []int{99, 1}},
		{well: []int{50, 50}, documented: []int{70, 30}},
		{well: []int{25, 25}, documented: []int{50, 50}},

		{well: []int{100, 100, 100}, documented: []int{100, 0, 0}},
		{well: []int{72, 72, 100}, documented: []int{100, 0, 0}},
		{well: []int{71, 71, 100}, documented: []int{99, 1, 0}},
		{well: []int{50, 50, 100}, documented: []int{70, 30, 0}},
		{well: []int{25, 100, 100}, documented: []int{35, 65, 0}},
		{well: []int{25, 25, 100}, documented: []int{35, 35, 30}},
		{well: []int{25, 25, 20}, documented: []int{36, 36, 28}, exact: []int{37, 35, 28}},
	} {
		t.Run(fmt.Sprint(tt.well), func(t *testing.T) {
			want := tt.exact
			if want == nil {
				want = tt.documented
			}
			got, _ := loads(percentages(tt.well...), 0)
			if !slices.Equal(got, want) {
				t.Errorf("got %v, expected %v", got, want)
			}
			for i := range got {
				if math.Abs(float64(got[i]-tt.documented[i])) > 1 {
					t.Errorf("got %v, documented %v", got, tt.documented)
				}
			}
		})
	}
}

// The example of the same page: health of 20 and 30 is shared out as 40 and 60.
func TestTooLittleHealthIsNormalized(t *testing.T) {
	got, _ := loads([]health{{20, 140}, {30, 140}}, 0)
	if !slices.Equal(got, []int{40, 60}) {
		t.Errorf("got %v", got)
	}
}

// The tables of Envoy's documentation, "Panic threshold" (arch_overview/upstream/load_balancing/panic_threshold), at 50 %.
// In two rows that page forgets the overprovisioning: it prints 50/50 for 50 % and 60 %, and 25/75 for 25 % and 100 %; the
// page of the priorities and Envoy's code have 70/30 and 35/65. In the last row it prints 7/93 unrounded.
func TestPanicIsEnvoys(t *testing.T) {
	for _, tt := range []struct {
		well, percent []int
		panics        []bool
	}{
		{[]int{72, 100}, []int{100, 0}, []bool{false, false}},
		{[]int{71, 100}, []int{99, 1}, []bool{false, false}},
		{[]int{50, 100}, []int{70, 30}, []bool{false, false}},
		{[]int{25, 100}, []int{35, 65}, []bool{false, false}},
		{[]int{0, 100}, []int{0, 100}, []bool{false, false}},

		{[]int{72, 72}, []int{100, 0}, []bool{false, false}},
		{[]int{71, 71}, []int{99, 1}, []bool{false, false}},
		{[]int{50, 60}, []int{70, 30}, []bool{false, false}},
		{[]int{25, 25}, []int{50, 50}, []bool{true, true}},
		{[]int{5, 65}, []int{8, 92}, []bool{true, false}},

		{[]int{49}, []int{100}, []bool{true}},
		{[]int{50}, []int{100}, []bool{false}},
		{[]int{0}, []int{100}, []bool{true}},
	} {
		t.Run(fmt.Sprint(tt.well), func(t *testing.T) {
			percent, panics := loads(percentages(tt.well...), 50)
			if !slices.Equal(percent, tt.percent) || !slices.Equal(panics, tt.panics) {
				t.Errorf("got %v %v, expected %v %v", percent, panics, tt.percent, tt.panics)
			}
		})
	}
}

// Where all levels are in panic the load goes by their sizes, and a threshold of 0 never panics.
func TestTotalPanic(t *testing.T) {
	levels := []health{{0, 10}, {0, 30}, {1, 20}}
	percent, panics := loads(levels, 50)
	if !slices.Equal(percent, []int{17, 50, 33}) || slices.Contains(panics, false) {
		t.Errorf("got %v %v", percent, panics)
	}
	percent, panics = loads([]health{{0, 10}, {0, 30}}, 0)
	if !slices.Equal(percent, []int{100, 0}) || slices.Contains(panics, true) {
		t.Errorf("without a threshold: got %v %v", percent, panics)
	}
}

// Loads sum to 100 and nobody without health has any, unless all are in panic, whatever the levels are.
func FuzzLoads(f *testing.F) {
	f.Add([]byte{1, 1, 0, 3, 255, 255}, 50)
	f.Add([]byte{0, 1}, 0)
	f.Fuzz(func(t *testing.T, data []byte, threshold int) {
		var levels []health
		for ; len(data) >= 2 && len(levels) < 20; data = data[2:] {
			size := 1 + int(data[1])
			levels = append(levels, health{int(data[0]) % (size + 1), size})
		}
		if len(levels) == 0 || threshold < 0 || threshold > 100 {
			return
		}
		percent, panics := loads(levels, threshold)
		sum := 0
		for i, p := range percent {
			sum += p
			if p < 0 || p > 0 && levels[i].well == 0 && !panics[i] && slices.ContainsFunc(levels, func(h health) bool { return h.score() > 0 }) {
				t.Errorf("%v: level %d has %d", levels, i, p)
			}
		}
		if sum != 100 {
			t.Errorf("%v: %v sum to %d", levels, percent, sum)
		}
	})
}

// The table of Envoy's documentation, "Locality weighted load balancing": two places of the weights 1 and 2, of which the
// second is well. In percent, rounded to the nearest as there (which has 25 % for 24.9).
func TestLocalityWeightIsEnvoys(t *testing.T) {
	for well, want := range map[int]float64{100: 33, 70: 33, 69: 32, 50: 26, 25: 15, 0: 0} {
		x, y := health{well, 100}.weigh(1), health{100, 100}.weigh(2)
		got := 100 * float64(x) / float64(x+y)
		if math.Abs(got-want) > 1 {
			t.Errorf("%d %% well: %.1f %%, documented %v", well, got, want)
		}
	}
	if w := (health{1, 1}).weigh(math.MaxUint32); w>>20 != math.MaxUint32 {
		t.Errorf("the largest weight became %d", w>>20)
	}
}
