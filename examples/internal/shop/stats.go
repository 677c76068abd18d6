package shop

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/resilience"
)

// MethodStats is what happened to the calls of one method of one service.
type MethodStats struct {
	Calls    int            `json:"calls"`
	Refused  int            `json:"refused"` // calls that an open breaker refused, without an attempt
	Attempts int            `json:"attempts"`
	Took     histogram      `json:"took"`
	ByAddr   map[string]int `json:"by_addr"` // attempts by the address that they went to
	// Failed are the attempts that another one followed, by the word for why they ended.
	Failed map[string]int `json:"failed"`
}

// Stats are those of all methods that a process calls, by service and method ("inventory GET /stock"). The mesh tells
// what happened to each call through client.Info; here it is added up.
type Stats map[string]*MethodStats

// recorder collects stats. Its zero value is ready for use.
type recorder struct {
	mu    sync.Mutex
	stats Stats
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
		r.stats = Stats{}
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
func (r *recorder) snapshot() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats.since(nil)
}

func (s Stats) method(key string) *MethodStats {
	m := s[key]
	if m == nil {
		m = &MethodStats{ByAddr: map[string]int{}, Failed: map[string]int{}}
		s[key] = m
	}
	return m
}

// merge adds o to s.
func (s Stats) merge(o Stats) { s.combine(o, +1) }

// since is s without what had happened at the time of o.
func (s Stats) since(o Stats) Stats {
	d := Stats{}
	d.combine(s, +1)
	d.combine(o, -1)
	return d
}

func (s Stats) combine(o Stats, sign int) {
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

// Refused is how many calls of a service its breaker refused.
func (s Stats) Refused(service string) int {
	n := 0
	for key, m := range s {
		if of(key) == service {
			n += m.Refused
		}
	}
	return n
}
