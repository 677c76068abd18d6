package resilience

import (
	"math"
	"strings"
	"testing"
	"time"
)

// TestBreakerAndOutlierValidate: what cannot be honoured is refused by the name of its field, and everything else is not.
func TestBreakerAndOutlierValidate(t *testing.T) {
	b := func(b Breaker) Policy { return Policy{Breaker: &b} }
	o := func(o Outlier) Policy { return Policy{Outlier: &o} }
	for _, tt := range []struct {
		p    Policy
		want string // the field; empty: it is fine
	}{
		{b(Breaker{}), ""},
		{b(Breaker{Ratio: 1, MinCalls: 1, Window: time.Second, Open: time.Millisecond, MaxOpen: time.Millisecond}), ""},
		{b(Breaker{Open: 2 * time.Minute}), ""},
		{b(Breaker{Ratio: 1.1}), "Breaker.Ratio"},
		{b(Breaker{Ratio: -0.1}), "Breaker.Ratio"},
		{b(Breaker{Ratio: math.NaN()}), "Breaker.Ratio"},
		{b(Breaker{MinCalls: -1}), "Breaker.MinCalls"},
		{b(Breaker{Window: time.Millisecond}), "Breaker.Window"},
		{b(Breaker{Window: 2 * time.Hour}), "Breaker.Window"},
		{b(Breaker{Open: -1}), "Breaker.Open"},
		{b(Breaker{MaxOpen: time.Second}), "Breaker.MaxOpen"},
		{b(Breaker{Open: time.Minute, MaxOpen: 59 * time.Second}), "Breaker.MaxOpen"},
		{o(Outlier{}), ""},
		{o(Outlier{Consecutive5xx: -1, ConsecutiveGateway: 1, Jitter: -1, MaxPercent: 100, MinHealthPercent: -1}), ""},
		{o(Outlier{BaseEjection: time.Hour}), ""},
		{o(Outlier{Consecutive5xx: 2e6}), "Outlier.Consecutive5xx"},
		{o(Outlier{ConsecutiveGateway: -1}), "Outlier.ConsecutiveGateway"},
		{o(Outlier{Interval: -1}), "Outlier.Interval"},
		{o(Outlier{Interval: 1}), "Outlier.Interval"},
		{o(Outlier{BaseEjection: 1}), "Outlier.BaseEjection"},
		{o(Outlier{BaseEjection: 25 * time.Hour}), "Outlier.BaseEjection"},
		{o(Outlier{MaxEjection: 29 * time.Second}), "Outlier.MaxEjection"},
		{o(Outlier{Jitter: 1.5}), "Outlier.Jitter"},
		{o(Outlier{Jitter: math.NaN()}), "Outlier.Jitter"},
		{o(Outlier{MaxPercent: 101}), "Outlier.MaxPercent"},
		{o(Outlier{MaxPercent: -1}), "Outlier.MaxPercent"},
		{o(Outlier{MinHealthPercent: 101}), "Outlier.MinHealthPercent"},
		{o(Outlier{MinHealthPercent: 100, Strict: true, Enforce5xx: -1, EnforceGateway: 100, EnforceLocalOrigin: 1}), ""},
		{o(Outlier{SplitLocalOrigin: true, ConsecutiveLocalOrigin: -1}), ""},
		{o(Outlier{ConsecutiveLocalOrigin: 5}), "Outlier.ConsecutiveLocalOrigin"},
		{o(Outlier{SplitLocalOrigin: true, ConsecutiveLocalOrigin: 2e6}), "Outlier.ConsecutiveLocalOrigin"},
		{o(Outlier{Enforce5xx: 101}), "Outlier.Enforce5xx"},
		{o(Outlier{EnforceGateway: 101}), "Outlier.EnforceGateway"},
		{o(Outlier{EnforceLocalOrigin: 101}), "Outlier.EnforceLocalOrigin"},
		{o(Outlier{SuccessRate: &SuccessRate{}, FailurePercent: &FailurePercent{}}), ""},
		{o(Outlier{SuccessRate: &SuccessRate{MinHosts: -1}}), "Outlier.SuccessRate.MinHosts"},
		{o(Outlier{SuccessRate: &SuccessRate{MinRequests: 2e9}}), "Outlier.SuccessRate.MinRequests"},
		{o(Outlier{SuccessRate: &SuccessRate{StdevFactor: -1}}), "Outlier.SuccessRate.StdevFactor"},
		{o(Outlier{SuccessRate: &SuccessRate{StdevFactor: math.NaN()}}), "Outlier.SuccessRate.StdevFactor"},
		{o(Outlier{SuccessRate: &SuccessRate{StdevFactor: math.Inf(1)}}), "Outlier.SuccessRate.StdevFactor"},
		{o(Outlier{SuccessRate: &SuccessRate{Enforce: 101}}), "Outlier.SuccessRate.Enforce"},
		{o(Outlier{SuccessRate: &SuccessRate{EnforceLocal: 101}}), "Outlier.SuccessRate.EnforceLocal"},
		{o(Outlier{FailurePercent: &FailurePercent{Threshold: 101}}), "Outlier.FailurePercent.Threshold"},
		{o(Outlier{FailurePercent: &FailurePercent{Threshold: -1}}), "Outlier.FailurePercent.Threshold"},
		{o(Outlier{FailurePercent: &FailurePercent{MinHosts: -1}}), "Outlier.FailurePercent.MinHosts"},
		{o(Outlier{FailurePercent: &FailurePercent{MinRequests: -1}}), "Outlier.FailurePercent.MinRequests"},
		{o(Outlier{FailurePercent: &FailurePercent{Enforce: 101}}), "Outlier.FailurePercent.Enforce"},
		{o(Outlier{FailurePercent: &FailurePercent{EnforceLocal: 101}}), "Outlier.FailurePercent.EnforceLocal"},
	} {
		err := Config{Services: map[string]Policy{"orders": tt.p}}.Validate()
		switch {
		case tt.want == "" && err != nil:
			t.Error(err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), `Services["orders"].`+tt.want+":")):
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}

