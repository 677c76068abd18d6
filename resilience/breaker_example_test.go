package resilience_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/resilience"
)

func ExampleBreaker() {
	e, err := resilience.New(resilience.Policy{Breaker: &resilience.Breaker{MinCalls: 3}})
	if err != nil {
		panic(err)
	}
	down := func(context.Context) (string, error) { return "", errors.New("connection reset") }
	for range 4 {
		_, err := resilience.Do(context.Background(), e, down)
		fmt.Println(err, e.Breaker())
	}
	// Output:
	// connection reset closed
	// connection reset closed
	// connection reset open
	// resilience: circuit breaker is open open
}

func ExampleOutlier() {
	p := resilience.Standard()
	p.Outlier.ConsecutiveGateway = 3 // three of 502, 503 and 504 in a row
	p.Outlier.MaxPercent = 30        // of the endpoints may be out at the same time
	e, err := resilience.New(p)
	o := e.Outlier()
	fmt.Println(o.Consecutive5xx, o.ConsecutiveGateway, o.BaseEjection, o.MaxPercent, err)

	_, err = resilience.New(resilience.Policy{Outlier: &resilience.Outlier{MaxPercent: 120}})
	fmt.Println(err)
	// Output:
	// 5 3 30s 30 <nil>
	// resilience: Policy.Outlier.MaxPercent: 120: must be 0 (for 10) to 100; leave Outlier nil for none
}
