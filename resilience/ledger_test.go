package resilience

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// model is a budget that keeps every event, for comparison.
type model struct {
	start          time.Time
	bucket         time.Duration
	ratio, reserve float64
	calls, retries []time.Time
}

func (m *model) number(t time.Time) int64 { return int64(t.Sub(m.start) / m.bucket) }

func (m *model) since(events []time.Time, now time.Time, numbers int64) (n int) {
	for _, t := range events {
		if m.number(t) > m.number(now)-numbers {
			n++
		}
	}
	return n
}

func (m *model) withdraw(now time.Time) bool {
	spent, earned := m.since(m.retries, now, 11), m.since(m.calls, now, 10)
	if float64(spent+1) > m.ratio*float64(earned)+m.reserve+rounding {
		return false
	}
	m.retries = append(m.retries, now)
	return true
}

// within counts the events of the exact window that ends with now.
func within(events []time.Time, now time.Time, window time.Duration) (n int) {
	for _, t := range events {
		if now.Sub(t) < window {
			n++
		}
	}
	return n
}

// Random traffic, and at every step the ledger answers as the model does, and the promise of [Budget] holds for the
// exact window.
func TestLedgerIsTheModel(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			window := time.Duration(1+r.IntN(20)) * time.Second
			m := &model{start: time.Now(), bucket: window / 10, ratio: r.Float64(), reserve: float64(r.IntN(20))}
			l := newLedger(window)
			for range 2000 {
				switch r.IntN(20) {
				case 0:
					time.Sleep(time.Duration(r.Int64N(int64(window / 3))))
				case 1:
					time.Sleep(window / 10)
				case 2:
					if r.IntN(20) == 0 {
						time.Sleep(time.Duration(r.Int64N(int64(3 * window))))
					}
				}
				now := time.Now()
				if r.IntN(3) > 0 {
					l.deposit(now)
					m.calls = append(m.calls, now)
					continue
				}
				got, want := l.withdraw(now, m.ratio, m.reserve), m.withdraw(now)
				if got != want {
					t.Fatalf("seed %d at %v: withdraw = %v, the model says %v", seed, now.Sub(m.start), got, want)
				}
				bound := m.ratio*float64(within(m.calls, now, window)) + m.reserve + rounding
				if n := within(m.retries, now, window); got && float64(n) > bound {
					t.Fatalf("seed %d: %d retries in a window, the bound is %g", seed, n, bound)
				}
			}
			if len(m.retries) == 0 {
				t.Errorf("seed %d: no retry at all; the test shows nothing", seed)
			}
		})
	}
}

func drain(e *Executor) (n int) {
	for b := e.budget; e.ledger.withdraw(time.Now(), b.Ratio, b.PerSecond*b.Window.Seconds()); {
		n++
	}
	return n
}

func TestBudgetOfAFreshDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			budget Budget
			calls  int
			want   int
		}{
			{name: "defaults, no calls", want: 100},
			{name: "defaults, 1000 calls", calls: 1000, want: 300},
			{name: "its own window", budget: Budget{Window: 2 * time.Second}, want: 20},
			{name: "no reserve, no calls", budget: Budget{PerSecond: -1}, want: 0},
			{name: "no reserve", budget: Budget{PerSecond: -1}, calls: 9, want: 1},
			{name: "no ratio", budget: Budget{Ratio: -1}, calls: 1000, want: 100},
			{name: "nothing", budget: Budget{Ratio: -1, PerSecond: -1}, calls: 1000, want: 0},
			{name: "all", budget: Budget{Ratio: 1, PerSecond: -1}, calls: 1000, want: 1000},
			{name: "a product that is not exact", budget: Budget{Ratio: 0.29, PerSecond: -1}, calls: 100, want: 29},
			{name: "a fraction", budget: Budget{PerSecond: 0.25}, want: 2},
		} {
			e := newExecutor(t, Policy{Retry: &Retry{}, Budget: &tt.budget})
			for range tt.calls {
				e.Deposit(time.Now())
			}
			if got := drain(e); got != tt.want {
				t.Errorf("%s: %d retries, want %d", tt.name, got, tt.want)
			}
		}
	})
}

func TestBudgetReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newExecutor(t, Standard())
		if got := drain(e); got != 100 {
			t.Fatalf("%d at first", got)
		}
		time.Sleep(10*time.Second - 1)
		if got := drain(e); got != 0 {
			t.Errorf("%d retries before the window is over", got)
		}
		time.Sleep(time.Second + 1)
		if got := drain(e); got != 100 {
			t.Errorf("%d after the window, want 100", got)
		}
	})
}

// Callers on all processors at once take what there is and not one more.
func TestWithdrawConcurrently(t *testing.T) {
	l := newLedger(time.Hour) // so long that no bucket turns during the test
	const callers, each = 16, 500
	var got atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				l.deposit(time.Now())
			}
		})
	}
	wg.Wait()
	for range callers {
		wg.Go(func() {
			for range each {
				if l.withdraw(time.Now(), 0.5, 10) {
					got.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if want := int64(callers*each/2 + 10); got.Load() != want {
		t.Errorf("%d retries for %d calls, want %d", got.Load(), callers*each, want)
	}
}

// A bucket that turns while calls are counted loses none of them.
func TestDepositWhileBucketsTurn(t *testing.T) {
	l := newLedger(10 * time.Second)
	start := l.origin
	const callers, each = 8, 20_000
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := range each {
				l.deposit(start.Add(time.Duration(i) * 9 * time.Second / each))
			}
		})
	}
	wg.Wait()
	l.latest = l.number(start.Add(9 * time.Second))
	if got := l.earned(); got != callers*each {
		t.Errorf("%d calls counted, want %d", got, callers*each)
	}
}

func TestCallsThatComeLate(t *testing.T) {
	l := newLedger(time.Second)
	at := func(n int) time.Time { return l.origin.Add(time.Duration(n) * 100 * time.Millisecond) }
	l.deposit(at(-5)) // before there was a budget: in the first bucket
	l.deposit(at(12))
	l.deposit(at(1)) // its slot has turned: of no interest, and bucket 12 keeps its count
	l.latest = 12
	if got := l.earned(); got != 1 {
		t.Errorf("%d calls, want the one of bucket 12", got)
	}
	if !l.withdraw(at(12), 0, 1) || l.withdraw(at(1), 0, 1) {
		t.Error("a caller whose clock is late got a retry that is spent")
	}
}

// The numbers of buckets begin anew after 2^28 of them. Calls are counted before, then, and after a long silence.
func TestBucketNumbersBeginAnew(t *testing.T) {
	l := newLedger(time.Second)
	count := func(n int64) {
		l.deposit(l.origin.Add(time.Duration(n) * l.bucket))
		l.latest = n
		if l.earned() == 0 {
			t.Fatalf("bucket %d: the call was not counted", n)
		}
	}
	count(1<<27 + 1)
	for n := int64(1<<28 - 5000); n < 1<<28+100; n++ {
		count(n)
	}
	if got := l.earned(); got != buckets {
		t.Errorf("%d calls in the window, want one for each bucket", got)
	}
}
