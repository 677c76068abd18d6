// Command quickstart runs a small shop of real processes on one machine, lets things go wrong in it, and shows what the
// mesh does about them. See README.md.
package main

import (
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
		Open:       s.open,
		List:       s.add,
		Find:       find,
		Script:     s.script,
	})
}

// find opens the registry in a process.
func find(dir string, _ *slog.Logger) (shop.Registry, error) {
	return discovery.NewFile(discovery.FileConfig{Path: endpointFile(dir)})
}

// show is what happens in the shop, and the registry that the parent keeps.
type show struct {
	registry

	moments moments
}
