// Command quickstart runs a small shop of real processes on one machine, lets things go wrong in it, and shows what the
// mesh does about them. See README.md.
package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/shop"
)

func main() {
	s := new(show)
	shop.Main(shop.Config{
		Name:       "quickstart",
		Instances:  map[string]int{"inventory": 3, "payments": 2},
		DrainDelay: 300 * time.Millisecond,
		Records:    records,
		Open:       s.open,
		List:       s.add,
		Find:       find,
		Traffic:    routes,
		Script:     s.script,
	})
}

// open makes the files that all processes follow.
func (s *show) open(_ context.Context, dir string, _ io.Writer) (end func(), err error) {
	if err := s.manifests.create(dir); err != nil {
		return nil, err
	}
	return nil, s.registry.create(dir)
}

// find opens the registry in a process.
func find(dir string, _ *slog.Logger) (shop.Registry, error) {
	return discovery.NewFile(discovery.FileConfig{Path: endpointFile(dir)})
}

// show is what happens in the shop, and the files that the parent keeps.
type show struct {
	registry
	manifests

	moments moments
}
