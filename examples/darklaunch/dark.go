package main

import (
	"errors"
	"sync"
)

// dark is a version that takes its time and then fails.
type dark struct {
	mu      sync.Mutex
	gate    chan struct{}  // closed when it has taken its time
	arrived map[string]int // requests so far, by the authority that was called
}

// hold has it take its time from now on, until what it returns is called.
func (d *dark) hold() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gate := make(chan struct{})
	d.gate, d.arrived = gate, map[string]int{}
	return sync.OnceFunc(func() { close(gate) })
}

func (d *dark) answer(authority string) error {
	d.mu.Lock()
	d.arrived[authority]++
	gate := d.gate
	d.mu.Unlock()
	<-gate
	return errors.New("not finished")
}

// authorities are those that were called.
func (d *dark) authorities() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.arrived
}
