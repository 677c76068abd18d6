// Package shop is a small shop of real processes on one machine, with visitors, in which a program lets things happen, and
// which says what the mesh did about them. [Main] is the program: how its processes find each other and what happens to
// them stands in its [Config].
//
// Files to begin with: mesh.go and policy.go are all that the shop has to do with the mesh.
package shop

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/server"
)

// Config is a program that runs the shop. Some of its functions are called in the parent, some in the processes of the
// shop, which are the same program. Open, Env, List, Traffic and Register may be nil: there is nothing to do.
type Config struct {
	// Name is that of the program.
	Name string
	// Instances says of how many processes a service is made at first, where it is not one.
	Instances map[string]int
	// DrainDelay is how long a server that is about to go keeps accepting calls, so that those who have not heard of it
	// yet lose none. A registry that needs longer than a file needs more.
	DrainDelay time.Duration
	// Records are messages of the log of a process, beside the mesh's own, that are counted, and by what name. What is
	// counted is for the steps to tell; errors that are not are written to standard error.
	Records map[string]string
	// Leave is set where the processes drain at the end of all, and so leave the registry in order.
	Leave bool

	// Open is called in the parent before there is a process. The folder is that of the run. What it returns is called
	// after the last process has ended; nil where there is nothing to end.
	Open func(ctx context.Context, dir string, out io.Writer) (end func(), err error)
	// Abandoned is called in processes whose parent has ended without ending them.
	Abandoned func(dir string)
	// Script is called after Open and says what happens.
	Script func() []Step
	// Env is what a process finds in its environment.
	Env func(name string) []string
	// List is called in the parent when a process serves, and returns when others can find it.
	List func(ctx context.Context, p *Process) error

	// Find is called in a process, and opens what it finds others by.
	Find func(dir string, log *slog.Logger) (Registry, error)
	// Traffic is called in a process that calls others, and opens what says where its calls go.
	Traffic func(dir string, log *slog.Logger) (Traffic, error)
	// Register is called in a process that serves, and announces it.
	Register func(ctx context.Context, s *server.Server, r Registry, service, addr string) error
}

// Registry is what a process finds others by.
type Registry interface {
	discovery.Source
	io.Closer
}

// Traffic is what tells a process where its calls go.
type Traffic interface {
	traffic.Source
	io.Closer
}

// The services of the shop. Those that are called stand before those that call, as they must be started.
var startOrder = []string{"inventory", "payments", "reviews", "orders", edge}

func (c *Config) instances(service string) int { return max(1, c.Instances[service]) }
