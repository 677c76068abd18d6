package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"
)

// table is a map that is read at every call and written when something is seen for the first time. Reading takes no lock
// and allocates nothing. It has at most limit entries, so that a peer cannot make it grow.
type table[K comparable, V any] struct {
	limit int
	first atomic.Pointer[entry[K, V]] // seen first, and mostly asked for: outcomes are successes
	now   atomic.Pointer[map[K]V]
	mu    sync.Mutex
}

type entry[K comparable, V any] struct {
	k K
	v V
}

// find is the value of k, or the one that build makes of it; false where the table is full.
func (t *table[K, V]) find(k K, build func(K) V) (v V, ok bool) {
	if e := t.first.Load(); e != nil && e.k == k { // cheaper than to hash several strings
		return e.v, true
	}
	if m := t.now.Load(); m != nil {
		if v, ok = (*m)[k]; ok || len(*m) >= t.limit {
			return v, ok
		}
	}
	return t.insert(k, build)
}

func (t *table[K, V]) insert(k K, build func(K) V) (v V, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var m map[K]V
	if p := t.now.Load(); p != nil {
		m = *p
	}
	if v, ok = m[k]; ok || len(m) >= t.limit {
		return v, ok
	}
	next := make(map[K]V, len(m)+1)
	maps.Copy(next, m)
	v = build(k)
	next[k] = v
	if len(next) == 1 {
		t.first.Store(&entry[K, V]{k, v})
	}
	t.now.Store(&next)
	return v, true
}

// each calls f for all values.
func (t *table[K, V]) each(f func(V)) {
	if m := t.now.Load(); m != nil {
		for _, v := range *m {
			f(v)
		}
	}
}
