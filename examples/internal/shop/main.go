package shop

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Main runs the shop and does not return. Its flag is -for; the caller may have defined others. The exit status is 1 where
// the shop did not keep its promises, and 2 where the arguments make no sense.
func Main(cfg Config) {
	// The binary is all processes of the shop: the parent starts itself again, once for each of them.
	if name := os.Getenv(envService); name != "" {
		cfg.exit(runService(cfg, name))
	}
	length := flag.Duration("for", 30*time.Second, "how long to run; 0 is until Ctrl-C")
	flag.Parse()
	if *length < 0 || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s: -for must not be negative, and there are no arguments but flags\n", cfg.Name)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg.exit(run(ctx, cfg, *length, os.Stdout))
}

func (c *Config) exit(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.Name, err)
		os.Exit(1)
	}
	os.Exit(0)
}
