package main

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// sample is what one round costs, each number for one call.
type sample struct {
	cpu    float64 // seconds of processor time, client and server, user and system
	allocs float64
	p50    float64 // seconds
	p99    float64
	rate   float64 // calls a second, by all callers together
}

// meter keeps the memory for latencies, so that measuring allocates nothing.
type meter struct {
	latencies [][]time.Duration // of each caller
	all       []time.Duration
	errs      []error
}

func newMeter(callers int) *meter {
	return &meter{latencies: make([][]time.Duration, callers), errs: make([]error, callers)}
}

// measure lets all callers call for d.
func (m *meter) measure(ops []op, d time.Duration) (sample, error) {
	runtime.GC() // so that nobody pays for what the one before left behind
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cpuTime(), time.Now()
	m.callAll(ops, start.Add(d))
	took := time.Since(start)
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)

	m.all = m.all[:0]
	for _, l := range m.latencies {
		m.all = append(m.all, l...)
	}
	slices.Sort(m.all)
	calls := float64(len(m.all))
	if err := errors.Join(m.errs...); err != nil {
		return sample{}, err
	}
	return sample{
		cpu:    cpu.Seconds() / calls,
		allocs: float64(after.Mallocs-before.Mallocs) / calls,
		p50:    quantile(m.all, 0.50).Seconds(),
		p99:    quantile(m.all, 0.99).Seconds(),
		rate:   calls / took.Seconds(),
	}, nil
}

func (m *meter) callAll(ops []op, end time.Time) {
	var wg sync.WaitGroup
	for i, call := range ops {
		wg.Go(func() { m.latencies[i], m.errs[i] = callUntil(call, end, m.latencies[i][:0]) })
	}
	wg.Wait()
}

// callUntil calls at least once.
func callUntil(call op, end time.Time, latencies []time.Duration) ([]time.Duration, error) {
	for start := time.Now(); ; {
		if err := call(); err != nil {
			return latencies, err
		}
		now := time.Now()
		latencies = append(latencies, now.Sub(start))
		if !now.Before(end) {
			return latencies, nil
		}
		start = now
	}
}

// cpuTime is the processor time of this process so far, as the operating system counts it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it fails for bad arguments only
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
