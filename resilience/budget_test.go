package resilience

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

func budgeted(t testing.TB, b Budget) *Executor {
	t.Helper()
	e, err := New(Policy{Retry: &Retry{Retries: 10, Idempotent: true}, Budget: &b})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var failed = call.Outcome{Status: 503, Code: call.Unavailable}

// retry asks for one.
func (e *Executor) retry(s *Series) bool {
	s.Replayable = true
	_, again := e.Again(s, failed, 1, time.Now())
	return again
}

// TestBudgetValidate: each kind has its own fields, and the others must be 0.
func TestBudgetValidate(t *testing.T) {
	for _, tt := range []struct {
		b    Budget
		want string // empty: it is fine
	}{
		{Budget{}, ""}, {Budget{Ratio: -1, PerSecond: -1}, ""}, {Budget{Ratio: 1, Window: time.Hour, PerSecond: 1e6}, ""},
		{Budget{Ratio: 1.1}, "Ratio"}, {Budget{Ratio: math.NaN()}, "Ratio"}, {Budget{PerSecond: 2e6}, "PerSecond"},
		{Budget{PerSecond: math.NaN()}, "PerSecond"}, {Budget{Window: -1}, "Window"}, {Budget{Window: time.Millisecond}, "Window"},
		{Budget{Window: 2 * time.Hour}, "Window"}, {Budget{Percent: 20}, "Percent"}, {Budget{MinConcurrency: 3}, "MinConcurrency"},
		{Budget{MaxTokens: 10}, "MaxTokens"}, {Budget{TokenRatio: 0.1}, "TokenRatio"},
		{Budget{Kind: BudgetEnvoy}, ""}, {Budget{Kind: BudgetEnvoy, Percent: 100, MinConcurrency: -1}, ""},
		{Budget{Kind: BudgetEnvoy, Percent: -1}, ""}, {Budget{Kind: BudgetEnvoy, Percent: 101}, "Percent"},
		{Budget{Kind: BudgetEnvoy, Percent: math.NaN()}, "Percent"}, {Budget{Kind: BudgetEnvoy, MinConcurrency: 2e6}, "MinConcurrency"},
		{Budget{Kind: BudgetEnvoy, Ratio: 0.2}, "Ratio"}, {Budget{Kind: BudgetEnvoy, Window: time.Second}, "Window"},
		{Budget{Kind: BudgetEnvoy, PerSecond: -1}, "PerSecond"},
		{Budget{Kind: BudgetTokens}, ""}, {Budget{Kind: BudgetTokens, MaxTokens: 1000, TokenRatio: 0.001}, ""},
		{Budget{Kind: BudgetTokens, MaxTokens: 1001}, "MaxTokens"}, {Budget{Kind: BudgetTokens, MaxTokens: -1}, "MaxTokens"},
		{Budget{Kind: BudgetTokens, TokenRatio: -1}, "TokenRatio"}, {Budget{Kind: BudgetTokens, TokenRatio: 0.0001}, "TokenRatio"},
		{Budget{Kind: BudgetTokens, MaxTokens: math.Inf(1)}, "MaxTokens"}, {Budget{Kind: BudgetTokens, TokenRatio: math.NaN()}, "TokenRatio"},
		{Budget{Kind: BudgetTokens, Percent: 20}, "Percent"}, {Budget{Kind: "istio"}, "Kind"},
	} {
		err := Config{Default: Policy{Budget: &tt.b}}.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), "Default.Budget."+tt.want+":") {
			t.Errorf("%+v: %v", tt.b, err)
		}
	}
	for _, tt := range []struct{ given, want Budget }{
		{Budget{}, Budget{Ratio: 0.2, Window: 10 * time.Second, PerSecond: 10}},
		{Budget{Kind: BudgetEnvoy}, Budget{Kind: BudgetEnvoy, Percent: 20, MinConcurrency: 3}},
		{Budget{Kind: BudgetEnvoy, Percent: -1, MinConcurrency: -1}, Budget{Kind: BudgetEnvoy}},
		{Budget{Kind: BudgetTokens}, Budget{Kind: BudgetTokens, MaxTokens: 10, TokenRatio: 0.1}},
	} {
		if got := tt.given.OrDefault(); got != tt.want {
			t.Errorf("%+v", got)
		}
	}
}

