package shop

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Step is one thing that happens in the shop.
type Step struct {
	// Says is the line for the terminal; %s stands for how long the trouble lasts.
	Says string
	// Time is how much of the whole it gets, in relation to the others.
	Time float64
	// Run does it. It returns when it is over; where ctx ends early, it sets right at once what it has done.
	Run func(ctx context.Context, sh *Shop, trouble time.Duration) error
	// Mesh puts into words what the mesh did about it, in one line or more.
	Mesh func(sh *Shop, before, during State) string
}

// runSteps goes through the script in the time that there is: each step gets its part of it, or more where it needs more,
// and a part is left at the beginning and at the end.
func (sh *Shop) runSteps(ctx context.Context, length time.Duration) error {
	script := sh.cfg.Script()
	parts := 1.2
	for _, st := range script {
		parts += st.Time
	}
	part := time.Duration(float64(length) / parts)
	sh.sayf("open: %s; %d visitors", sh.cfg.opening(), visitors)
	Sleep(ctx, part*3/4)
	during, err := sh.State()
	if err != nil {
		return err
	}
	at := during
	for _, st := range script {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the user has seen enough
		}
		if during, at, err = sh.runStep(ctx, st, time.Duration(st.Time*float64(part)), during, at); err != nil {
			return err
		}
	}
	if ctx.Err() == nil {
		sh.sayf("that was all; the visitors stay until the end")
	}
	return nil
}

// runStep makes one step. It returns what the processes did during it, and all that they have done.
func (sh *Shop) runStep(ctx context.Context, st Step, slot time.Duration, before, at State) (during, now State, err error) {
	sh.load.since()
	end := time.Now().Add(slot)
	sh.sayf("%s", words(st.Says, slot*2/3))
	if err := st.Run(ctx, sh, slot*2/3); err != nil && ctx.Err() == nil {
		return during, now, err
	}
	Sleep(ctx, time.Until(end))
	if now, err = sh.State(); err != nil {
		return during, now, err
	}
	during = now.Since(at)
	for line := range strings.Lines(st.Mesh(sh, before, during)) {
		sh.addf("mesh: %s", strings.TrimSpace(line))
	}
	sh.addf("visitors: %s", sh.load.since().words())
	return during, now, nil
}

// opening names the processes of the beginning, those first that visitors see first.
func (c *Config) opening() string {
	var parts []string
	for _, service := range []string{edge, "orders", "inventory", "payments", "reviews"} {
		switch n := c.instances(service); n {
		case 1:
			parts = append(parts, service)
		case 2:
			parts = append(parts, service+"-1 and -2")
		default:
			parts = append(parts, fmt.Sprintf("%s-1 to -%d", service, n))
		}
	}
	return strings.Join(parts, ", ")
}
