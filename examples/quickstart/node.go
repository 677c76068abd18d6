package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/intramesh/intramesh/security"
)

// The environment variables by which the parent tells a process who it is.
const (
	envService = "QUICKSTART_SERVICE" // "inventory"
	envName    = "QUICKSTART_NAME"    // "inventory-2"
	envDir     = "QUICKSTART_DIR"     // the folder of this run
)

// node is what every process of the shop has.
type node struct {
	name     string
	service  string
	dir      string
	ledgers  ledgers
	identity security.Identity // who it is, kept up to date
	diary    diary             // what its mesh noticed
	calls    recorder          // what became of the calls that this process made
	tempo    atomic.Int64      // how many times slower than usual it works
	work     atomic.Int64      // pieces of work done, which number the receipts
	atEnd    []func() error
}

// service is one that is ready to accept calls.
type service struct {
	serve func(net.Listener) error    // blocks until it is drained
	drain func(context.Context) error // lets calls finish
}

// services are the programs that this binary can be.
var services = map[string]func(*node) (*service, error){
	"web":       newWeb,
	"orders":    newOrders,
	"inventory": newInventory,
	"payments":  newPayments,
	"reviews":   newReviews,
}

// runService is main of a process of the shop. It tells the parent its address, serves, and ends at SIGTERM, or when the
// parent is gone, after a drain.
func runService(name string) error {
	onlyErrors := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})
	slog.SetDefault(slog.New(onlyErrors))
	n := &node{name: os.Getenv(envName), service: name, dir: os.Getenv(envDir)}
	n.ledgers = ledgersIn(n.dir)
	n.diary = newDiary(name, onlyErrors)
	n.tempo.Store(1)

	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	newService, ok := services[name]
	if !ok {
		return fmt.Errorf("no service is called %q", name)
	}
	if err := n.identify(); err != nil {
		return err
	}
	s, err := newService(n)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.serve(l) }()
	orphaned := make(chan struct{})
	go func() { n.obey(l.Addr().String()); close(orphaned) }()
	select {
	case err := <-ended:
		return err
	case <-terminated.Done():
		return n.finish(s)
	case <-orphaned:
		return errors.Join(n.finish(s), os.RemoveAll(n.dir))
	}
}

// finish lets the calls that are in hand end, and then what was made for them.
func (n *node) finish(s *service) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := s.drain(ctx)
	for _, end := range n.atEnd {
		err = errors.Join(err, end())
	}
	return err
}

// receipt is a text that no other piece of work has.
func (n *node) receipt() string {
	return n.name + "/" + strconv.FormatInt(n.work.Add(1), 10)
}

// toil stands for the time that real work takes.
func (n *node) toil(ctx context.Context, usual time.Duration) error {
	t := time.NewTimer(usual * time.Duration(n.tempo.Load()))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