// TestPolicyAsJSON: a policy is data, there and back.
func TestPolicyAsJSON(t *testing.T) {
	p := Policy{
		Budget: &Budget{Kind: BudgetTokens, MaxTokens: 5}, Limit: &Limit{Connections: 1, Pending: -1, Requests: 3, Retries: 4},
		Outlier: &Outlier{Strict: true, SuccessRate: &SuccessRate{StdevFactor: 1.9}, FailurePercent: &FailurePercent{Enforce: -1}},
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var q Policy
	if err := json.Unmarshal(b, &q); err != nil {
		t.Fatal(err)
	}
	if *q.Budget != *p.Budget || *q.Limit != *p.Limit || *q.Outlier.SuccessRate != *p.Outlier.SuccessRate || *q.Outlier.FailurePercent != *p.Outlier.FailurePercent || !q.Outlier.Strict {
		t.Errorf("%s", b)
	}
}

// TestTokens: the first row is that of grpc's C core (retry_throttle_test.cc), the second the example of gRFC A6.
func TestTokens(t *testing.T) {
	for _, tt := range []struct {
		most, ratio float64
		steps       string // f: fails, and may be retried; x: fails, and may not; s: succeeds
	}{
		{4, 1.6, "fsfxsfxssf"},
		{10, 0.1, "ffffxxssssssssssssssssssssxsssssssssssf"},
		{1, 0.001, "x"},
		{3, 1, "fxxxxxsxssxsssfxxssx"},
		{0.5, 1, "xsxs"},
	} {
		e := budgeted(t, Budget{Kind: BudgetTokens, MaxTokens: tt.most, TokenRatio: tt.ratio})
		for i, step := range tt.steps {
			if step == 's' {
				e.Credit()
				continue
			}
			var s Series
			if got := e.retry(&s); got != (step == 'f') || !got && s.Stopped != StopBudget {
				t.Errorf("%v, %v, %q at %d: %t, %v, %d left", tt.most, tt.ratio, tt.steps, i, got, s.Stopped, e.tokens.left.Load())
			}
		}
	}
}

// TestWhatTakesTokens: each attempt that fails in a way that is repeated, also where it is not repeated this time, and each
// that the server does not want repeated; nothing else.
func TestWhatTakesTokens(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     call.Outcome
		s     Series
		tries int
		want  int64
	}{
		{"repeated", failed, Series{Replayable: true}, 1, 9000},
		{"the last of its tries", failed, Series{Replayable: true}, 11, 9000},
		{"not replayable", failed, Series{}, 1, 9000},
		{"its deadline is too near", failed, Series{Replayable: true, Deadline: time.Now()}, 1, 9000},
		{"pushed back", call.Outcome{Status: 500, HasPushback: true, Pushback: -1}, Series{Replayable: true}, 1, 9000},
		{"not of a kind that is repeated", call.Outcome{Status: 500}, Series{Replayable: true}, 1, 10000},
		{"cancelled", call.Outcome{Canceled: true}, Series{Replayable: true}, 1, 10000},
	} {
		e := budgeted(t, Budget{Kind: BudgetTokens})
		e.Again(&tt.s, tt.o, tt.tries, time.Now())
		if got := e.tokens.left.Load(); got != tt.want {
			t.Errorf("%s: %d left, want %d", tt.name, got, tt.want)
		}
	}
}

// TestTokensAgainstModel: floats in the place of thousandths, and a changing policy, which keeps the share that is left.
func TestTokensAgainstModel(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		draw := func() Budget {
			return Budget{Kind: BudgetTokens, MaxTokens: float64(1 + rnd.IntN(1000)), TokenRatio: float64(1+rnd.IntN(3000)) / 1000}
		}
		b := draw()
		e := budgeted(t, b)
		left := b.MaxTokens
		bias := rnd.IntN(100)
		for step := range 2000 {
			switch {
			case rnd.IntN(200) == 0:
				p := Policy{Retry: &Retry{Retries: 10, Idempotent: true}}
				if rnd.IntN(2) == 0 {
					e, _ = e.With(p) // taken away, and put back
				}
				next := draw()
				if rnd.IntN(2) == 0 {
					next.MaxTokens = b.MaxTokens
				}
				p.Budget = &next
				e, _ = e.With(p)
				scaled := left * next.MaxTokens / b.MaxTokens
				left, b = float64(e.tokens.left.Load())/1000, next // the model's to within a thousandth, which is lost
				if scaled-left < -1e-6 || scaled-left > 1.001e-3 {
					t.Fatalf("seed %d, step %d: %v left, want %v", seed, step, left, scaled)
				}
			case rnd.IntN(100) < bias:
				left = max(0, left-1)
				want := left > b.MaxTokens/2+1e-9
				if got := e.retry(new(Series)); got != want {
					t.Fatalf("seed %d, step %d, %+v: %t with %v left", seed, step, b, got, left)
				}
			default:
				left = min(b.MaxTokens, left+b.TokenRatio)
				e.Credit()
			}
			if got := float64(e.tokens.left.Load()) / 1000; math.Abs(got-left) > 1e-6 {
				t.Fatalf("seed %d, step %d: %v left, want %v", seed, step, got, left)
			}
		}
	}
}

