package stack

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// model is outlier detection as one would write it down: without locks, without thought of cost, for a fixed list.
type model struct {
	set   resilience.Outlier
	addrs []string
	rows  map[string]int
	due   map[string]time.Time // who is out, until when
	times map[string]int
	since map[string]time.Time // when it came back
}

func (m *model) fail(addr string, now time.Time) {
	if _, out := m.due[addr]; out {
		return
	}
	m.rows[addr]++
	most := max(1, len(m.addrs)*m.set.MaxPercent/100)
	if m.rows[addr] >= m.set.Consecutive5xx && len(m.due) < most && len(m.due)+1 < len(m.addrs) {
		for t := m.since[addr].Add(m.set.Interval); m.times[addr] > 0 && !t.After(now); t = t.Add(m.set.Interval) {
			m.times[addr]--
		}
		m.out(addr, now)
	}
}

func (m *model) out(addr string, now time.Time) {
	most := int((m.set.MaxEjection + m.set.BaseEjection - 1) / m.set.BaseEjection)
	m.times[addr] = min(m.times[addr]+1, most)
	m.due[addr] = now.Add(min(time.Duration(m.times[addr])*m.set.BaseEjection, m.set.MaxEjection))
	m.rows[addr] = 0
}

func (m *model) well(addr string) { m.rows[addr] = 0 }

func (m *model) probe(addr string, well bool, now time.Time) {
	if !well {
		m.out(addr, now)
		return
	}
	delete(m.due, addr)
	m.rows[addr], m.since[addr] = 0, now
}

func (m *model) panics() bool {
	return (len(m.addrs)-len(m.due))*100 < m.set.MinHealthPercent*len(m.addrs)
}

// may reports whether a call may be sent to an endpoint, and whether that is a probe.
func (m *model) may(addr string, now time.Time) (may, probe bool) {
	due, out := m.due[addr]
	probe = out && !now.Before(due)
	return !out || probe || m.panics(), probe
}

// TestAgainstModel: random endpoints fail at random over random times. After each call the same endpoints are out as in
// the model, no call went where the model lets none go, and the bounds hold.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		addrs := named(1 + rnd.IntN(24))
		o := resilience.Outlier{
			Consecutive5xx: 1 + rnd.IntN(5), Jitter: -1, MaxPercent: 1 + rnd.IntN(100),
			MinHealthPercent: []int{-1, 80, 50, 1}[rnd.IntN(4)], MaxEjection: time.Duration(30+rnd.IntN(120)) * time.Second,
		}
		m := &model{
			set: o.OrDefault(), addrs: addrs, rows: map[string]int{}, due: map[string]time.Time{}, times: map[string]int{},
			since: map[string]time.Time{},
		}
		odds := make(map[string]float64) // that an endpoint fails
		inBubble(t, resilience.Policy{Outlier: &o}, addrs, func(t *testing.T, r *rig) {
			for _, a := range addrs {
				odds[a] = rnd.Float64() * rnd.Float64()
			}
			var failed bool
			r.try = func(a *Attempt) call.Outcome {
				if failed = rnd.Float64() < odds[a.Addr]; failed {
					return http500
				}
				return http200
			}
			for step := range 600 {
				if rnd.IntN(4) == 0 {
					time.Sleep(time.Duration(rnd.Int64N(int64(20 * time.Second))))
				}
				if rnd.IntN(50) == 0 {
					odds[addrs[rnd.IntN(len(addrs))]] = rnd.Float64()
				}
				now := time.Now()
				addr, err := r.do()
				if err != nil {
					t.Fatal(err)
				}
				may, probe := m.may(addr, now)
				at := fmt.Sprintf("seed %d, step %d, %d endpoints, %+v: %s", seed, step, len(addrs), o, addr)
				switch {
				case !may:
					t.Fatalf("%s was chosen, with %v out", at, m.due)
				case probe:
					m.probe(addr, !failed, now)
				case failed:
					m.fail(addr, now)
				default:
					m.well(addr)
				}
				m.compare(t, r, at)
			}
		})
	}
}

func (m *model) compare(t *testing.T, r *rig, at string) {
	t.Helper()
	var want []string
	for a, due := range m.due {
		want = append(want, a)
		if got := r.node(a).due.Load() - r.dest().outliers.now(); got != int64(time.Until(due)) {
			t.Fatalf("%s: %s is out for %v, want %v", at, a, time.Duration(got), time.Until(due))
		}
	}
	slices.Sort(want)
	got := r.ejected()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: out are %v, want %v", at, got, want)
	}
	if most := max(1, len(m.addrs)*m.set.MaxPercent/100); len(got) > most || len(got) >= len(m.addrs) && len(got) > 0 {
		t.Fatalf("%s: %d are out", at, len(got))
	}
	if r.dest().EndpointStates().Panic != m.panics() {
		t.Fatalf("%s: panic is %t", at, !m.panics())
	}
}

