package traffic

import (
	"fmt"
	"strings"
)

func (c *checker) checkConnections(n *Connections) {
	c.duration("ConnectTimeout", n.ConnectTimeout)
	c.duration("IdleTimeout", n.IdleTimeout)
	c.duration("MaxAge", n.MaxAge)
	c.atLeast0("MaxRequests", int64(n.MaxRequests))
	if k := n.Keepalive; k != nil {
		c.duration("Keepalive.Idle", k.Idle)
		c.duration("Keepalive.Interval", k.Interval)
		c.atLeast0("Keepalive.Count", int64(k.Count))
	}
}

func (c *checker) checkTLS(t *TLS) {
	pair := t.Cert != "" || t.Key != ""
	switch t.Mode {
	case TLSDisable:
		if t.ServerName != "" || len(t.Names) > 0 || t.CA != "" || pair {
			c.here(nil, "nothing else can be said where Mode is disable")
		}
	case TLSSimple:
		if pair {
			c.bad("Cert", nil, "this side proves nothing where Mode is simple; mutual does")
		}
	case TLSMutual:
		if t.Cert == "" || t.Key == "" {
			c.bad("Cert", nil, "Cert and Key are needed where Mode is mutual")
		}
	case TLSMesh, "":
		if t.CA != "" || pair {
			c.bad("CA", nil, "CA, Cert and Key are for the modes simple and mutual")
		}
	default:
		c.bad("Mode", string(t.Mode), "must be disable, simple, mutual or mesh")
	}
	if t.ServerName != "" && !isHost(t.ServerName) {
		c.bad("ServerName", t.ServerName, "not the name of a host")
	}
	for i, name := range t.Names {
		if name == "" {
			c.bad(fmt.Sprintf("Names[%d]", i), nil, "must not be empty")
		}
	}
}

// checkLocality holds the rules of Istio's validation.
func (c *checker) checkLocality(l *Locality) {
	count := 0
	for _, is := range []bool{len(l.Distribute) > 0, len(l.Failover) > 0, len(l.FailoverPriority) > 0} {
		if is {
			count++
		}
	}
	if count > 1 {
		c.here(nil, "more than one of Distribute, Failover and FailoverPriority")
	}
	c.checkDistribute(l.Distribute)
	c.checkFailover(l.Failover)
	seen := make(map[string]bool)
	for i, label := range l.FailoverPriority {
		name, _, _ := strings.Cut(label, "=")
		if name == "" || seen[name] {
			c.bad(fmt.Sprintf("FailoverPriority[%d]", i), label, `must be "name" or "name=value", each name once`)
		}
		seen[name] = true
	}
}

func (c *checker) checkDistribute(list []Distribute) {
	var from []string
	for i, d := range list {
		c.item("Distribute", i)
		c.checkPlace("From", d.From, from)
		from = append(from, d.From)
		var sum uint64
		var to []string
		for _, place := range sortedKeys(d.To) {
			c.entry("To", place)
			c.checkPlace("", place, to)
			to = append(to, place)
			if n := d.To[place]; n < 1 || n > 100 {
				c.here(n, "must be 1 to 100")
			}
			c.out()
			sum += uint64(d.To[place])
		}
		if sum != 100 {
			c.bad("To", nil, fmt.Sprintf("the shares must sum to 100, and they are %d", sum))
		}
		c.out()
	}
}

// checkPlace checks "region/zone/subzone", and that none of the others has it in it.
func (c *checker) checkPlace(field, place string, others []string) {
	parts := strings.Split(place, "/")
	for i, part := range parts {
		if part == "" || strings.Contains(part, "*") && (part != "*" || i+1 < len(parts)) {
			c.bad(field, place, `must be "region", "region/zone" or "region/zone/subzone", or have "*" at its end`)
			return
		}
	}
	if len(parts) > 3 {
		c.bad(field, place, "must have at most region, zone and subzone")
		return
	}
	for _, other := range others {
		if within(place, other) || within(other, place) {
			c.bad(field, place, fmt.Sprintf("overlaps %q", other))
		}
	}
}

// within says whether a place is another, or a part of it.
func within(place, other string) bool {
	place, other = trimWild(place), trimWild(other)
	return other == "" || place == other || strings.HasPrefix(place, other+"/")
}

func trimWild(place string) string {
	return strings.TrimSuffix(strings.TrimSuffix(place, "*"), "/")
}

func (c *checker) checkFailover(list []Failover) {
	seen := make(map[string]bool)
	for i, f := range list {
		c.item("Failover", i)
		for _, r := range []struct{ field, region string }{{"From", f.From}, {"To", f.To}} {
			if r.region == "" || strings.ContainsAny(r.region, "*/") {
				c.bad(r.field, r.region, "must be a region")
			}
		}
		switch {
		case f.From == f.To:
			c.bad("To", f.To, "must be another region than From")
		case seen[f.From]:
			c.bad("From", f.From, "is there twice")
		}
		seen[f.From] = true
		c.out()
	}
}
