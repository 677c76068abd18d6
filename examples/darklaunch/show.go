package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/intramesh/intramesh/examples/internal/orders"
)

// calls is how many are made over each protocol: more than the copies that may be under way.
const calls = 100

// show makes calls while v2 says nothing, and then lets it fail.
func show(out io.Writer, p orders.Protocol, v2 *dark, c copies) error {
	before, err := c.ended()
	if err != nil {
		return err
	}
	release := v2.hold()
	defer release()
	by := map[string]int{}
	for range calls {
		name, err := p.Call(context.Background(), "/")
		if err != nil {
			return err
		}
		by[name]++
	}
	fmt.Fprintf(out, "%s: %d calls, 0 failed, %d answered by v1; v2 has not answered a copy yet\n", p.Name, calls, by["v1"])

	release()
	after := before
	for after.sum() < before.sum()+calls {
		time.Sleep(5 * time.Millisecond) // the copies are nobody's to wait for
		if after, err = c.ended(); err != nil {
			return err
		}
	}
	for _, how := range []string{"success", "failure", "dropped busy"} {
		fmt.Fprintf(out, "  copies that ended as %s: %d\n", how, after[how]-before[how])
	}
	fmt.Fprintf(out, "  v2 was called by the name of %v\n", v2.authorities())
	return nil
}
