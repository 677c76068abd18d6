package main

import (
	"context"
	"syscall"
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

func (s *show) killInventory(ctx context.Context, sh *shop.Shop, trouble time.Duration) error {
	p := sh.Process("inventory-1")
	p.Kill()
	shop.Sleep(ctx, trouble)
	return s.remove(sh, p)
}

func joinInventory(ctx context.Context, sh *shop.Shop, _ time.Duration) error {
	return sh.Start(ctx, "inventory")
}

func slowInventory(ctx context.Context, sh *shop.Shop, trouble time.Duration) error {
	p := sh.Process("inventory-2")
	if err := p.Pace(10); err != nil {
		return err
	}
	shop.Sleep(ctx, trouble)
	return p.Pace(1)
}

func stopInventory(ctx context.Context, sh *shop.Shop, trouble time.Duration) error {
	p := sh.Process("inventory-3")
	p.Signal(syscall.SIGSTOP)
	shop.Sleep(ctx, trouble)
	p.Signal(syscall.SIGCONT)
	return nil
}

func (s *show) restartPayments(ctx context.Context, sh *shop.Shop, _ time.Duration) error {
	p := sh.Process("payments-1")
	if err := s.remove(sh, p); err != nil {
		return err
	}
	p.Drain()
	if err := p.Err(); err != nil {
		return err
	}
	return sh.Start(ctx, "payments")
}
