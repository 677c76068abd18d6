package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// shiftInventory starts two instances of a new version, moves the calls over step by step, and ends the old ones. All that
// it does to the calls is to edit a file.
func (s *show) shiftInventory(ctx context.Context, sh *shop.Shop, trouble time.Duration) error {
	s.moments.begin()
	for range 2 {
		if err := sh.StartVersion(ctx, "inventory", "v2"); err != nil {
			return err
		}
	}
	if err := sh.Heard(ctx, "inventory", s.moments.began); err != nil {
		return err
	}
	for _, percent := range []uint32{10, 50, 100} {
		if percent == 50 {
			if err := s.slip(ctx, sh, trouble/6); err != nil {
				return err
			}
		}
		policy, err := s.weigh(percent)
		if err != nil {
			return err
		}
		if err := sh.Routed(ctx, "inventory", policy); err != nil {
			return err
		}
		split, err := observe(ctx, sh, trouble/3)
		if err != nil {
			return err
		}
		s.moments.splits = append(s.moments.splits, fmt.Sprintf("%d %%: v2 %s", percent, split))
	}
	return s.retire(sh, sh.OfVersion("inventory", "v1"))
}

// slip makes a mistake in the file, waits until all whom it concerns have said so, and sees that their calls go on as before.
func (s *show) slip(ctx context.Context, sh *shop.Shop, d time.Duration) error {
	at := time.Now()
	if err := s.misspell(); err != nil {
		return err
	}
	who, finding, err := sh.Noticed(ctx, "inventory", shop.Refused, at)
	if err != nil {
		return err
	}
	split, err := observe(ctx, sh, d)
	s.moments.splits = append(s.moments.splits,
		fmt.Sprintf("the log of %s: %s", who, s.place(finding)), "10 % holds meanwhile: v2 "+split)
	return err
}

// observe says what v2 got for a while, as its callers count, and as buyers see by their receipts.
func observe(ctx context.Context, sh *shop.Shop, d time.Duration) (string, error) {
	before, err := sh.State()
	if err != nil {
		return "", err
	}
	sold := sh.StockReceipts()
	shop.Sleep(ctx, d)
	after, err := sh.State()
	if err != nil {
		return "", err
	}
	its, all, receipts, sales := 0, 0, 0, 0
	for _, p := range sh.OfVersion("inventory", "v2") {
		var n int
		n, all = sh.Attempts(after.Since(before).Calls, p.Name)
		its += n
	}
	for name, n := range sh.StockReceipts() {
		n -= sold[name]
		sales += n
		if sh.Process(name).Version == "v2" {
			receipts += n
		}
	}
	return fmt.Sprintf("got %d of %d attempts (%d %%), and gave %d of %d receipts",
		its, all, percent(its, all), receipts, sales), nil
}

func percent(n, of int) int {
	if of == 0 {
		return 0
	}
	return (100*n + of/2) / of
}

// retire ends processes without losing a call.
func (s *show) retire(sh *shop.Shop, all []*shop.Process) error {
	var drained sync.WaitGroup
	for _, p := range all {
		if err := s.remove(sh, p); err != nil {
			return err
		}
		drained.Go(p.Drain)
	}
	drained.Wait()
	for _, p := range all {
		if err := p.Err(); err != nil {
			return err
		}
	}
	s.moments.retired = len(all)
	return nil
}

// shifted says how the calls were split.
func (s *show) shifted(sh *shop.Shop, _, during shop.State) string {
	return fmt.Sprintf("%s\n%s; the %d instances of v1 were drained and have ended",
		strings.Join(s.moments.splits, "\n"), sh.Repeats(during, "inventory"), s.moments.retired)
}
