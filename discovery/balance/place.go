package balance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/intramesh/intramesh/discovery"
)

// Place is where the calling process runs, in the terms in which its sources describe endpoints. What is empty is not
// known.
type Place struct {
	Region, Zone, SubZone string
	// Labels are the process's own, for [Locality.FailoverPriority].
	Labels map[string]string
}

// known reports whether anything is known but labels.
func (p Place) known() bool { return p.Region != "" || p.Zone != "" || p.SubZone != "" }

// distance is 0 in the same subzone, 1 in the same zone, 2 in the same region, and else 3: the priorities of Istio.
func (p Place) distance(e *discovery.Endpoint) int {
	switch {
	case p.Region != e.Region:
		return 3
	case p.Zone != e.Zone:
		return 2
	case p.SubZone != e.SubZone:
		return 1
	}
	return 0
}

// Labels that every endpoint and process with a place has, without anybody giving them; Istio sets them so.
const (
	labelRegion  = "topology.kubernetes.io/region"
	labelZone    = "topology.kubernetes.io/zone"
	labelSubZone = "topology.istio.io/subzone"
)

func (p Place) label(name string) string {
	if v, ok := p.Labels[name]; ok {
		return v
	}
	switch name {
	case labelRegion:
		return p.Region
	case labelZone:
		return p.Zone
	case labelSubZone:
		return p.SubZone
	}
	return ""
}

func placeOf(e *discovery.Endpoint) Place { return Place{e.Region, e.Zone, e.SubZone, e.Metadata} }

// pattern is "region/zone/subzone" in parts; one that is empty or "*" matches everything.
type pattern [3]string

func parsePattern(s string) (pattern, error) {
	var p pattern
	parts := strings.Split(s, "/")
	if len(parts) > len(p) {
		return p, fmt.Errorf("%q: want region/zone/subzone at most", s)
	}
	for i, part := range parts {
		switch {
		case part == "":
			return p, fmt.Errorf("%q: a part is empty", s)
		case part == "*" && i < len(parts)-1:
			return p, fmt.Errorf("%q: * stands only at the end", s)
		case strings.Contains(part, "*") && part != "*":
			return p, fmt.Errorf("%q: * stands for a whole part", s)
		case part != "*":
			p[i] = part
		}
	}
	return p, nil
}

func (p pattern) matches(at Place) bool {
	return within(p[0], at.Region) && within(p[1], at.Zone) && within(p[2], at.SubZone)
}

// overlaps reports whether a place may match both.
func (p pattern) overlaps(q pattern) bool {
	for i := range p {
		if p[i] != "" && q[i] != "" && p[i] != q[i] {
			return false
		}
	}
	return true
}

func within(part, at string) bool { return part == "" || part == at }

// validRegion takes what [Failover] names.
func validRegion(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	if strings.ContainsAny(s, "/*") {
		return fmt.Errorf("%q: want a region alone", s)
	}
	return nil
}
