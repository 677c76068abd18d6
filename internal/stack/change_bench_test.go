package stack

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// mute is a source that says nothing.
type mute struct{}

func (mute) Watch(ctx context.Context, _ string, _ func(discovery.Update)) error {
	<-ctx.Done()
	return nil
}

// BenchmarkChange is what one endpoint that changes costs among many, and a change of the policy that says nothing of them.
func BenchmarkChange(b *testing.B) {
	for _, kind := range []string{"plain", "locality", "subsets"} {
		const n = 10_000
		p := subsetsOf("v1", "v2")
		if kind == "locality" {
			p.Destinations[0].Locality = &traffic.Locality{}
		}
		c := NewClient(Config{Discovery: mute{}, Traffic: p, Logger: slog.New(slog.DiscardHandler)})
		defer c.Close()
		eps := make([]discovery.Endpoint, n)
		for i := range eps {
			eps[i] = v(fmt.Sprintf("10.0.%d.%d:80", i/250, i%250), fmt.Sprint("v", 1+i%10))
			eps[i].Zone = fmt.Sprint("z", i%3)
		}
		d := c.Destination("orders", time.Now())
		if kind == "subsets" {
			d.Subset("v1", c.now.Load(), time.Now())
			d.Subset("v2", c.now.Load(), time.Now())
		}
		ctx := context.Background()
		d.update(ctx, discovery.Update{Kind: discovery.Set, Endpoints: eps})
		b.Run(kind+", one endpoint", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				e := eps[0]
				e.Weight = 1 + uint32(i%2)
				d.update(ctx, discovery.Update{Kind: discovery.Diff, Endpoints: []discovery.Endpoint{e}})
			}
		})
		b.Run(kind+", all endpoints", func(b *testing.B) {
			for b.Loop() {
				d.update(ctx, discovery.Update{Kind: discovery.Diff, Endpoints: eps})
			}
		})
		b.Run(kind+", the policy", func(b *testing.B) {
			for b.Loop() {
				c.evolve(func(*generation) {})
			}
		})
	}
}
