// Command bench compares calls through intramesh with calls by the plain libraries: CPU time, allocations, latency.
//
//	go run . [-case regexp] [-c 1,32] [-for 15s] [-rounds 25] [-endpoints 3] [-cpuprofile file]
//
// Client and server share one process, with mutual TLS set up by hand and messages of 128 bytes, so that what the
// operating system says of the process is the cost of both sides of a call. The caller's code is the same for all
// implementations: it gives each call a deadline of its own. "routed" is intramesh with 100 routes, of which the last one
// matches, and splits calls. The case "pick" prints what the choice of an endpoint costs.
//
// Calls go over connections to all endpoints that are there before the first round. For streams that is what makes the
// implementations comparable: one that is opened while a single connection is ready stays on it, and a write that carries the
// messages of 32 streams costs each of them less than one that carries those of 11.
//
// Absolute times mean little on a machine that does other things as well. So the implementations take turns in short
// rounds, each round is compared with the plain one beside it, and the median of those ratios is printed, with the
// quartiles of the ratio of CPU time as the spread.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

type options struct {
	cases       *regexp.Regexp
	concurrency []int
	total       time.Duration // for one case at one concurrency, all implementations together
	rounds      int
	endpoints   int
	profile     string
}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	fmt.Fprintf(os.Stdout, "%s %s/%s, %d CPUs, %d endpoints\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.endpoints)
	if err := profiled(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func profiled(o options, w io.Writer) error {
	stop, err := profile(o.profile)
	if err != nil {
		return err
	}
	return errors.Join(run(o, w), stop())
}

func parse(args []string) (options, error) {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	o := options{cases: regexp.MustCompile(""), concurrency: []int{1, 32}}
	fs.DurationVar(&o.total, "for", 15*time.Second, "`time` for one case at one concurrency")
	fs.IntVar(&o.rounds, "rounds", 25, "`number` of turns that each implementation takes in that time")
	fs.IntVar(&o.endpoints, "endpoints", 3, "`number` of endpoints that calls are spread over, but for those of plain")
	fs.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to this `file`; -tagfocus of go tool pprof selects an implementation")
	fs.Func("case", "run only cases that match this `regexp`", func(s string) (err error) {
		o.cases, err = regexp.Compile(s)
		return err
	})
	fs.Func("c", "concurrency: a comma-separated `list` (default 1,32)", func(s string) error {
		o.concurrency = nil
		for part := range strings.SplitSeq(s, ",") {
			n, err := strconv.Atoi(part)
			if err != nil || n < 1 {
				return fmt.Errorf("%q is not a number of callers", part)
			}
			o.concurrency = append(o.concurrency, n)
		}
		return nil
	})
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if o.rounds < 1 || o.endpoints < 1 || o.total <= 0 {
		err := errors.New("-rounds, -endpoints and -for must be positive")
		fmt.Fprintln(os.Stderr, "bench:", err)
		return o, err
	}
	return o, nil
}
