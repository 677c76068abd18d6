package main

import (
	"fmt"
	"io"
	"net/http"
)

// calls is how many calls each part makes: enough that with two instances both are asked.
const calls = 100

// show calls both instances, ends one in the middle, and prints what became of the calls.
func show(out io.Writer, hc *http.Client, a, b *instance) error {
	answers := map[string]int{}
	for range calls {
		text, _, err := get(hc)
		if err != nil {
			return err
		}
		answers[text]++
	}
	fmt.Fprintf(out, "two instances: %d calls, %d different answers\n", calls, len(answers))

	if err := a.Close(); err != nil {
		return err
	}
	fmt.Fprintln(out, "a is closed; the client still has its address")

	clear(answers)
	told := false
	for range calls {
		text, info, err := get(hc)
		if err != nil {
			return err
		}
		answers[text]++
		if len(info.Attempts) > 1 && !told {
			told = true
			fmt.Fprintln(out, "a call that came to a first:")
			for i, at := range info.Attempts {
				fmt.Fprintf(out, "  attempt %d at %s: %s\n", i+1, name(at.Endpoint, a, b), at.Outcome)
			}
		}
	}
	fmt.Fprintf(out, "one instance: %d calls, 0 failed, %d of them %q\n", calls, answers["hello from b"], "hello from b")
	return nil
}

// name is the name of the instance at an address.
func name(addr string, all ...*instance) string {
	for _, i := range all {
		if i.addr == addr {
			return i.name
		}
	}
	return addr
}
