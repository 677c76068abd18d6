package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/resilience"
)

// methodStats is what happened to the calls of one method of one service.
type methodStats struct {
	Calls    int            `json:"calls"`
	Refused  int            `json:"refused"` // calls that an open breaker refused, without an attempt
	Attempts int            `json:"attempts"`
	Took     histogram      `json:"took"`
	ByAddr   map[string]int `json:"by_addr"` // attempts by the address that they went to
	// Failed are the attempts that another one followed, by the word for why they ended.
	Failed map[string]int `json:"failed"`
}

// stats are those of all methods that a process calls, by service and method ("inventory GET /stock"). The mesh tells
// what happened to each call through client.Info; here it is added up.
type stats map[string]*methodStats

// recorder collects stats. Its zero value is ready for use.
type recorder struct {
	mu    sync.Mutex
	stats stats
}

// call makes a call with options o and records what became of it.
func (r *recorder) call(ctx context.Context, service, method string, o client.Options, do func(context.Context) error) error {
	var info client.Info
	o.Info = &info
	start := time.Now()
	err := do(client.With(ctx, o))
	r.record(service+" "+method, info, time.Since(start), err)
	return err
}

func (r *recorder) record(key string, info client.Info, took time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stats == nil {
		r.stats = stats{}
	}
	m := r.stats.method(key)
	m.Calls++
	m.Took.add(took)
	if errors.Is(err, resilience.ErrOpen) {
		m.Refused++
	}
	for i, a := range info.Attempts {
		m.Attempts++
		m.ByAddr[a.Endpoint]++
		if i < len(info.Attempts)-1 {
			m.Failed[reason(a)]++
		}
	}
}

// snapshot is a copy of what is there so far.
func (r *recorder) snapshot() stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats.since(nil)
}

func (s stats) method(key string) *methodStats {
	m := s[key]
	if m == nil {
		m = &methodStats{ByAddr: map[string]int{}, Failed: map[string]int{}}
		s[key] = m
	}
	return m
}

// merge adds o to s.
func (s stats) merge(o stats) { s.combine(o, +1) }

// since is s without what had happened at the time of o.
func (s stats) since(o stats) stats {
	d := stats{}
	d.combine(s, +1)
	d.combine(o, -1)
	return d
}

func (s stats) combine(o stats, sign int) {
	for key, from := range o {
		m := s.method(key)
		m.Calls += sign * from.Calls
		m.Refused += sign * from.Refused
		m.Attempts += sign * from.Attempts
		m.Took.merge(from.Took, sign)
		for addr, n := range from.ByAddr {
			m.ByAddr[addr] += sign * n
		}
		for why, n := range from.Failed {
			m.Failed[why] += sign * n
		}
	}
}
