package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// Instances that come after the first.
const (
	fourth, fifth = "inventory-4", "inventory-5"
	replacement   = "inventory-6"
)

// scaleUp adds two instances, and waits until both are called.
func (s *show) scaleUp(ctx context.Context, sh *shop.Shop, _ time.Duration) error {
	for range 2 {
		if err := sh.Start(ctx, "inventory"); err != nil {
			return err
		}
	}
	return s.called(ctx, sh, fourth, fifth)
}

var errNotCalled = errors.New("nobody calls a new instance")

// called waits until all of some new instances were called.
func (s *show) called(ctx context.Context, sh *shop.Shop, names ...string) error {
	listed := time.Now()
	defer func() { s.moments.took = time.Since(listed) }()
	return shop.Until(ctx, errNotCalled, func() (bool, error) {
		now, err := sh.State()
		for _, name := range names {
			if its, _ := sh.Attempts(now.Calls, name); its == 0 {
				return false, err
			}
		}
		return true, err
	})
}

func (s *show) scaledUp(sh *shop.Shop, _, during shop.State) string {
	return fmt.Sprintf("both were called within %s of Consul's listing them\n%s %s\n%s %s", shop.Round(s.moments.took),
		fourth, sh.Share(during.Calls, fourth), fifth, sh.Share(during.Calls, fifth))
}

// scaleDown asks them to end, and waits until Consul has nothing more of them.
func (s *show) scaleDown(ctx context.Context, sh *shop.Shop, _ time.Duration) error {
	start := time.Now()
	var ended sync.WaitGroup
	leaving := []*shop.Process{sh.Process(fourth), sh.Process(fifth)}
	for _, p := range leaving {
		sh.Strike(p)
		ended.Go(p.Drain)
	}
	ended.Wait()
	s.moments.took = time.Since(start)
	for _, p := range leaving {
		if err := errors.Join(p.Err(), s.consul.becomes(ctx, p, false)); err != nil {
			return err
		}
	}
	return nil
}

func (s *show) scaledDown(sh *shop.Shop, _, during shop.State) string {
	return fmt.Sprintf("%s; both had finished, left and ended after %s",
		sh.Repeats(during, "inventory"), shop.Round(s.moments.took))
}

// killInstance waits until the agent has seen by a check that the process has gone.
func (s *show) killInstance(ctx context.Context, sh *shop.Shop, _ time.Duration) error {
	p := sh.Process("inventory-1")
	start := time.Now()
	p.Kill()
	sh.Strike(p)
	if err := s.consul.becomes(ctx, p, false); err != nil {
		return err
	}
	s.moments.took = time.Since(start)
	shop.Sleep(ctx, drainDelay) // who has not heard of it when its agent dies goes on with the dead
	return nil
}

func (s *show) killed(sh *shop.Shop, _, during shop.State) string {
	return fmt.Sprintf("%s\nConsul took it off the list after %s",
		sh.Repeats(during, "inventory"), shop.Round(s.moments.took))
}
