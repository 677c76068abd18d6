package balance

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Locality prefers nodes by where they are. At most one of its three is set; they mean what they mean in Istio. Without
// any, nodes have priorities by how near they are: the same subzone, zone, region, and all others.
//
// Places in patterns are "region/zone/subzone" or less, with "*" at the end for all below, as without anything there.
type Locality struct {
	// Distribute sends calls from a place to places in the given shares. The first whose From is where the process runs
	// counts; nodes at places that it does not name get nothing, as in Istio. Where none counts all nodes are alike.
	Distribute []Distribute
	// Failover names, for a region, the one to go to before all others when there is not enough left in the own.
	Failover []Failover
	// FailoverPriority are labels, as "name" for the value that the process has, or "name=value". Nodes that agree in a
	// longer beginning of the list come first. Labels of nodes are [discovery.Endpoint.Metadata]; region, zone and subzone
	// have the names topology.kubernetes.io/region, topology.kubernetes.io/zone and topology.istio.io/subzone.
	FailoverPriority []string
}

// Distribute are the shares for calls from one place.
type Distribute struct {
	From string
	To   map[string]uint32
}

// Failover is the region to go to when another fails.
type Failover struct {
	From string
	To   string
}

// Validate reports what cannot be honoured, each by the field's name.
func (l Locality) Validate() error {
	set := 0
	for _, n := range []int{len(l.Distribute), len(l.Failover), len(l.FailoverPriority)} {
		if n > 0 {
			set++
		}
	}
	var errs []error
	if set > 1 {
		errs = append(errs, errors.New("balance: Locality: only one of Distribute, Failover and FailoverPriority may be set"))
	}
	for i := range l.Distribute {
		errs = append(errs, l.Distribute[i].validate(fmt.Sprintf("balance: Locality.Distribute[%d]", i)))
	}
	return errors.Join(append(errs, l.validFailover(), l.validPriority())...)
}

func (d *Distribute) validate(at string) error {
	if _, err := parsePattern(d.From); err != nil {
		return fmt.Errorf("%s.From: %w", at, err)
	}
	if len(d.To) == 0 {
		return fmt.Errorf("%s.To: is empty", at)
	}
	var sum uint64
	var seen []pattern
	for _, to := range slices.Sorted(maps.Keys(d.To)) {
		p, err := parsePattern(to)
		switch {
		case err != nil:
			return fmt.Errorf("%s.To: %w", at, err)
		case d.To[to] == 0:
			return fmt.Errorf("%s.To: %q: a share of 0 (leave out what is to get nothing)", at, to)
		case slices.ContainsFunc(seen, p.overlaps):
			return fmt.Errorf("%s.To: %q: overlaps with another place", at, to)
		}
		seen = append(seen, p)
		sum += uint64(d.To[to])
	}
	if sum > math.MaxUint32 {
		return fmt.Errorf("%s.To: the shares are more than %d together", at, uint32(math.MaxUint32))
	}
	return nil
}

func (l Locality) validFailover() error {
	from := map[string]bool{}
	for i, f := range l.Failover {
		at := fmt.Sprintf("balance: Locality.Failover[%d]", i)
		if err := validRegion(f.From); err != nil {
			return fmt.Errorf("%s.From: %w", at, err)
		}
		if err := validRegion(f.To); err != nil {
			return fmt.Errorf("%s.To: %w", at, err)
		}
		if f.From == f.To {
			return fmt.Errorf("%s.To: %q is where the calls come from", at, f.To)
		}
		if from[f.From] {
			return fmt.Errorf("%s.From: %q is listed twice", at, f.From)
		}
		from[f.From] = true
	}
	return nil
}

func (l Locality) validPriority() error {
	seen := map[string]bool{}
	for i, label := range l.FailoverPriority {
		name, _, _ := strings.Cut(label, "=")
		if name == "" {
			return fmt.Errorf("balance: Locality.FailoverPriority[%d]: %q has no name", i, label)
		}
		if seen[name] {
			return fmt.Errorf("balance: Locality.FailoverPriority[%d]: %q is listed twice", i, name)
		}
		seen[name] = true
	}
	return nil
}
