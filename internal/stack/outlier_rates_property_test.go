package stack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// diary is detection by rates as one would write it down: it keeps every attempt, and judges a whole interval by the
// definitions.
type diary struct {
	set   resilience.Outlier
	addrs []string
	began time.Time
	seen  []entry
	out   map[string]string // who is out, and why
}

type entry struct {
	at   time.Time
	addr string
	o    call.Outcome
}

// end is called for each attempt that ends, before it is added.
func (d *diary) end(now time.Time) {
	for !d.began.Add(d.set.Interval).After(now) {
		over := d.began.Add(d.set.Interval)
		var in []entry
		for _, e := range d.seen {
			if !e.at.Before(d.began) && e.at.Before(over) {
				in = append(in, e)
			}
		}
		d.judge(in)
		d.began = over
	}
}

func (d *diary) judge(in []entry) {
	type way struct {
		reason  string
		enforce int
		local   bool
		percent bool
	}
	var ways []way
	s, f := d.set.SuccessRate, d.set.FailurePercent
	for _, local := range []bool{false, true} {
		if local && !d.set.SplitLocalOrigin {
			break
		}
		if s != nil {
			w := way{call.SuccessRate, s.Enforce, local, false}
			if local {
				w.reason, w.enforce = call.SuccessRateLocal, s.EnforceLocal
			}
			ways = append(ways, w)
		}
		if f != nil {
			w := way{call.FailurePercentage, f.Enforce, local, true}
			if local {
				w.reason, w.enforce = call.FailurePercentageLocal, f.EnforceLocal
			}
			ways = append(ways, w)
		}
	}
	type verdict struct {
		addr, reason string
		rate         float64
	}
	var verdicts []verdict
	for _, w := range ways {
		var least, hosts int
		if w.percent {
			least, hosts = f.MinRequests, f.MinHosts
		} else {
			least, hosts = s.MinRequests, s.MinHosts
		}
		rates := make(map[string]float64)
		var all []float64
		for _, addr := range d.addrs {
			if d.out[addr] != "" {
				continue
			}
			good, total := 0, 0
			for _, e := range in {
				lost := e.o.Status == 0 && !e.o.Received
				switch {
				case e.addr != addr || d.set.SplitLocalOrigin && !w.local && lost:
					continue
				case w.local && !lost, !w.local && e.o.Status == 200:
					good++
				}
				total++
			}
			if total >= max(least, 1) {
				rates[addr] = 100 * float64(good) / float64(total)
				all = append(all, rates[addr])
			}
		}
		if len(all) < hosts || w.enforce == 0 {
			continue
		}
		var mean, variance float64
		for _, r := range all {
			mean += r / float64(len(all))
		}
		for _, r := range all {
			variance += (r - mean) * (r - mean) / float64(len(all))
		}
		var found []verdict
		for _, addr := range d.addrs {
			r, ok := rates[addr]
			if !ok {
				continue
			}
			if w.percent && 100-r >= float64(f.Threshold) || !w.percent && r < mean-s.StdevFactor*math.Sqrt(variance)-1e-9 {
				found = append(found, verdict{addr, w.reason, r})
			}
		}
		sort.SliceStable(found, func(i, j int) bool { return found[i].rate < found[j].rate })
		verdicts = append(verdicts, found...)
	}
	for _, v := range verdicts {
		if most := max(1, len(d.addrs)*d.set.MaxPercent/100); d.out[v.addr] == "" && len(d.out) < most && len(d.out)+1 < len(d.addrs) {
			d.out[v.addr] = v.reason
		}
	}
}

// TestRatesAgainstDiary: random policies, endpoints that fail in random ways over random times, intervals without a call.
// After each attempt the same endpoints are out, for the same reasons.
func TestRatesAgainstDiary(t *testing.T) {
	reasons := make(map[string]int)
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		addrs := named(2 + rnd.IntN(10))
		o := resilience.Outlier{
			Consecutive5xx: -1, Jitter: -1, MaxPercent: 1 + rnd.IntN(100), BaseEjection: 24 * time.Hour, MinHealthPercent: -1,
			SplitLocalOrigin: rnd.IntN(2) == 0,
		}
		if o.SplitLocalOrigin {
			o.ConsecutiveLocalOrigin = -1
		}
		chances := []int{0, 0, 0, -1}
		if rnd.IntN(3) > 0 {
			o.SuccessRate = &resilience.SuccessRate{
				MinHosts: 1 + rnd.IntN(5), MinRequests: 1 + rnd.IntN(20), StdevFactor: 0.5 + 1.5*rnd.Float64(),
				Enforce: chances[rnd.IntN(4)], EnforceLocal: chances[rnd.IntN(4)],
			}
		}
		if o.SuccessRate == nil || rnd.IntN(2) == 0 {
			o.FailurePercent = &resilience.FailurePercent{
				Threshold: 20 + rnd.IntN(80), MinHosts: 1 + rnd.IntN(5), MinRequests: 1 + rnd.IntN(20),
				Enforce: chances[rnd.IntN(4)], EnforceLocal: chances[rnd.IntN(4)],
			}
		}
		inBubble(t, resilience.Policy{Outlier: &o}, addrs, func(t *testing.T, r *rig) {
			d := &diary{set: o.OrDefault(), addrs: addrs, began: r.dest().outliers.origin, out: map[string]string{}}
			d.began = time.Now().Add(time.Duration(r.dest().outliers.sweep.Load()-r.dest().outliers.now()) - 10*time.Second)
			worse := rnd.IntN(len(addrs))
			for step := range 1500 {
				if rnd.IntN(40) == 0 {
					time.Sleep(time.Duration(rnd.Int64N(int64(12 * time.Second))))
				}
				i := rnd.IntN(len(addrs))
				bad := rnd.Float64() < 0.2 || i == worse && rnd.Float64() < 0.8
				what := http200
				if bad {
					what = []call.Outcome{http500, http503, broken, late, grpcSaid, refused}[rnd.IntN(6)]
				}
				d.end(time.Now())
				d.seen = append(d.seen, entry{time.Now(), addrs[i], what})
				r.judge(addrs[i], what, 1)
				at := fmt.Sprintf("seed %d, step %d, %+v", seed, step, o)
				var want []string
				for a := range d.out {
					want = append(want, a)
				}
				slices.Sort(want)
				if got := r.ejected(); !slices.Equal(got, want) {
					t.Fatalf("%s: out are %v, want %v", at, got, d.out)
				}
			}
			for _, e := range r.events {
				if e.Kind == call.EndpointEjected {
					reasons[e.Reason]++
					if d.out[e.Endpoint] != e.Reason {
						t.Errorf("seed %d: %s is out by %s, want %s", seed, e.Endpoint, e.Reason, d.out[e.Endpoint])
					}
				}
			}
		})
	}
	t.Log(reasons)
	for _, reason := range []string{call.SuccessRate, call.SuccessRateLocal, call.FailurePercentage, call.FailurePercentageLocal} {
		if reasons[reason] < 5 {
			t.Errorf("%s ejected %d endpoints only, so the test says little", reason, reasons[reason])
		}
	}
}
