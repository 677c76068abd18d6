package balance

import "math/rand/v2"

// list is the nodes that a picker works over: all of a destination's, or the part of them at one place. Pickers count
// from 0 within their list; ids says which place each node has in the destination's, where that is not the same.
type list struct {
	nodes []*Node
	ids   []int32 // nil: the list is the whole
	share float64 // of the calls that are meant for it; 0: all
}

// id is the place of node i in the destination's list.
func (l *list) id(i int) int {
	if l.ids == nil || i < 0 {
		return i
	}
	return int(l.ids[i])
}

// usable reports whether f lets node i pass.
func (l *list) usable(i int, f Filter) bool { return f == nil || f.Usable(l.id(i)) }

// scan looks through the nodes from a random start, once around.
func (l *list) scan(except int, f Filter) int {
	if len(l.nodes) == 0 {
		return -1
	}
	return l.scanFrom(rand.IntN(len(l.nodes)), except, f)
}

func (l *list) scanFrom(start, except int, f Filter) int {
	n := len(l.nodes)
	for k := range n {
		i := start + k
		if i >= n {
			i -= n
		}
		if i != except && l.usable(i, f) {
			return i
		}
	}
	return -1
}
