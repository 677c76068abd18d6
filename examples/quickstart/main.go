// Command quickstart runs a small shop of real processes on one machine, lets things go wrong in it, and shows what the
// mesh does about them. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	// The binary is all processes of the shop: the parent starts itself again, once for each of them.
	if name := os.Getenv(envService); name != "" {
		exit(runService(name))
	}
	length := flag.Duration("for", 30*time.Second, "how long to run; 0 is until Ctrl-C")
	flag.Parse()
	if *length < 0 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "quickstart: -for must not be negative, and there are no other arguments")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, *length, os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
