package discovery_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/intramesh/intramesh/discovery"
)

// follower hears what a source says of one service.
type follower struct {
	t      *testing.T
	news   chan discovery.Update
	result chan error
	cancel context.CancelFunc
	set    []discovery.Endpoint
}

func follow(t *testing.T, s discovery.Source, service string) *follower {
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{t: t, news: make(chan discovery.Update, 1000), result: make(chan error, 1), cancel: cancel}
	go func() { f.result <- s.Watch(ctx, service, func(u discovery.Update) { f.news <- u }) }()
	return f
}

// next is the next piece of news.
func (f *follower) next() discovery.Update {
	f.t.Helper()
	select {
	case u := <-f.news:
		f.set = u.Apply(f.set)
		return u
	case err := <-f.result:
		f.t.Fatalf("Watch returned %v", err)
	}
	panic("unreachable")
}

// is takes the next piece of news and checks its kind and the addresses that there are then, in this order.
func (f *follower) is(kind discovery.Kind, addrs ...string) discovery.Update {
	f.t.Helper()
	u := f.next()
	if u.Kind != kind || !slices.Equal(addresses(f.set), addrs) {
		f.t.Fatalf("heard %+v, which makes %v; expected a %v that makes %v", u, addresses(f.set), kind, addrs)
	}
	return u
}

// reaches passes over news until there are these addresses.
func (f *follower) reaches(addrs ...string) {
	f.t.Helper()
	for f.next(); !slices.Equal(addresses(f.set), addrs); f.next() {
	}
}

// quiet checks that nothing was said that was not taken.
func (f *follower) quiet() {
	f.t.Helper()
	select {
	case u := <-f.news:
		f.t.Errorf("heard %+v, expected nothing", u)
	default:
	}
}

// stop ends the Watch.
func (f *follower) stop() {
	f.t.Helper()
	f.cancel()
	if err := <-f.result; err != nil {
		f.t.Errorf("Watch returned %v", err)
	}
}

func (f *follower) endsWith(target error) {
	f.t.Helper()
	if err := <-f.result; !errors.Is(err, target) {
		f.t.Errorf("Watch returned %v, expected %v", err, target)
	}
}

func addresses(endpoints []discovery.Endpoint) []string {
	var addrs []string
	for _, e := range endpoints {
		addrs = append(addrs, e.Addr)
	}
	return addrs
}
