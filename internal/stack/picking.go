package stack

import (
	"cmp"

	"github.com/intramesh/intramesh/discovery/balance"
)

// picking is how an endpoint of the destination is picked under the policy of now.
func (d *Destination) picking() balance.Config {
	cfg := balance.Config{Algorithm: d.client.balance}
	b := d.regime.Load().settings.Balance
	if b == nil {
		return cfg
	}
	cfg.Algorithm = cmp.Or(b.Algorithm, cfg.Algorithm)
	cfg.Choices, cfg.BoundedLoad = b.Choices, b.BoundedLoad
	cfg.RingMin, cfg.RingMax, cfg.TableSize = b.RingMin, b.RingMax, b.TableSize
	if s := b.SlowStart; s != nil {
		cfg.SlowStart = &balance.SlowStart{Window: s.Window, MinPercent: s.MinPercent, Aggression: s.Aggression}
	}
	return cfg
}

// view is what the book says, for calls to see. The caller holds mu.
func (d *Destination) view(cfg balance.Config, absent bool) *Endpoints {
	return &Endpoints{Nodes: d.book.nodes, Picker: pickerOf(cfg, d.book.nodes), keyed: cfg.Algorithm.Keyed(), absent: absent}
}

// PickerOf makes a picker over some of the destination's nodes. Where calls are placed by a key it is one for those that
// have no other place to go.
func (d *Destination) PickerOf(nodes []*Node) balance.Picker {
	cfg := d.picking()
	if cfg.Algorithm.Keyed() {
		cfg = balance.Config{Algorithm: balance.Random}
	}
	return pickerOf(cfg, nodes)
}

// pickerOf makes a picker over nodes. That the config is a good one was checked when the policy was.
func pickerOf(cfg balance.Config, nodes []*Node) balance.Picker {
	loads := make([]*balance.Node, len(nodes))
	for i, n := range nodes {
		loads[i] = n.Load
	}
	p, err := balance.New(cfg, loads)
	if err != nil {
		panic(err)
	}
	return p
}
