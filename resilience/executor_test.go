package resilience

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNewDefaults(t *testing.T) {
	e := newExecutor(t, Standard())
	if e.Reply() != 15*time.Second || e.Idle() != 5*time.Minute || e.Retries() != 2 || e.Idempotent() {
		t.Errorf("Standard: reply %v, idle %v, %d retries, idempotent %v", e.Reply(), e.Idle(), e.Retries(), e.Idempotent())
	}
	if e.waits.Base != 25*time.Millisecond || e.waits.Max != 250*time.Millisecond || !e.on.safe {
		t.Errorf("Standard: back-off %v to %v, conditions %+v", e.waits.Base, e.waits.Max, e.on)
	}
}

func TestNewOfNothing(t *testing.T) {
	e := newExecutor(t, Policy{})
	e.Deposit(time.Now())
	if e.Reply() != 0 || e.Idle() != 0 || e.Retries() != 0 || e.PerTry(time.Second, true, 1) != 0 || e.ledger != nil {
		t.Errorf("a policy of nothing does something: %+v", e)
	}
}

func TestNewNegative(t *testing.T) {
	e := newExecutor(t, Policy{Timeout: &Timeout{Reply: -1, Idle: -1}})
	if e.Reply() != 0 || e.Idle() != 0 {
		t.Errorf("reply %v, idle %v; want no limits", e.Reply(), e.Idle())
	}
}

func TestNewRefuses(t *testing.T) {
	for field, p := range map[string]Policy{
		"Policy.Retry.Retries: -1":              {Retry: &Retry{Retries: -1}},
		"Policy.Retry.Retries: 11":              {Retry: &Retry{Retries: 11}},
		"Policy.Retry.On: [5xy]":                {Retry: &Retry{On: []string{"5xy"}}},
		"Policy.Retry.Backoff.Base: -1ns":       {Retry: &Retry{Backoff: Backoff{Base: -1}}},
		"Policy.Retry.Backoff.Max: 1s":          {Retry: &Retry{Backoff: Backoff{Base: time.Minute, Max: time.Second}}},
		"Policy.Retry.Backoff.Max: 10ms":        {Retry: &Retry{Backoff: Backoff{Max: 10 * time.Millisecond}}},
		"Policy.Retry.Backoff.Max: -1ns":        {Retry: &Retry{Backoff: Backoff{Max: -1}}},
		"Policy.Budget.Ratio: 1.5":              {Budget: &Budget{Ratio: 1.5}},
		"Policy.Budget.Ratio: NaN":              {Budget: &Budget{Ratio: math.NaN()}},
		"Policy.Budget.Window: 999ms":           {Budget: &Budget{Window: 999 * time.Millisecond}},
		"Policy.Budget.Window: 1h0m1s":          {Budget: &Budget{Window: time.Hour + time.Second}},
		"Policy.Budget.Window: -1s":             {Budget: &Budget{Window: -time.Second}},
		"Policy.Budget.PerSecond: +Inf":         {Budget: &Budget{PerSecond: math.Inf(1)}},
		"Policy.Budget.PerSecond: NaN":          {Budget: &Budget{PerSecond: math.NaN()}},
		"Policy.Budget.PerSecond: 1.000001e+06": {Budget: &Budget{PerSecond: 1000001}},
	} {
		if e, err := New(p); err == nil || e != nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v, %v", field, e, err)
		}
		c := Config{Services: map[string]Policy{"orders": p}}
		want := strings.Replace(field, "Policy", `Services["orders"]`, 1)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Config: %v, want %s", err, want)
		}
	}
}

func TestValidateNamesAll(t *testing.T) {
	bad := Policy{Retry: &Retry{Retries: 99}}
	c := Config{Default: bad, Services: map[string]Policy{"b": bad, "a": bad, "fine": Standard()}}
	err := c.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{"Default.", `Services["a"].`, `Services["b"].`} {
		if len(lines) != 3 || !strings.HasPrefix(lines[i], "resilience: "+want+"Retry.Retries: 99: ") {
			t.Errorf("line %d of %q does not name %s", i, lines, want)
		}
	}
}

