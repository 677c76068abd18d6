package traffic

import (
	"math"
	"testing"

	"github.com/cespare/xxhash/v2"
)

const users = 100_000

func keyOfUser(i int) uint64 { return xxhash.Sum64String("user-" + itoa(i)) }

func place100k(to []Backend) []int {
	s, at := newSticky(to), make([]int, users)
	for i := range at {
		at[i] = s.choose(keyOfUser(i))
	}
	return at
}

// While one version grows, nobody who is on it leaves it, whatever becomes of the others; and with two versions, or where
// the other weights stay, nobody moves but to it.
func TestStickyUsersOnlyMoveToTheVersionThatGrows(t *testing.T) {
	for _, tt := range []struct {
		name     string
		weights  func(step uint32) []Backend
		onlyToIt bool
	}{
		{"canary", func(s uint32) []Backend { return weights(100-s, s) }, true},
		{"a weight is added", func(s uint32) []Backend { return weights(80, s, 20) }, true},
		{"one shrinks for it", func(s uint32) []Backend { return weights(110-s, s, 10) }, false},
	} {
		before := place100k(tt.weights(0))
		moved := 0
		for step := uint32(10); step <= 100; step += 10 {
			to := tt.weights(step)
			after := place100k(to)
			for i := range after {
				switch {
				case before[i] == after[i]:
				case before[i] == 1:
					t.Fatalf("%s: user %d left the version that grows to %d %%", tt.name, i, step)
				case tt.onlyToIt && after[i] != 1:
					t.Fatalf("%s: user %d went from %d to %d", tt.name, i, before[i], after[i])
				default:
					moved++
				}
			}
			checkShares(t, to, after)
			before = after
		}
		if moved < users/4 {
			t.Errorf("%s: only %d moves; the test shows nothing", tt.name, moved)
		}
	}
}

// checkShares checks that shares are as the weights say, within four standard deviations of 100,000 lots.
func checkShares(t *testing.T, to []Backend, at []int) {
	t.Helper()
	count := make([]float64, len(to))
	for _, i := range at {
		count[i]++
	}
	for i := range to {
		p := shareOf(to, i)
		if off := math.Abs(count[i] - users*p); off > 4*math.Sqrt(users*p*(1-p))+1e-6 {
			t.Errorf("%v: backend %d has %v of %d users, want %v", to, i, count[i], users, users*p)
		}
	}
}

// The order of backends does not matter, and names of other routes make other places.
func TestStickyGoesByName(t *testing.T) {
	a := []Backend{{Subset: "v1", Weight: 50}, {Subset: "v2", Weight: 50}}
	b := []Backend{a[1], a[0]}
	x, y := newSticky(a), newSticky(b)
	z := newSticky([]Backend{{Service: "users", Subset: "v1", Weight: 50}, {Service: "users", Subset: "v2", Weight: 50}})
	same := 0
	for i := range users {
		key := keyOfUser(i)
		if x.choose(key) == y.choose(key) {
			t.Fatalf("user %d follows the order", i)
		}
		if x.choose(key) == z.choose(key) {
			same++
		}
	}
	if same < users*49/100 || same > users*51/100 {
		t.Errorf("%d of %d users have the same version of two services, want half", same, users)
	}
}

func TestChoose(t *testing.T) {
	p := Policy{Routes: []Route{
		{Name: "none", Hosts: []string{"a"}},
		{Name: "one", Hosts: []string{"b"}, To: []Backend{{Service: "x"}}},
		{Name: "sticky", Hosts: []string{"c"}, Sticky: &Key{Header: "X-User"}, To: weights(50, 50)},
		{Name: "all or nothing", Hosts: []string{"d"}, Sticky: &Key{Context: true}, To: weights(0, 7, 0)},
	}}
	table, err := Compile(p, Local{})
	if err != nil {
		t.Fatal(err)
	}
	choose := func(q *Request, n uint64) *Target { return table.Match(q).Choose(q, n) }
	if got := choose(&Request{Service: "a"}, 1); got != nil {
		t.Errorf("no To: %+v", got)
	}
	if got := choose(&Request{Service: "b"}, 1); got.Backend.Service != "x" {
		t.Errorf("one backend: %+v", got)
	}
	named, unnamed := map[*Target]int{}, map[*Target]int{}
	for n := range uint64(1000) {
		named[choose(&Request{Service: "c", Header: naiveHeader{"x-user": {"7"}}}, n)]++
		unnamed[choose(&Request{Service: "c"}, n)]++
		if got := choose(&Request{Service: "d", HashKey: itoa(int(n))}, n); got.Index != 1 {
			t.Fatalf("a backend without weight was chosen: %+v", got)
		}
	}
	if len(named) != 1 || len(unnamed) != 2 {
		t.Errorf("a user went to %d backends, who has no name to %d", len(named), len(unnamed))
	}
}