// TestDefaults: the numbers that the comments give.
func TestDefaults(t *testing.T) {
	wantB := Breaker{Ratio: 0.5, MinCalls: 20, Window: 10 * time.Second, Open: 5 * time.Second, MaxOpen: time.Minute}
	if got := (Breaker{}).OrDefault(); got != wantB {
		t.Errorf("%+v", got)
	}
	wantO := Outlier{
		Consecutive5xx: 5, Interval: 10 * time.Second, BaseEjection: 30 * time.Second, MaxEjection: 300 * time.Second,
		Jitter: 0.1, MaxPercent: 10, MinHealthPercent: 50,
		Enforce5xx: 100, EnforceGateway: 100, ConsecutiveLocalOrigin: 5, EnforceLocalOrigin: 100,
	}
	if got := (Outlier{}).OrDefault(); got != wantO {
		t.Errorf("%+v", got)
	}
	given := Outlier{SuccessRate: &SuccessRate{}, FailurePercent: &FailurePercent{Enforce: -1}}
	set := given.OrDefault()
	if want := (SuccessRate{MinHosts: 5, MinRequests: 100, StdevFactor: 1.9, Enforce: 100, EnforceLocal: 100}); *set.SuccessRate != want {
		t.Errorf("%+v", *set.SuccessRate)
	}
	if want := (FailurePercent{Threshold: 85, MinHosts: 5, MinRequests: 50, EnforceLocal: 100}); *set.FailurePercent != want {
		t.Errorf("%+v", *set.FailurePercent)
	}
	if *given.SuccessRate != (SuccessRate{}) || *given.FailurePercent != (FailurePercent{Enforce: -1}) {
		t.Error("OrDefault has changed what it was given")
	}
	if got := (Outlier{Consecutive5xx: -1, Jitter: -1, MinHealthPercent: -1}).OrDefault(); got.Consecutive5xx != 0 || got.Jitter != 0 || got.MinHealthPercent != 0 {
		t.Errorf("%+v", got)
	}
	if p := Standard(); p.Breaker == nil || p.Outlier == nil || *p.Breaker != (Breaker{}) || *p.Outlier != (Outlier{}) {
		t.Errorf("%+v", p)
	}
}
