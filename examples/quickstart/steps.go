package main

import (
	"context"
	"strings"
	"time"
)

// step is one thing that goes wrong, or right.
type step struct {
	// says is the line for the terminal; %s stands for how long the trouble lasts.
	says string
	// run does it. It returns when it is over; where ctx ends early, it sets right at once what it has done.
	run func(ctx context.Context, sh *shop, trouble time.Duration) error
	// time is how much of the whole it gets, in relation to the others.
	time float64
	// mesh puts into words what the mesh did about it, in one line or more.
	mesh func(sh *shop, before, during state) string
}

// script is the steps in their order.
var script = []step{
	{
		says: "inventory-1 is killed (SIGKILL), and stays on the list for %s",
		time: 1, run: killInventory,
		mesh: func(sh *shop, _, during state) string { return sh.repeats(during, "inventory") },
	},
	{
		says: "inventory-4 joins",
		time: 0.8, run: joinInventory,
		mesh: func(sh *shop, _, during state) string { return "inventory-4 " + sh.share(during.Calls, "inventory-4") },
	},
	{
		says: "inventory-2 becomes ten times slower, for %s",
		time: 1, run: slowInventory,
		mesh: func(sh *shop, before, during state) string {
			return "inventory-2 " + sh.share(during.Calls, "inventory-2") +
				"; before, it " + sh.share(before.Calls, "inventory-2")
		},
	},
	{
		says: "inventory-3 is stopped (SIGSTOP), and continued (SIGCONT) after %s",
		time: 1.4, run: stopInventory,
		mesh: func(sh *shop, _, during state) string {
			return sh.repeats(during, "inventory") + "; inventory-3 " + sh.share(during.Calls, "inventory-3")
		},
	},
	{
		says: "payments-1 is restarted: off the list, drained, ended; payments-3 comes instead",
		time: 1, run: restartPayments,
		mesh: func(sh *shop, _, during state) string {
			return sh.repeats(during, "payments") + "; payments-3 " + sh.share(during.Calls, "payments-3")
		},
	},
	{
		says: "all processes get new certificates",
		time: 0.8, run: renewCertificates,
		mesh: func(sh *shop, _, during state) string { return sh.renewed(during.Events) },
	},
	{
		says: "the root of all certificates is replaced",
		time: 1, run: replaceRoot,
		mesh: func(sh *shop, _, during state) string { return sh.renewed(during.Events) },
	},
	{
		says: "three callers try what they may not",
		time: 0.6, run: trespassAll,
		mesh: func(sh *shop, _, during state) string { return strings.Join(sh.moments.refusals, "\n") },
	},
	{
		says: "reviews fail altogether (SIGKILL), and come back after %s",
		time: 1.8, run: failReviews,
		mesh: func(sh *shop, _, during state) string { return sh.outage(during) },
	},
}

// runSteps goes through the script in the time that there is: each step gets its part of it, and a part is left at the
// beginning and at the end.
func (sh *shop) runSteps(ctx context.Context, length time.Duration) error {
	parts := 1.2
	for _, st := range script {
		parts += st.time
	}
	part := time.Duration(float64(length) / parts)
	sh.sayf("open: web, orders, inventory-1 to -3, payments-1 and -2, reviews; %d visitors", visitors)
	sleep(ctx, part*3/4)
	during, err := sh.state()
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
		slot := time.Duration(st.time * float64(part))
		end := time.Now().Add(slot)
		sh.sayf("%s", words(st.says, slot*2/3))
		if err := st.run(ctx, sh, slot*2/3); err != nil && ctx.Err() == nil {
			return err
		}
		sleep(ctx, time.Until(end))
		now, err := sh.state()
		if err != nil {
			return err
		}
		during, at = now.since(at), now
		for line := range strings.Lines(st.mesh(sh, before, during)) {
			sh.addf("mesh: %s", strings.TrimSpace(line))
		}
		sh.addf("visitors: %s", sh.load.since().words())
	}
	if ctx.Err() == nil {
		sh.sayf("that was all; the visitors stay until the end")
	}
	return nil
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
