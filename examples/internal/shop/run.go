package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// scriptTime is how long the steps take where -for does not say.
const scriptTime = 30 * time.Second

var errDemands = errors.New("the shop did not keep its promises")

// run opens the shop, lets visitors in, goes through the steps, and closes after length, or when ctx ends. No step is cut
// short: where they take longer, so does the run. It returns errDemands where the last line says FAILED.
func run(ctx context.Context, cfg Config, length time.Duration, out io.Writer) error {
	sh, err := openShop(ctx, cfg, out)
	if err != nil {
		return err
	}
	defer sh.close()

	open, cancel := context.WithCancel(ctx)
	defer cancel()
	script := scriptTime
	if length > 0 {
		script = length
	}
	sh.load.start(open)
	closing := time.Now().Add(script)
	renewals := make(chan error, 1)
	keeping, leave := context.WithCancel(context.Background()) // until the last visitor has left
	defer leave()
	go func() { renewals <- sh.issuer.keep(keeping) }()
	stepsErr := sh.runSteps(open, script)
	switch {
	case stepsErr != nil:
	case length == 0:
		<-ctx.Done()
	default:
		Sleep(ctx, time.Until(closing))
	}
	cancel()
	sh.load.wait()
	leave()

	r, err := sh.report()
	for _, err := range []error{sh.trouble(), stepsErr, <-renewals, err} {
		if err != nil {
			r.problems = append(r.problems, err.Error())
		}
	}
	r.print(out)
	if !r.ok() {
		return errDemands
	}
	return nil
}

// report collects what the last lines say.
func (sh *Shop) report() (report, error) {
	all, err := sh.State()
	r := report{calls: all.Calls, events: all.Events, visitors: sh.load.sum()}
	if err != nil {
		return r, err
	}
	r.lost, r.duplicated, err = sh.ledgers.audit(sh.load.told, sh.load.open)
	return r, err
}

// sayf prints a line with the time since the doors opened.
func (sh *Shop) sayf(format string, args ...any) {
	fmt.Fprintf(sh.out, "%6s  %s\n", sh.Clock(time.Now()), fmt.Sprintf(format, args...))
}

// Clock is the time since the doors opened.
func (sh *Shop) Clock(t time.Time) string { return fmt.Sprintf("%.1fs", t.Sub(sh.opened).Seconds()) }

// addf prints a line that belongs to the one before.
func (sh *Shop) addf(format string, args ...any) {
	fmt.Fprintf(sh.out, "        %s\n", fmt.Sprintf(format, args...))
}