// TestBoundsUnderLoad: many callers at once, and a list that changes beneath them. Never are more out than may be.
func TestBoundsUnderLoad(t *testing.T) {
	p := outlier(func(o *resilience.Outlier) { o.Consecutive5xx, o.MaxPercent = 1, 30 })
	all := named(20)
	inBubble(t, p, all, func(t *testing.T, r *rig) {
		r.hear = func(e call.Event) {
			if most := max(1, e.Endpoints*30/100); e.Kind == call.EndpointEjected && (e.Ejected > most || e.Ejected >= e.Endpoints) {
				t.Errorf("%d of %d out", e.Ejected, e.Endpoints)
			}
		}
		r.try = func(*Attempt) call.Outcome {
			if rand.IntN(2) == 0 {
				return http500
			}
			return http200
		}
		done := make(chan struct{})
		for range 8 {
			go func() {
				for range 2000 {
					r.do()
					if rand.IntN(10) == 0 {
						time.Sleep(time.Second)
					}
				}
				done <- struct{}{}
			}()
		}
		for left := 8; left > 0; {
			select {
			case <-done:
				left--
			case <-time.After(7 * time.Second):
				n := 1 + rand.IntN(len(all))
				start := rand.IntN(len(all))
				var list []string
				for i := range n {
					list = append(list, all[(start+i)%len(all)])
				}
				r.source.say <- list
			}
		}
	})
}

// TestChoiceAllocations: with something ejected a call costs no allocation more than with nothing, and no breaker none more
// than before there were any.
func TestChoiceAllocations(t *testing.T) {
	measure := func(p resilience.Policy, prepare func(r *rig)) (n float64) {
		inBubble(t, p, three, func(t *testing.T, r *rig) {
			r.served = nil
			prepare(r)
			w := bareWire{}
			ctx := t.Context()
			n = testing.AllocsPerRun(1000, func() {
				c := &Call{Call: call.Call{Ctx: ctx, Service: "orders"}, Wire: w}
				if err := r.c.Do(c); err != nil {
					t.Fatal(err)
				}
				c.Finish()
			})
		})
		return n
	}
	nothing := func(*rig) {}
	off := measure(resilience.Policy{}, nothing)
	on := measure(outlier(), nothing)
	out := measure(outlier(), func(r *rig) { r.judge("a:1", http500, 5) })
	breaker := measure(breaking(), nothing)
	limit := measure(limits(resilience.Limit{Connections: 1, Requests: 1, Retries: 1}), nothing)
	t.Logf("off %v, on %v, one out %v, breaker %v, limit %v", off, on, out, breaker, limit)
	if on != off || out != off || breaker > off+1 || limit != off {
		t.Errorf("off %v, on %v, one out %v, breaker %v, limit %v", off, on, out, breaker, limit)
	}
}

// bareWire answers without doing anything.
type bareWire struct{}

func (bareWire) Try(a *Attempt)                      { a.Outcome = http200 }
func (bareWire) Drop(*Attempt)                       {}
func (bareWire) Answered(*Attempt) bool              { return true }
func (bareWire) Answer(a *Attempt, ans *call.Answer) { answerAs(a, ans) }
func (bareWire) Replayable() bool                    { return true }
func (bareWire) Request() traffic.Request            { return traffic.Request{} }

func BenchmarkDo(b *testing.B) {
	for name, p := range map[string]resilience.Policy{
		"off": {}, "outlier": outlier(), "breaker": breaking(),
		"rates": outlier(rated(&resilience.SuccessRate{}, nil)), "limit": limits(resilience.Limit{Connections: 1000, Requests: 1000}),
	} {
		b.Run(name, func(b *testing.B) {
			r := &rig{source: &pushed{make(chan []string)}}
			c := NewClient(Config{Discovery: r.source, Resilience: resilience.Config{Default: p}, Warmup: time.Hour, Logger: slog.New(slog.DiscardHandler)})
			defer c.Close()
			c.Destination("orders", time.Now())
			r.source.say <- three
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					k := &Call{Call: call.Call{Ctx: b.Context(), Service: "orders"}, Wire: bareWire{}}
					if err := c.Do(k); err != nil {
						b.Error(err)
					}
					k.Finish()
				}
			})
		})
	}
}