// TestTokensScale: a throttled destination stays throttled under a budget of another size.
func TestTokensScale(t *testing.T) {
	e := budgeted(t, Budget{Kind: BudgetTokens, MaxTokens: 10})
	for range 8 {
		e.retry(new(Series))
	}
	for _, tt := range []struct{ most, want float64 }{{100, 20}, {10, 2}, {5, 1}, {1, 0.2}} {
		n, err := e.With(Policy{Retry: &Retry{}, Budget: &Budget{Kind: BudgetTokens, MaxTokens: tt.most}})
		if err != nil || n.tokens.left.Load() != int64(tt.want*1000) {
			t.Errorf("%+v: %d left", tt, n.tokens.left.Load())
		}
	}
}

// TestEnvoyShare: the numbers of Envoy's RetryBudgetImpl, max(percent / 100 x active, minimum), rounded down.
func TestEnvoyShare(t *testing.T) {
	for _, tt := range []struct {
		b      Budget
		active int
		want   int
	}{
		{Budget{}, 0, 3}, {Budget{}, 1, 3}, {Budget{}, 15, 3}, {Budget{}, 19, 3}, {Budget{}, 20, 4}, {Budget{}, 24, 4}, {Budget{}, 100, 20},
		{Budget{Percent: 25, MinConcurrency: 10}, 39, 10}, {Budget{Percent: 25, MinConcurrency: 10}, 44, 11},
		{Budget{Percent: 100, MinConcurrency: -1}, 7, 7}, {Budget{MinConcurrency: -1}, 4, 0}, {Budget{MinConcurrency: -1}, 5, 1},
		{Budget{Percent: -1}, 1000, 3}, {Budget{Percent: -1, MinConcurrency: -1}, 1000, 0}, {Budget{Percent: 12.5, MinConcurrency: -1}, 16, 2},
	} {
		tt.b.Kind = BudgetEnvoy
		e := budgeted(t, tt.b)
		for range tt.active {
			if _, err := e.Admit(t.Context(), time.Time{}, false); err != nil {
				t.Fatal(err)
			}
		}
		var got int
		for e.retry(new(Series)) {
			got++
		}
		if got != tt.want {
			t.Errorf("%+v, %d under way: %d retries, want %d", tt.b, tt.active, got, tt.want)
		}
	}
}

// TestEnvoyShareOfWaiting: calls that wait for a connection count, too.
func TestEnvoyShareOfWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(Policy{
			Retry:  &Retry{Retries: 10, Idempotent: true},
			Budget: &Budget{Kind: BudgetEnvoy, Percent: 50, MinConcurrency: -1},
			Limit:  &Limit{Connections: 1},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 4 {
			go func() { _, _ = e.Admit(ctx, time.Time{}, true) }()
		}
		synctest.Wait()
		if u := e.Usage(); u.Requests != 1 || u.Pending != 3 {
			t.Fatalf("%+v", u)
		}
		for want := range 3 {
			if got := e.retry(new(Series)); got != (want < 2) {
				t.Errorf("retry %d of one call under way and three that wait: %t", want+1, got)
			}
		}
	})
}

