package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// rotate replaces certificates and then the root, while web calls without a pause over both protocols. [ca.CA.Rotate]
// does the same with the root, and takes its time.
func (s *shop) rotate(out io.Writer) error {
	c, err := dial(s.web, s.orders)
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	overHTTP, overGRPC := make(chan result), make(chan result)
	all.Go(func() { again(ctx, c.overHTTP, overHTTP) })
	all.Go(func() { again(ctx, c.overGRPC, overGRPC) })

	for _, step := range []struct {
		says string
		do   func() error
		then int // the certificate that orders sees from then on
	}{
		{"web has a new certificate", s.web.Renew, 2},
		{"orders has a new certificate", s.ordersID.Renew, 2},
		{"everybody trusts a second root too", s.authority.AddRoot, 2},
		{"the second root signs new certificates for all", s.authority.UseRoot, 3},
		{"nobody trusts the first root any more", s.authority.DropRoots, 3},
	} {
		if err := step.do(); err != nil {
			return err
		}
		for _, results := range []chan result{overHTTP, overGRPC} {
			if err := await(ctx, results, fmt.Sprintf("certificate %d", step.then)); err != nil {
				return fmt.Errorf("%s: %w", step.says, err)
			}
		}
		fmt.Fprintf(out, "  %s: orders sees certificate %d, no call failed\n", step.says, step.then)
	}
	return nil
}

// result is what came of a call.
type result struct {
	text string
	err  error
}

// again calls until ctx ends or a call fails, and does not wait for anybody who wants to know the result of one that did
// not.
func again(ctx context.Context, call func(context.Context) (string, error), results chan<- result) {
	for {
		text, err := call(ctx)
		if err != nil || !strings.Contains(text, "you are") {
			select {
			case results <- result{text, err}:
			case <-ctx.Done():
			}
			return
		}
		select {
		case results <- result{text, nil}:
		case <-ctx.Done():
			return
		default:
		}
	}
}

// await returns when two more calls have seen what is wanted. One may have begun before; two cannot.
func await(ctx context.Context, results <-chan result, want string) error {
	for seen := 0; seen < 2; {
		select {
		case r := <-results:
			switch {
			case r.err != nil:
				return r.err
			case !strings.Contains(r.text, "you are"):
				return fmt.Errorf("the answer was %s", r.text)
			case strings.Contains(r.text, want):
				seen++
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