func TestConfigFor(t *testing.T) {
	c := Config{Default: Policy{Retry: &Retry{Retries: 1}}, Services: map[string]Policy{
		"orders": {Retry: &Retry{Retries: 2}}, "orders:81": {Retry: &Retry{Retries: 3}},
	}}
	for service, want := range map[string]int{"orders": 2, "orders:80": 2, "orders:81": 3, "reviews:80": 1} {
		name, _, _ := strings.Cut(service, ":")
		if got := c.For(service, name).Retry.Retries; got != want {
			t.Errorf("%s: the policy with %d retries, want %d", service, got, want)
		}
	}
}

func TestPerTry(t *testing.T) {
	const none = time.Duration(0)
	for _, tt := range []struct {
		name       string
		retry      *Retry
		remaining  time.Duration
		idempotent bool
		tries      int
		want       time.Duration
	}{
		{"no retries", nil, time.Second, true, 1, none},
		{"half", &Retry{}, time.Second, true, 1, 500 * time.Millisecond},
		{"half of the rest", &Retry{}, 500 * time.Millisecond, true, 2, 250 * time.Millisecond},
		{"the last attempt", &Retry{}, 250 * time.Millisecond, true, 3, none},
		{"not idempotent", &Retry{}, time.Second, false, 1, none},
		{"no limit on the call", &Retry{}, none, true, 1, none},
		{"almost over", &Retry{}, 1, true, 1, 1},
		{"negative", &Retry{PerTry: -1}, time.Second, true, 1, none},
		{"a number", &Retry{PerTry: 300 * time.Millisecond}, time.Second, true, 1, 300 * time.Millisecond},
		{"a number, not idempotent", &Retry{PerTry: 300 * time.Millisecond}, time.Second, false, 1, 300 * time.Millisecond},
		{"a number, the last attempt", &Retry{PerTry: 300 * time.Millisecond}, time.Second, true, 3, 300 * time.Millisecond},
		{"a number, no limit on the call", &Retry{PerTry: 300 * time.Millisecond}, none, true, 1, 300 * time.Millisecond},
		{"a number beyond the rest", &Retry{PerTry: time.Minute}, time.Second, true, 1, time.Second},
	} {
		e := newExecutor(t, Policy{Retry: tt.retry})
		if got := e.PerTry(tt.remaining, tt.idempotent, tt.tries); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestWithKeepsWhatIsSpent(t *testing.T) {
	for _, tt := range []struct {
		name string
		then []Policy
		want int
	}{
		{"the same", []Policy{Standard()}, 0},
		{"more retries", []Policy{{Retry: &Retry{Retries: 5}, Budget: &Budget{}}}, 0},
		{"the default window by name", []Policy{{Budget: &Budget{Window: 10 * time.Second}}}, 0},
		{"twice the reserve", []Policy{{Budget: &Budget{PerSecond: 20}}}, 100},
		{"half of the reserve", []Policy{{Budget: &Budget{PerSecond: 5}}}, 0},
		{"taken away and put back", []Policy{{}, {}, Standard()}, 0},
		{"another window", []Policy{{Budget: &Budget{Window: 20 * time.Second}}}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newExecutor(t, Standard())
				drain(e)
				for _, p := range tt.then {
					n, err := e.With(p)
					if err != nil {
						t.Fatal(err)
					}
					e = n
				}
				if got := drain(e); got != tt.want {
					t.Errorf("%d retries at hand, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestWithSharesWhatIsToCome(t *testing.T) {
	old := newExecutor(t, Policy{Budget: &Budget{Window: time.Hour, PerSecond: -1, Ratio: 0.5}})
	now, err := old.With(Policy{Budget: &Budget{Window: time.Hour, PerSecond: -1, Ratio: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 { // calls that began before the reload still use the old one
		old.Deposit(time.Now())
	}
	if got := drain(now); got != 10 {
		t.Errorf("%d retries, want 10", got)
	}
}

func TestWithAddsABudget(t *testing.T) {
	e, err := newExecutor(t, Policy{}).With(Standard())
	if err != nil || drain(e) != 100 {
		t.Errorf("no full budget after one was added: %v", err)
	}
}

func TestWithRefuses(t *testing.T) {
	e := newExecutor(t, Standard())
	if n, err := e.With(Policy{Retry: &Retry{Retries: 99}}); err == nil || n != nil {
		t.Errorf("got %v, %v", n, err)
	}
	if drain(e) != 100 {
		t.Error("the executor was changed by a policy that it refused")
	}
}

func TestDepositAllocates(t *testing.T) {
	e := newExecutor(t, Standard())
	if n := testing.AllocsPerRun(1000, func() { e.Deposit(time.Now()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
