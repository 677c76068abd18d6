package main

import (
	"context"
	"fmt"
	"io"
	"net/http/cookiejar"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/examples/internal/orders"
)

const users = 1000

// show makes calls, and prints who answered them.
type show struct {
	out    io.Writer
	live   *traffic.Live // nil: the policy is that of a folder
	orders *orders.Client
}

func (s *show) run() error {
	steps := []func() error{s.testers, s.browser, s.users}
	if s.live == nil {
		steps = []func() error{s.testers, s.share} // in a folder nobody stays where he is
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// testers ask for v2 by a header.
func (s *show) testers() error {
	for _, p := range s.orders.Protocols() {
		by := map[string]int{}
		for range 100 {
			v, err := p.Call(context.Background(), "/", "x-tester", "yes")
			if err != nil {
				return err
			}
			by[v]++
		}
		fmt.Fprintf(s.out, "testers over %s: %d of 100 calls were answered by v2\n", p.Name, by["v2"])
	}
	return nil
}

// share is that of v2 in the calls of all others.
func (s *show) share() error {
	by := map[string]int{}
	for range users {
		v, err := s.orders.Get(context.Background(), "/")
		if err != nil {
			return err
		}
		by[v]++
	}
	_, err := fmt.Fprintf(s.out, "others: %d of %d calls were answered by v2\n", by["v2"], users)
	return err
}

// browser comes without a cookie, gets one with the first answer, and stays where it is.
func (s *show) browser() error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	s.orders.HTTP.Jar = jar
	defer func() { s.orders.HTTP.Jar = nil }()
	by := map[string]int{}
	for range 100 {
		v, err := s.orders.Get(context.Background(), "/pages/7")
		if err != nil {
			return err
		}
		by[v]++
	}
	fmt.Fprintf(s.out, "a browser: 100 pages were answered by %s\n", map[bool]string{true: "one version", false: "two versions"}[len(by) == 1])
	return nil
}

// users have names, by which they are placed. The weights change, and each is asked for again.
func (s *show) users() error {
	was := map[string]string{}
	for _, v2 := range []uint32{10, 30, 100} {
		if err := s.shift(v2); err != nil {
			return err
		}
		moved, back, on, torn := 0, 0, 0, 0
		for i := range users {
			name := fmt.Sprintf("user-%d", i+1)
			at, same, err := s.ask(name)
			if err != nil {
				return err
			}
			if !same {
				torn++
			}
			if at == "v2" {
				on++
			}
			switch was[name] + at {
			case "v1v2":
				moved++
			case "v2v1":
				back++
			}
			was[name] = at
		}
		fmt.Fprintf(s.out, "v2 gets %d %%: %d of %d users are there; %d came from v1, %d went back, %d saw both\n",
			v2, on, users, moved, back, torn)
	}
	return nil
}

// shift changes the weights, and returns when calls go by them, which takes a moment.
func (s *show) shift(v2 uint32) error {
	p, err := policy(v2)
	if err != nil {
		return err
	}
	if err := s.live.Set(p); err != nil {
		return err
	}
	var info client.Info
	ctx := client.With(context.Background(), client.Options{Info: &info})
	for info.Rule != p.Routes[len(p.Routes)-1].Name {
		if _, err := s.orders.Get(ctx, "/"); err != nil {
			return err
		}
	}
	return nil
}

// ask calls for a user over each protocol, and says who answered, and whether all answers were the same.
func (s *show) ask(name string) (by string, same bool, err error) {
	ctx := client.With(context.Background(), client.Options{HashKey: name})
	same = true
	for _, p := range s.orders.Protocols() {
		for range 2 {
			v, err := p.Call(ctx, "/")
			if err != nil {
				return "", false, err
			}
			same = same && (by == "" || by == v)
			by = v
		}
	}
	return by, same, nil
}
