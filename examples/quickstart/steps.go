package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// step is one thing that goes wrong, or right.
type step struct {
	// says is the line for the terminal; %s stands for how long the trouble lasts.
	says string
	// run does it. It returns when it is over; where ctx ends early, it sets right at once what it has done.
	run func(ctx context.Context, sh *shop, trouble time.Duration) error
	// mesh puts into words what the mesh did about it.
	mesh func(sh *shop, before, during stats) string
}

// script is the steps in their order.
var script = []step{
	{
		says: "inventory-1 is killed (SIGKILL), and stays on the list for %s",
		run:  killInventory,
		mesh: func(sh *shop, _, during stats) string { return repeats(during, "inventory") },
	},
	{
		says: "inventory-4 joins",
		run:  joinInventory,
		mesh: func(sh *shop, _, during stats) string { return "inventory-4 " + sh.share(during, "inventory-4") },
	},
	{
		says: "inventory-2 becomes ten times slower, for %s",
		run:  slowInventory,
		mesh: func(sh *shop, before, during stats) string {
			return "inventory-2 " + sh.share(during, "inventory-2") + "; before, it " + sh.share(before, "inventory-2")
		},
	},
	{
		says: "inventory-3 is stopped (SIGSTOP), and continued (SIGCONT) after %s",
		run:  stopInventory,
		mesh: func(sh *shop, _, during stats) string {
			return repeats(during, "inventory") + "; inventory-3 " + sh.share(during, "inventory-3")
		},
	},
	{
		says: "payments-1 is restarted: off the list, drained, ended; payments-3 comes instead",
		run:  restartPayments,
		mesh: func(sh *shop, _, during stats) string {
			return repeats(during, "payments") + "; payments-3 " + sh.share(during, "payments-3")
		},
	},
	{
		says: "reviews fail altogether (SIGKILL), and come back after %s",
		run:  failReviews,
		mesh: func(sh *shop, _, during stats) string { return repeats(during, "reviews") },
	},
}

// runSteps goes through the script in the time that there is, a slot for each step and one before the first.
func (sh *shop) runSteps(ctx context.Context, length time.Duration) error {
	slot := length / time.Duration(len(script)+1)
	sh.sayf("open: web, orders, inventory-1 to -3, payments-1 and -2, reviews; %d visitors", visitors)
	sleep(ctx, slot*3/4)
	during, err := sh.stats()
	if err != nil {
		return err
	}
	at := during
	for _, st := range script {
		if ctx.Err() != nil {
			break
		}
		before := during
		sh.load.since()
		end := time.Now().Add(slot)
		sh.sayf("%s", words(st.says, slot*2/3))
		if err := st.run(ctx, sh, slot*2/3); err != nil && ctx.Err() == nil {
			return err
		}
		sleep(ctx, time.Until(end))
		now, err := sh.stats()
		if err != nil {
			return err
		}
		during, at = now.since(at), now
		sh.addf("mesh: %s", st.mesh(sh, before, during))
		sh.addf("visitors: %s", sh.load.since().words())
	}
	if ctx.Err() == nil {
		sh.sayf("that was all; the visitors stay until the end")
	}
	return nil
}

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

func failReviews(ctx context.Context, sh *shop, trouble time.Duration) error {
	p := sh.process("reviews-1")
	sh.load.excuse()
	p.kill()
	sleep(ctx, trouble/2)
	if err := sh.unlist(p); err != nil {
		return err
	}
	sleep(ctx, trouble/2)
	if err := sh.start("reviews"); err != nil {
		return err
	}
	return sh.load.expectFull(ctx)
}

// sleep waits for d, or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
