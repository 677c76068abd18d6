package resilience_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/resilience"
)

// gRPC's retryThrottling: four tokens, of which each failure takes one; at two nothing is retried.
func ExampleBudget() {
	e, err := resilience.New(resilience.Policy{
		Retry:  &resilience.Retry{Retries: 5, Idempotent: true},
		Budget: &resilience.Budget{Kind: resilience.BudgetTokens, MaxTokens: 4, TokenRatio: 0.5},
	})
	if err != nil {
		panic(err)
	}
	tries := 0
	_, err = resilience.Do(context.Background(), e, func(context.Context) (string, error) {
		tries++
		return "", errors.New("out of order")
	})
	fmt.Println(tries, err)

	_, err = resilience.New(resilience.Policy{Budget: &resilience.Budget{Kind: resilience.BudgetTokens, Ratio: 0.2}})
	fmt.Println(err)
	// Output:
	// 2 out of order
	// resilience: Policy.Budget.Ratio: 0.2: is for a budget of another kind
}

// Endpoints that succeed less often than the others are ejected, and never more than 10 %: of fewer than ten, none.
func ExampleSuccessRate() {
	policy := resilience.Config{Default: resilience.Policy{Outlier: &resilience.Outlier{
		SuccessRate: &resilience.SuccessRate{MinRequests: 20},
		MaxPercent:  10,
		Strict:      true,
	}}}
	fmt.Println(policy.Validate())
	set := policy.Default.Outlier.OrDefault()
	fmt.Println(set.SuccessRate.MinHosts, set.SuccessRate.MinRequests, set.SuccessRate.StdevFactor, set.Interval)
	// Output:
	// <nil>
	// 5 20 1.9 10s
}
