package resilience

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

var errBoom = errors.New("boom")

// fails returns a function that fails with errs, one after the other, and then succeeds with the number of calls.
func fails(calls *int, errs ...error) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		*calls++
		if *calls <= len(errs) {
			return 0, errs[*calls-1]
		}
		return *calls, nil
	}
}

func TestDo(t *testing.T) {
	idempotent := Policy{Retry: &Retry{Idempotent: true}, Budget: &Budget{}}
	boomAndBoom := []error{errBoom, errBoom}
	for _, tt := range []struct {
		name   string
		policy Policy
		errs   []error
		calls  int
		want   error // nil: success
	}{
		{"success", Standard(), nil, 1, nil},
		{"policy of nothing", Policy{}, []error{NotExecuted(errBoom)}, 1, errBoom},
		{"may have been executed", Standard(), boomAndBoom, 1, errBoom},
		{"idempotent", idempotent, boomAndBoom, 3, nil},
		{"idempotent, to the end", idempotent, []error{errBroken, errBroken, errBoom}, 3, errBoom},
		{"not executed", Standard(), []error{NotExecuted(errBoom), NotExecuted(errBoom)}, 3, nil},
		{"not executed, to the end", Standard(),
			[]error{NotExecuted(errBroken), NotExecuted(errBroken), NotExecuted(errBoom)}, 3, errBoom},
		{"not executed, then perhaps", Standard(), []error{NotExecuted(errBroken), errBoom}, 2, errBoom},
		{"shed", Standard(), []error{ErrShed, fmt.Errorf("orders: %w", ErrShed)}, 3, nil},
		{"permanent", idempotent, []error{Permanent(errBoom)}, 1, errBoom},
		{"permanent outweighs", Standard(), []error{NotExecuted(Permanent(errBoom))}, 1, errBoom},
		{"permanent outweighs from outside", Standard(), []error{Permanent(NotExecuted(errBoom))}, 1, errBoom},
		{"On has no say against it", Policy{Retry: &Retry{On: []string{"503"}}}, []error{NotExecuted(errBoom)}, 2, nil},
		{"On has no say for it", Policy{Retry: &Retry{On: []string{"5xx", "reset"}}}, []error{errBoom}, 1, errBoom},
		{"no budget", Policy{Retry: &Retry{}, Budget: &Budget{PerSecond: -1}}, []error{NotExecuted(errBoom)}, 1, errBoom},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls int
				v, err := Do(t.Context(), newExecutor(t, tt.policy), fails(&calls, tt.errs...))
				if err != tt.want || calls != tt.calls {
					t.Errorf("%d calls and the error %#v; want %d and %#v", calls, err, tt.calls, tt.want)
				}
				if err == nil && v != calls {
					t.Errorf("the value %d is not of the last call, %d", v, calls)
				}
			})
		})
	}
}

func TestDoCountsForTheBudget(t *testing.T) {
	e := newExecutor(t, Policy{Retry: &Retry{}, Budget: &Budget{PerSecond: -1, Window: time.Hour}})
	var calls int
	for range 5 {
		if _, err := Do(t.Context(), e, fails(&calls)); err != nil {
			t.Fatal(err)
		}
	}
	if got := drain(e); got != 1 {
		t.Errorf("%d retries after 5 calls, want 1", got)
	}
}

// The limit of the policy holds where the caller has none, and each attempt but the last gets half of what is left.
func TestDoTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newExecutor(t, Policy{
			Timeout: &Timeout{Reply: 8 * time.Second},
			Retry:   &Retry{Idempotent: true, Backoff: Backoff{Base: 1, Max: 1}},
		})
		start := time.Now()
		var took []time.Duration
		_, err := Do(context.Background(), e, func(ctx context.Context) (int, error) {
			begun := time.Now()
			<-ctx.Done()
			took = append(took, time.Since(begun).Round(time.Millisecond))
			return 0, ctx.Err()
		})
		if got, want := fmt.Sprint(took), "[4s 2s 2s]"; got != want {
			t.Errorf("the attempts took %s, want %s", got, want)
		}
		if err != context.DeadlineExceeded || time.Since(start) != 8*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestDoKeepsTheCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e := newExecutor(t, Policy{Timeout: &Timeout{Reply: time.Second}})
		_, err := Do(ctx, e, func(ctx context.Context) (int, error) {
			if d, _ := ctx.Deadline(); time.Until(d) != time.Minute {
				t.Errorf("%v left, want the caller's minute", time.Until(d))
			}
			return 0, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// The end of one attempt's own time is not a reason to repeat what may have been executed.
func TestDoExpiredTry(t *testing.T) {
	for idempotent, want := range map[bool]int{false: 1, true: 3} {
		synctest.Test(t, func(t *testing.T) {
			e := newExecutor(t, Policy{Retry: &Retry{Idempotent: idempotent, PerTry: time.Second}})
			var calls int
			_, err := Do(t.Context(), e, func(ctx context.Context) (int, error) {
				calls++
				<-ctx.Done()
				return 0, fmt.Errorf("try: %w", ctx.Err())
			})
			if calls != want || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("idempotent %v: %d calls, %v; want %d", idempotent, calls, err, want)
			}
		})
	}
}

func TestDoWhenItIsOverBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var calls int
	if _, err := Do(ctx, newExecutor(t, Standard()), fails(&calls)); err != context.Canceled || calls != 0 {
		t.Errorf("%d calls, %v; want none, and the context's error", calls, err)
	}
}

func TestDoCanceledInAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		e := newExecutor(t, Policy{Retry: &Retry{Backoff: Backoff{Base: time.Hour}}})
		start, calls := time.Now(), 0
		_, err := Do(ctx, e, func(ctx context.Context) (int, error) {
			time.AfterFunc(1, cancel)
			return fails(&calls, NotExecuted(errBoom))(ctx)
		})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errBoom) || calls != 1 || time.Since(start) != 1 {
			t.Errorf("%d calls, %v after %v; want one, and both reasons", calls, err, time.Since(start))
		}
	})
}

func TestDoCanceledInACall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls int
	_, err := Do(ctx, newExecutor(t, Standard()), func(context.Context) (int, error) {
		calls++
		cancel()
		return 0, NotExecuted(errBoom)
	})
	if err != errBoom || calls != 1 {
		t.Errorf("%d calls, %v; want one and its error", calls, err)
	}
}

func TestDoWillNotWaitBeyondTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start, calls := time.Now(), 0
		e := newExecutor(t, Policy{Retry: &Retry{Backoff: Backoff{Base: 1000 * time.Hour}}})
		_, err := Do(ctx, e, fails(&calls, NotExecuted(errBoom)))
		if err != errBoom || time.Since(start) != 0 {
			t.Errorf("%v after %v; want the last error at once", err, time.Since(start))
		}
	})
}

func TestDoBelowARetry(t *testing.T) {
	ctx := call.WithInbound(t.Context(), &call.Inbound{Attempt: 2})
	for name, tt := range map[string]struct {
		policy Policy
		err    error
		want   int
	}{
		"with a budget":       {Standard(), NotExecuted(errBoom), 2},
		"without":             {Policy{Retry: &Retry{}}, NotExecuted(errBoom), 1},
		"shed, with a budget": {Standard(), ErrShed, 1},
	} {
		var calls int
		Do(ctx, newExecutor(t, tt.policy), fails(&calls, tt.err))
		if calls != tt.want {
			t.Errorf("%s: %d calls, want %d", name, calls, tt.want)
		}
	}
}

// A panic passes, and the contexts of the attempt and the call are released.
func TestDoPanic(t *testing.T) {
	e := newExecutor(t, Policy{Timeout: &Timeout{}, Retry: &Retry{Idempotent: true}})
	var seen context.Context
	defer func() {
		if r := recover(); r != errBoom {
			t.Errorf("recovered %v", r)
		}
		if seen.Err() != context.Canceled {
			t.Errorf("the attempt's context is still open: %v", seen.Err())
		}
	}()
	Do(context.Background(), e, func(ctx context.Context) (int, error) {
		seen = ctx // kept only to see that it has ended
		panic(errBoom)
	})
}

func TestMarksOfNil(t *testing.T) {
	if NotExecuted(nil) != nil || Permanent(nil) != nil || unmark(nil) != nil {
		t.Error("a mark of nil is an error")
	}
}

func TestVerdicts(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("orders: %w", err) }
	for _, tt := range []struct {
		name string
		err  error
		want verdict
	}{
		{"none", errBoom, 0},
		{"marked", NotExecuted(errBoom), notExecuted},
		{"wrapped", wrap(wrap(NotExecuted(errBoom))), notExecuted},
		{"both", Permanent(wrap(NotExecuted(errBoom))), permanent | notExecuted},
		{"joined: nothing is certain", errors.Join(NotExecuted(errBoom), errBroken), 0},
		{"joined: permanent", errors.Join(errBroken, wrap(Permanent(errBoom))), permanent},
		{"two wrapped", fmt.Errorf("%w: %w", errBroken, NotExecuted(errBoom)), 0},
	} {
		if got := verdicts(tt.err); got != tt.want {
			t.Errorf("%s: %b, want %b", tt.name, got, tt.want)
		}
		clean := unmark(tt.err)
		if verdicts(clean) != 0 || verdicts(wrap(clean)) != 0 {
			t.Errorf("%s: a mark is left on %#v", tt.name, clean)
		}
		if clean.Error() != tt.err.Error() || !errors.Is(clean, errBoom) {
			t.Errorf("%s: became %q", tt.name, clean)
		}
	}
}

// A verdict about the inner call says nothing about the outer one.
func TestMarksDoNotLeave(t *testing.T) {
	inner, outer := newExecutor(t, Policy{}), newExecutor(t, Standard())
	var calls int
	_, err := Do(t.Context(), outer, func(ctx context.Context) (int, error) {
		calls++
		n, err := Do(ctx, inner, func(context.Context) (int, error) {
			return 0, fmt.Errorf("dial: %w", NotExecuted(errBoom))
		})
		return n, fmt.Errorf("orders: %w", err)
	})
	if calls != 1 || !errors.Is(err, errBoom) || !strings.HasSuffix(err.Error(), "orders: dial: boom") {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestDoAllocates(t *testing.T) {
	e := newExecutor(t, Policy{Retry: &Retry{}, Budget: &Budget{}})
	ctx := t.Context()
	fn := func(context.Context) (int, error) { return 1, nil }
	if n := testing.AllocsPerRun(1000, func() { Do(ctx, e, fn) }); n != 0 {
		t.Errorf("%v allocations where nothing fails", n)
	}
}
