package resilience

import (
	"sync"
	"sync/atomic"
	"time"
)

// buckets is the number of parts of a budget's window. Finagle divides its window into ten too.
const buckets = 10

// slots has one place more than the window has buckets: a bucket that the window has half left still holds retries
// that are younger than the window.
const slots = buckets + 1

// ledger is what a budget remembers: the calls and the retries of the last window. Ratio and reserve are not part of
// it, so that it can be handed on when they change.
//
// Counting a call takes no lock, since every call does it. Asking for a retry takes one, since it is rare and since two
// who ask at the same time must not both get the last one.
type ledger struct {
	origin time.Time // buckets are numbered from here, on the monotonic clock
	bucket time.Duration
	calls  [slots]atomic.Uint64 // each a bucket's number and its count, see pack

	mu      sync.Mutex
	latest  int64        // the newest bucket that withdraw has seen
	retries [slots]count // guarded by mu
}

type count struct {
	bucket int64
	n      int64
}

func newLedger(window time.Duration) *ledger {
	return &ledger{origin: time.Now(), bucket: (window + buckets - 1) / buckets}
}

// covers says whether the ledger remembers that window, to a few nanoseconds.
func (l *ledger) covers(window time.Duration) bool {
	return l.bucket == (window+buckets-1)/buckets
}

func (l *ledger) number(now time.Time) int64 {
	return int64(max(0, now.Sub(l.origin)) / l.bucket)
}

// A slot of calls is one word, so that a bucket's number and its count change together without a lock: 28 bits of the
// number (310 days of the shortest buckets before they repeat) above 36 bits of the count (69 billion).
const (
	countBits = 36
	countMask = 1<<countBits - 1
)

func pack(bucket int64, n uint64) uint64 { return uint64(bucket)<<countBits | n&countMask }

// newer says whether a slot is of a later bucket than b. Numbers begin anew at some time, so "later" means a little later:
// a caller who was held up between looking at the clock and counting.
func newer(slot uint64, b int64) bool {
	const aLittle = 1 << 10
	ahead := (slot - pack(b, 0)) >> countBits
	return ahead > 0 && ahead < aLittle
}

// deposit counts a call.
func (l *ledger) deposit(now time.Time) {
	b := l.number(now)
	slot := &l.calls[b%slots]
	for {
		old := slot.Load()
		if old&^countMask == pack(b, 0) {
			// Should the slot turn to a new bucket just now, then the call counts there: as if it had come a little later.
			slot.Add(1)
			return
		}
		if newer(old, b) {
			return // a caller who comes a whole window late; its call is no longer of interest
		}
		if slot.CompareAndSwap(old, pack(b, 1)) {
			return
		}
	}
}

// withdraw takes a retry if the window that ends now has one left: retries <= ratio x calls + reserve.
//
// Both counts err on the careful side: retries are those of the present bucket and ten before it, which is the window and
// up to a bucket more; calls are those of the present bucket and nine before it, which is the window or up to a bucket
// less. So the bound holds for the exact window, too.
func (l *ledger) withdraw(now time.Time, ratio, reserve float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest = max(l.latest, l.number(now))
	if float64(l.spent()+1) > ratio*float64(l.earned())+reserve+rounding {
		return false
	}
	slot := &l.retries[l.latest%slots]
	if slot.bucket != l.latest {
		*slot = count{bucket: l.latest}
	}
	slot.n++
	return true
}

// rounding keeps 0.29 x 100 from being less than 29.
const rounding = 1e-6

func (l *ledger) spent() int64 {
	var sum int64
	for i := range l.retries {
		if l.latest-l.retries[i].bucket < slots {
			sum += l.retries[i].n
		}
	}
	return sum
}

func (l *ledger) earned() uint64 {
	var sum uint64
	for b := max(0, l.latest-buckets+1); b <= l.latest; b++ {
		if v := l.calls[b%slots].Load(); v&^countMask == pack(b, 0) {
			sum += v & countMask
		}
	}
	return sum
}