// TestEnvoyAgainstModel: random calls that begin, are retried and end, under a budget and sometimes a limit beside it.
func TestEnvoyAgainstModel(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 13))
		b := Budget{Kind: BudgetEnvoy, Percent: float64(1 + rnd.IntN(100)), MinConcurrency: rnd.IntN(6) - 1}
		p := Policy{Retry: &Retry{Retries: 10, Idempotent: true}, Budget: &b}
		if rnd.IntN(2) == 0 {
			p.Limit = &Limit{Retries: rnd.IntN(8)}
		}
		e, err := New(p)
		if err != nil {
			t.Fatal(err)
		}
		type one struct {
			s        Series
			place    Place
			retrying bool
		}
		var calls []*one
		for step := range 1000 {
			switch rnd.IntN(4) {
			case 0, 1:
				o := &one{}
				o.place, _ = e.Admit(t.Context(), time.Time{}, false)
				calls = append(calls, o)
			case 2:
				if len(calls) == 0 {
					continue
				}
				o := calls[rnd.IntN(len(calls))]
				o.retrying = false
				under := 0
				for _, c := range calls {
					if c.retrying {
						under++
					}
				}
				set := b.OrDefault()
				most := max(int(math.Floor(set.Percent*float64(len(calls))/100+1e-9)), set.MinConcurrency)
				want := under < most
				if p.Limit != nil && p.Limit.Retries != 0 {
					want = want && under < p.Limit.Retries
				}
				if got := e.retry(&o.s); got != want {
					t.Fatalf("seed %d, step %d: %t with %d retries of %d calls, %+v, %+v", seed, step, got, under, len(calls), b, p.Limit)
				}
				o.retrying = want
			case 3:
				if len(calls) == 0 || rnd.IntN(2) == 0 {
					continue
				}
				i := rnd.IntN(len(calls))
				e.Leave(calls[i].place)
				e.Close(&calls[i].s)
				calls = append(calls[:i:i], calls[i+1:]...)
				if rnd.IntN(10) == 0 {
					e, _ = e.With(p)
				}
			}
		}
		for _, o := range calls {
			e.Leave(o.place)
			e.Close(&o.s)
		}
		e.empty(t)
	}
}

// TestBudgetsUnderLoad: with as many calls under way as there are callers, no more retries are under way than the share of
// them; tokens are neither lost nor made.
func TestBudgetsUnderLoad(t *testing.T) {
	const callers = 40
	e := budgeted(t, Budget{Kind: BudgetEnvoy, Percent: 10, MinConcurrency: -1}) // at most 4
	tok := budgeted(t, Budget{Kind: BudgetTokens, MaxTokens: 1000, TokenRatio: 1})
	var retrying, granted atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range 1000 {
				p, err := e.Admit(t.Context(), time.Time{}, false)
				if err != nil {
					t.Error(err)
				}
				var s Series
				if e.retry(&s) {
					granted.Add(1)
					if n := retrying.Add(1); n > callers/10 {
						t.Errorf("%d", n)
					}
					retrying.Add(-1)
				}
				e.Close(&s)
				e.Leave(p)
				tok.tokens.add(-aToken)
				tok.Credit()
			}
		})
	}
	all.Wait()
	e.empty(t)
	if n := tok.tokens.left.Load(); n != 1000*aToken {
		t.Errorf("%d thousandths left", n)
	}
	t.Logf("%d retries", granted.Load())
}

// TestDoUnderBudgets: each kind stops Do's retries, and successes give tokens.
func TestDoUnderBudgets(t *testing.T) {
	bad := errors.New("no")
	for _, tt := range []struct {
		b    Budget
		want int // calls of fn
	}{
		{Budget{Ratio: -1, PerSecond: -1}, 1}, {Budget{Kind: BudgetEnvoy, Percent: -1, MinConcurrency: -1}, 1},
		{Budget{Kind: BudgetEnvoy}, 3}, {Budget{Kind: BudgetTokens, MaxTokens: 4}, 2}, {Budget{Kind: BudgetTokens}, 3},
	} {
		e, err := New(Policy{Retry: &Retry{Idempotent: true, Backoff: Backoff{Base: 1, Max: 1}}, Budget: &tt.b})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		_, err = Do(t.Context(), e, func(context.Context) (int, error) { n++; return 0, bad })
		if err != bad || n != tt.want { //nolint:errorlint // the very one
			t.Errorf("%+v: %d calls, want %d: %v", tt.b, n, tt.want, err)
		}
		if e.tokens != nil {
			before := e.tokens.left.Load()
			_, _ = Do(t.Context(), e, func(context.Context) (int, error) { return 0, nil })
			if got := e.tokens.left.Load() - before; got != 100 {
				t.Errorf("%+v: a success gave %d", tt.b, got)
			}
		}
	}
}

// TestPassedDown: any kind of budget is one.
func TestPassedDown(t *testing.T) {
	for _, kind := range []BudgetKind{BudgetWindow, BudgetEnvoy, BudgetTokens} {
		e := budgeted(t, Budget{Kind: kind})
		if !e.Permits(true) || !e.retry(&Series{PassedDown: true}) {
			t.Errorf("%q", kind)
		}
	}
}
