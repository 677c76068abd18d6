package resilience

import "time"

// Defaults of [Budget]: 20 % over 10 s and 10 a second as in Finagle and the Gateway API; 20 % and 3 as in Envoy; the
// example of gRFC A6.
const (
	defaultRatio          = 0.2
	defaultWindow         = 10 * time.Second
	defaultPerSecond      = 10
	defaultPercent        = 20
	defaultMinConcurrency = 3
	defaultMaxTokens      = 10
	defaultTokenRatio     = 0.1
)

// BudgetKind is one of the meanings that a [Budget] can have.
type BudgetKind string

// The kinds of budgets. Each has fields of its own, and the others must be 0.
//
//	kind           a retry is permitted while                     fields                     source
//	BudgetWindow   retries of the last Window, with this one,     Ratio, Window, PerSecond   Finagle's RetryBudget;
//	               <= Ratio x calls + PerSecond x Window                                     Gateway API, GEP-3388
//	BudgetEnvoy    retries under way, with this one, <= the       Percent, MinConcurrency    Envoy's retry_budget;
//	               greater of MinConcurrency and Percent of                                  Istio's retryBudget
//	               the calls under way or waiting
//	BudgetTokens   more than half of MaxTokens are left; an       MaxTokens, TokenRatio      gRPC's retryThrottling
//	               attempt that fails in a way that the policy                               (gRFC A6)
//	               repeats takes one, a call that succeeds gives
//	               TokenRatio
//
// The Gateway API's budget.percent and interval are Ratio (as a share) and Window, its minRetryRate is PerSecond.
//
// Of these, BudgetWindow alone bounds retries in proportion to calls whatever they take: a destination that fails fast is
// done with a retry at once, so that a bound on retries under way hardly holds them back.
const (
	BudgetWindow BudgetKind = ""
	BudgetEnvoy  BudgetKind = "envoy"
	BudgetTokens BudgetKind = "tokens"
)

// Budget bounds retries by the traffic that there is, so that they cannot multiply an outage; beyond it the last outcome
// stands. Its state belongs to the destination.
type Budget struct {
	// Kind is what the budget means.
	Kind BudgetKind

	Ratio     float64       // of BudgetWindow: retries for each call. 0: 0.2; negative: none; at most 1
	Window    time.Duration // 0: 10 s; 1 s to 1 h
	PerSecond float64       // retries a second whatever the traffic. 0: 10; negative: none

	Percent        float64 // of BudgetEnvoy: retries under way in percent of the calls. 0: 20; negative: none; at most 100
	MinConcurrency int     // retries that may always be under way. 0: 3; negative: none

	MaxTokens  float64 // of BudgetTokens. 0: 10; at most 1000. As in gRPC, what is beyond three decimal places does not count
	TokenRatio float64 // 0: 0.1; 0.001 to 1000
}

// OrDefault is the budget with the defaults of its kind in the place of zeros, and zeros where something is off.
func (b Budget) OrDefault() Budget {
	switch b.Kind {
	case BudgetEnvoy:
		b.Percent = max(0, or(b.Percent, defaultPercent))
		b.MinConcurrency = orOff(b.MinConcurrency, defaultMinConcurrency)
	case BudgetTokens:
		b.MaxTokens = or(b.MaxTokens, defaultMaxTokens)
		b.TokenRatio = or(b.TokenRatio, defaultTokenRatio)
	default:
		b.Ratio = max(0, or(b.Ratio, defaultRatio))
		b.Window = or(b.Window, defaultWindow)
		b.PerSecond = max(0, or(b.PerSecond, defaultPerSecond))
	}
	return b
}

func (b *Budget) validate(bad func(field string, value any, why string)) {
	if b.Kind != BudgetWindow && b.Kind != BudgetEnvoy && b.Kind != BudgetTokens {
		bad("Budget.Kind", b.Kind, `must be empty, "envoy" or "tokens"`)
		return
	}
	number := func(field string, kind BudgetKind, v float64, fine bool, why string) {
		switch {
		case v != 0 && kind != b.Kind:
			bad("Budget."+field, v, "is for a budget of another kind")
		case v != 0 && !fine || v != v:
			bad("Budget."+field, v, why)
		}
	}
	number("Ratio", BudgetWindow, b.Ratio, b.Ratio <= 1, "must be a share of the calls, at most 1")
	number("PerSecond", BudgetWindow, b.PerSecond, b.PerSecond <= 1e6, "must be a number of at most a million")
	number("Percent", BudgetEnvoy, b.Percent, b.Percent <= 100, "must be a percentage of the calls, at most 100")
	number("MinConcurrency", BudgetEnvoy, float64(b.MinConcurrency), b.MinConcurrency <= 1e6, "must be at most a million")
	number("MaxTokens", BudgetTokens, b.MaxTokens, b.MaxTokens >= 0.001 && b.MaxTokens <= 1000, "must be 0.001 to 1000, or 0 for 10")
	number("TokenRatio", BudgetTokens, b.TokenRatio, b.TokenRatio >= 0.001 && b.TokenRatio <= 1000, "must be 0.001 to 1000, or 0 for 0.1")
	if b.Window != 0 && b.Kind != BudgetWindow {
		bad("Budget.Window", b.Window, "is for a budget of another kind")
	} else if b.Window < 0 || (b.Window != 0 && b.Window < time.Second) || b.Window > time.Hour {
		bad("Budget.Window", b.Window, "must be 1 s to 1 h")
	}
}
