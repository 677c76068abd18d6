package resilience

import "sync/atomic"

// purse is what a budget of tokens remembers, in thousandths of a token: gRFC A6 gives them three decimal places.
type purse struct {
	most int64
	left atomic.Int64
}

const aToken = 1000

func thousandths(v float64) int64 { return int64(v*aToken + rounding) }

// newPurse begins with all tokens; or, where there were others before, with as large a share as was left of those, as
// grpc's C core does: who was throttled still is.
func newPurse(b Budget, before *purse) *purse {
	t := &purse{most: thousandths(b.MaxTokens)}
	t.left.Store(t.most)
	if before != nil {
		t.left.Store(t.most * before.left.Load() / before.most)
	}
	return t
}

// fail takes a token, and reports whether so few are left that nothing is retried.
func (t *purse) fail() (throttled bool) { return 2*t.add(-aToken) <= t.most }

// add gives what is left then, between none and all.
func (t *purse) add(n int64) int64 {
	for {
		old := t.left.Load()
		next := min(max(old+n, 0), t.most)
		if next == old || t.left.CompareAndSwap(old, next) {
			return next
		}
	}
}
