package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"sync"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/examples/internal/orders"
)

// enough is how many calls under a rule are counted. A part of a split is off by less than 26 of them, wherever in the
// sequence they begin, so percentages without decimals are always the same.
const enough = 6000

// split is how the calls of a rule were divided.
type split struct {
	rule string
	by   map[string]int // the version that answered
	all  int
	full chan struct{} // closed when there are enough
}

func (s *split) print(out io.Writer) {
	fmt.Fprintf(out, "%s: of %d calls %d %% were answered by v1 and %d %% by v2\n",
		s.rule, s.all, percent(s.by["v1"], s.all), percent(s.by["v2"], s.all))
}

func percent(n, of int) int { return (100*n + of/2) / of }

// callers call orders without a pause, over both protocols.
type callers struct {
	client *orders.Client
	end    context.CancelFunc
	all    sync.WaitGroup

	mu     sync.Mutex
	splits map[string]*split // by the rule
	failed int
}

func start(c *client.Client) (*callers, error) {
	oc, err := orders.Dial(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cs := &callers{client: oc, end: cancel, splits: map[string]*split{}}
	for range 2 {
		for _, p := range oc.Protocols() {
			cs.all.Go(func() {
				for ctx.Err() == nil {
					var info client.Info
					by, err := p.Call(client.With(context.Background(), client.Options{Info: &info}), "/")
					cs.note(path.Base(info.Rule), by, err) // of a manifest's route the last part: that is its own name
				}
			})
		}
	}
	return cs, nil
}

// note counts a call under the rule that it met: policies change while calls are under way, and each has its own.
func (c *callers) note(rule, by string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed++
	}
	s := c.split(rule)
	if s.all == enough {
		return
	}
	s.by[by]++
	if s.all++; s.all == enough {
		close(s.full)
	}
}

// split needs mu.
func (c *callers) split(rule string) *split {
	s := c.splits[rule]
	if s == nil {
		s = &split{rule: rule, by: map[string]int{}, full: make(chan struct{})}
		c.splits[rule] = s
	}
	return s
}

// await returns when there were enough calls under a rule.
func (c *callers) await(rule string) *split {
	c.mu.Lock()
	s := c.split(rule)
	c.mu.Unlock()
	<-s.full
	return s
}

func (c *callers) stop(out io.Writer) error {
	c.end()
	c.all.Wait()
	c.client.Close()
	_, err := fmt.Fprintf(out, "failed=%d\n", c.failed)
	return err
}
