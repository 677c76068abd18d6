package stack

import (
	"cmp"
	"reflect"
	"sync"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/balance"
)

// picking is how an endpoint is picked.
type picking struct {
	balance.Config

	locality *traffic.Locality // nil: wherever they are
	calm     int               // the percentage of healthy endpoints under which ejections are ignored
}

func (p picking) equal(q picking) bool {
	return p.Equal(q.Config) && p.calm == q.calm && reflect.DeepEqual(p.locality, q.locality)
}

// picking is how it is done at the destination under the policy of now.
func (d *Destination) picking() picking {
	r := d.regime.Load()
	p := picking{Config: balance.Config{Algorithm: d.client.balance}, locality: r.settings.Locality}
	if o := r.exec.Outlier(); o != nil {
		p.calm = o.MinHealthPercent
	}
	if b := r.settings.Balance; b != nil {
		p.Config = b.Config()
		p.Algorithm = cmp.Or(p.Algorithm, d.client.balance)
	}
	return p
}

// view is what the book says, for calls to see. The caller holds mu.
func (d *Destination) view(p picking, absent bool) *Endpoints {
	eps := &Endpoints{Nodes: d.book.nodes, keyed: p.Algorithm.Keyed(), absent: absent}
	eps.Picker = d.picker(p, eps.Nodes)
	if eps.places, _ = eps.Picker.(*balance.ByLocality); eps.places != nil {
		eps.levels = sync.OnceValue(eps.priorities)
	}
	return eps
}

func (e *Endpoints) priorities() map[*Node]int {
	levels := make(map[*Node]int, len(e.Nodes))
	for i, n := range e.Nodes {
		levels[n] = e.places.Level(i)
	}
	return levels
}

// PickerOf makes a picker over some of the destination's nodes. Where calls are placed by a key it is one for those that
// have no other place to go.
func (d *Destination) PickerOf(nodes []*Node) balance.Picker {
	p := d.picking()
	p.locality = nil
	if p.Algorithm.Keyed() {
		p.Config = balance.Config{Algorithm: balance.Random}
	}
	return d.picker(p, nodes)
}

// picker makes a picker over nodes. That the settings are good ones was checked when the policy was.
func (d *Destination) picker(p picking, nodes []*Node) balance.Picker {
	loads := make([]*balance.Node, len(nodes))
	for i, n := range nodes {
		loads[i] = n.Load
	}
	made, err := d.pickerOf(p, nodes, loads)
	if err != nil {
		panic(err)
	}
	return made
}

func (d *Destination) pickerOf(p picking, nodes []*Node, loads []*balance.Node) (balance.Picker, error) {
	if p.locality == nil {
		return balance.New(p.Config, loads)
	}
	at := d.client.local
	from := balance.Place{Region: at.Region, Zone: at.Zone, SubZone: at.SubZone, Labels: at.Labels}
	return balance.NewByLocality(p.Config, localityOf(p.locality), from, loads, func(i int) bool { return !nodes[i].Ejected() }, p.calm)
}

func localityOf(l *traffic.Locality) balance.Locality {
	b := balance.Locality{FailoverPriority: l.FailoverPriority}
	for _, d := range l.Distribute {
		b.Distribute = append(b.Distribute, balance.Distribute(d))
	}
	for _, f := range l.Failover {
		b.Failover = append(b.Failover, balance.Failover(f))
	}
	return b
}

// reassess shares calls out anew among places after the health of endpoints has changed.
func (d *Destination) reassess() {
	if eps := d.Endpoints(); eps != nil && eps.places != nil {
		eps.places.Update()
	}
}
