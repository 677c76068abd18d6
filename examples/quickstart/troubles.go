package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

func killInventory(ctx context.Context, sh *shop, trouble time.Duration) error {
	p := sh.process("inventory-1")
	p.kill()
	sleep(ctx, trouble)
	return sh.unlist(p)
}

func joinInventory(_ context.Context, sh *shop, _ time.Duration) error {
	return sh.start("inventory")
}

func slowInventory(ctx context.Context, sh *shop, trouble time.Duration) error {
	p := sh.process("inventory-2")
	if _, err := p.ask(question{Tempo: 10}); err != nil {
		return err
	}
	sleep(ctx, trouble)
	_, err := p.ask(question{Tempo: 1})
	return err
}

func stopInventory(ctx context.Context, sh *shop, trouble time.Duration) error {
	p := sh.process("inventory-3")
	p.signal(syscall.SIGSTOP)
	sleep(ctx, trouble)
	p.signal(syscall.SIGCONT)
	return nil
}

func restartPayments(_ context.Context, sh *shop, _ time.Duration) error {
	p := sh.process("payments-1")
	if err := sh.unlist(p); err != nil {
		return err
	}
	p.drain()
	if p.err != nil {
		return fmt.Errorf("%s did not end well: %w", p.name, p.err)
	}
	return sh.start("payments")
}
