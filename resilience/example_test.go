package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/intramesh/intramesh/resilience"
)

func ExampleNew() {
	e, err := resilience.New(resilience.Policy{
		Timeout: &resilience.Timeout{Reply: 2 * time.Second},
		Retry:   &resilience.Retry{Retries: 3, On: []string{"connect-failure", "503"}},
	})
	fmt.Println(e.Reply(), e.Idle(), e.Retries(), err)

	_, err = resilience.New(resilience.Policy{Retry: &resilience.Retry{On: []string{"conect-failure"}}})
	fmt.Println(err)
	// Output:
	// 2s 5m0s 3 <nil>
	// resilience: Policy.Retry.On: [conect-failure]: "conect-failure" is not a condition; did you mean "connect-failure"?
}

func ExampleDo() {
	e, err := resilience.New(resilience.Standard())
	if err != nil {
		panic(err)
	}
	tries := 0
	body, err := resilience.Do(context.Background(), e, func(context.Context) (string, error) {
		tries++
		if tries == 1 {
			return "", resilience.NotExecuted(errors.New("connection refused")) // safe to repeat
		}
		return "hello", nil
	})
	fmt.Println(body, err, tries)

	tries = 0
	_, err = resilience.Do(context.Background(), e, func(context.Context) (string, error) {
		tries++
		return "", errors.New("connection reset") // perhaps executed: not repeated
	})
	fmt.Println(err, tries)
	// Output:
	// hello <nil> 2
	// connection reset 1
}

func ExampleStandard() {
	p := resilience.Standard()
	p.Retry.Idempotent = true     // this service does no harm when it is called twice
	p.Timeout.Reply = time.Second // and answers quickly
	e, err := resilience.New(p)
	fmt.Println(e.Reply(), e.Retries(), e.Idempotent(), err)
	// Output: 1s 2 true <nil>
}

func ExampleConfig() {
	c := resilience.Config{
		Default: resilience.Standard(),
		Services: map[string]resilience.Policy{
			"reviews": {Timeout: &resilience.Timeout{Reply: 300 * time.Millisecond}}, // one short try
		},
	}
	fmt.Println(c.Validate(), c.For("reviews", "reviews").Retry == nil, c.For("orders", "orders").Retry != nil)
	// Output: <nil> true true
}

func ExampleExecutor_With() {
	e, err := resilience.New(resilience.Standard())
	if err != nil {
		panic(err)
	}
	p := resilience.Standard()
	p.Retry.Retries = 1
	e, err = e.With(p) // the budget goes on where it was
	fmt.Println(e.Retries(), err)
	// Output: 1 <nil>
}
