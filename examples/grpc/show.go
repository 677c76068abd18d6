package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/examples/internal/shoppb"
)

// calls is how many calls each part makes: enough that with two instances both are asked.
const calls = 100

// show makes calls, and prints what became of them.
type show struct {
	out    io.Writer
	orders shoppb.OrdersClient
	a, b   *instance
	// repeated is a unary call that needed more than one attempt.
	repeated client.Info
}

func (s *show) run() error {
	fmt.Fprintln(s.out, "two instances")
	if err := s.connect(); err != nil {
		return err
	}
	if err := s.both(); err != nil {
		return err
	}
	s.a.refuses.Store(true)
	fmt.Fprintln(s.out, "a refuses whatever it is asked, before any work")
	if err := s.both(); err != nil {
		return err
	}
	s.explain()
	s.a.Stop()
	fmt.Fprintln(s.out, "a is stopped; the client still has its address")
	return s.both()
}

// connect calls until both instances have answered. The first call is what connects, and takes the connection that is ready
// first; the other one is there a moment later.
func (s *show) connect() error {
	answers := map[string]bool{}
	for range 1000 * calls {
		by, err := s.place()
		if err != nil {
			return err
		}
		if answers[by] = true; len(answers) == 2 {
			break
		}
	}
	return nil
}

// both makes unary calls and then streams.
func (s *show) both() error {
	if err := s.count("unary calls", s.place); err != nil {
		return err
	}
	return s.count("streams", s.track)
}

// count makes calls of one kind and prints who answered.
func (s *show) count(kind string, call func() (answeredBy string, err error)) error {
	answers := map[string]bool{}
	for range calls {
		by, err := call()
		if err != nil {
			return err
		}
		answers[by] = true
	}
	by := strings.Join(slices.Sorted(maps.Keys(answers)), " and ")
	fmt.Fprintf(s.out, "  %d %s, 0 failed, answered by %s\n", calls, kind, by)
	return nil
}

// explain prints the attempts of the last call that needed more than one.
func (s *show) explain() {
	names := map[string]string{s.a.addr: "a", s.b.addr: "b"}
	fmt.Fprintln(s.out, "  one of the unary calls:")
	for i, at := range s.repeated.Attempts {
		fmt.Fprintf(s.out, "    attempt %d at %s: %s\n", i+1, names[at.Endpoint], at.Outcome)
	}
}

func (s *show) place() (by string, err error) {
	var info client.Info
	ctx := client.With(context.Background(), client.Options{Info: &info})
	reply, err := s.orders.Place(ctx, &shoppb.PlaceRequest{Key: "k1", Item: 7, Quantity: 1})
	if len(info.Attempts) > 1 {
		s.repeated = info
	}
	return reply.GetStockReceipt(), err
}

func (s *show) track() (by string, err error) {
	stream, err := s.orders.Track(context.Background(), &shoppb.TrackRequest{Key: "k1"})
	for err == nil {
		var e *shoppb.TrackEvent
		if e, err = stream.Recv(); err == nil {
			by = e.GetReceipt()
		}
	}
	if errors.Is(err, io.EOF) {
		return by, nil
	}
	return by, err
}
