package resilience_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/resilience"
)

// A call that is under way holds its place; one too many is refused at once.
func ExampleLimit() {
	e, err := resilience.New(resilience.Policy{Limit: &resilience.Limit{Requests: 1}})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	report, err := resilience.Do(ctx, e, func(ctx context.Context) (string, error) {
		_, err := resilience.Do(ctx, e, func(context.Context) (string, error) { return "not reached", nil })
		fmt.Println(errors.Is(err, resilience.ErrLimited), err)
		return "the first one", nil
	})
	fmt.Println(report, err)
	// Output:
	// true resilience: limit reached: as many calls as Limit.Requests permits are under way
	// the first one <nil>
}
