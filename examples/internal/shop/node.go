package shop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/server"
)

// The environment variables by which the parent tells a process who it is.
const (
	envService = "SHOP_SERVICE" // "inventory"
	envName    = "SHOP_NAME"    // "inventory-2"
	envDir     = "SHOP_DIR"     // the folder of this run
)

// node is what every process of the shop has.
type node struct {
	cfg      Config
	name     string
	service  string
	dir      string
	ledgers  ledgers
	identity security.Identity              // who it is, kept up to date
	registry Registry                       // how it finds others
	routes   atomic.Pointer[traffic.Policy] // by which its calls go; nil: none
	diary    diary                          // what its mesh noticed
	calls    recorder                       // what became of the calls that this process made
	tempo    atomic.Int64                   // how many times slower than usual it works
	work     atomic.Int64                   // pieces of work done, which number the receipts
	atEnd    []func() error
}

// service is one that is ready to accept calls.
type service struct {
	mesh  *server.Server
	serve func(net.Listener) error // blocks until it is drained
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
func runService(cfg Config, name string) error {
	onlyErrors := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})
	slog.SetDefault(slog.New(onlyErrors))
	n := &node{cfg: cfg, name: os.Getenv(envName), service: name, dir: os.Getenv(envDir)}
	n.ledgers = ledgersIn(n.dir)
	n.diary = newDiary(name, cfg.Records, onlyErrors)
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
	if err := n.find(); err != nil {
		return err
	}
	s, err := newService(n)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.serve(l) }()
	if err := n.register(s, l.Addr().String()); err != nil {
		return err
	}
	orphaned := make(chan struct{})
	go func() { n.obey(l.Addr().String()); close(orphaned) }()
	select {
	case err := <-ended:
		return err
	case <-terminated.Done():
		return n.finish(s)
	case <-orphaned:
		err := n.finish(s)
		if cfg.Abandoned != nil {
			cfg.Abandoned(n.dir)
		}
		return errors.Join(err, os.RemoveAll(n.dir))
	}
}

// finish lets the calls that are in hand end, and then what was made for them.
func (n *node) finish(s *service) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := s.mesh.Drain(ctx)
	for _, end := range slices.Backward(n.atEnd) {
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
