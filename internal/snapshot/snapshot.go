// Package snapshot holds values that are read on every call and replaced now and then.
//
// A reader loads the whole value once and works with it to the end, so that a change in between cannot split a call.
package snapshot

import (
	"sync"
	"sync/atomic"
)

// Value is an immutable value that can be swapped. The zero Value holds nil and is ready to use.
type Value[T any] struct {
	now atomic.Pointer[state[T]]
	mu  sync.Mutex // serialises writers
}

type state[T any] struct {
	value   *T
	changed chan struct{} // closed when this state is replaced
}

// Load returns the value of now; nil before the first Store. It takes no lock.
func (v *Value[T]) Load() *T {
	if s := v.now.Load(); s != nil {
		return s.value
	}
	return nil
}

// Store replaces the value and wakes who waits for a change.
func (v *Value[T]) Store(next *T) {
	v.Update(func(*T) *T { return next })
}

// Update replaces the value by what f makes of the present one. Writers take turns; f must not call v.
func (v *Value[T]) Update(f func(old *T) *T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.state()
	v.now.Store(&state[T]{value: f(old.value), changed: make(chan struct{})})
	close(old.changed)
}

// Watch returns the value of now and a channel that is closed when it has been replaced.
func (v *Value[T]) Watch() (*T, <-chan struct{}) {
	s := v.now.Load()
	if s == nil {
		v.mu.Lock()
		s = v.state()
		v.mu.Unlock()
	}
	return s.value, s.changed
}

// state is the present state, made at the first need. The caller holds mu.
func (v *Value[T]) state() *state[T] {
	s := v.now.Load()
	if s == nil {
		s = &state[T]{changed: make(chan struct{})}
		v.now.Store(s)
	}
	return s
}
