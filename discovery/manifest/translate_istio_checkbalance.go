package manifest

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// checkBalance holds Istio's rules for load balancing.
func (x *istio) checkBalance(o *Object, at string, b *networking.LoadBalancerSettings, d *networking.OutlierDetection) {
	if b == nil {
		return
	}
	x.checkHash(o, at+".consistentHash", b.GetConsistentHash())
	x.checkWarmup(o, at, b)
	x.checkPreference(o, at+".localityLbSetting", b.GetLocalityLbSetting(), d)
}

func (x *istio) checkHash(o *Object, at string, h *networking.LoadBalancerSettings_ConsistentHashLB) {
	if h == nil {
		return
	}
	switch k := h.GetHashKey().(type) {
	case nil:
		x.wrong(o, at, "one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName is needed")
	case *networking.LoadBalancerSettings_ConsistentHashLB_UseSourceIp:
		if !k.UseSourceIp {
			x.wrong(o, at+".useSourceIp", "false: a key is needed")
		}
	case *networking.LoadBalancerSettings_ConsistentHashLB_HttpHeaderName:
		if !isHeaderName(k.HttpHeaderName) {
			x.wrong(o, at+".httpHeaderName", "%q is not the name of a header", k.HttpHeaderName)
		}
	case *networking.LoadBalancerSettings_ConsistentHashLB_HttpQueryParameterName:
		if k.HttpQueryParameterName == "" {
			x.wrong(o, at+".httpQueryParameterName", "must not be empty")
		}
	case *networking.LoadBalancerSettings_ConsistentHashLB_HttpCookie:
		x.checkCookie(o, at+".httpCookie", k.HttpCookie)
	}
	x.checkTable(o, at, h)
}

func (x *istio) checkCookie(o *Object, at string, c *networking.LoadBalancerSettings_ConsistentHashLB_HTTPCookie) {
	if !isHeaderName(c.GetName()) {
		x.wrong(o, at, "%q is not the name of a cookie", c.GetName())
	}
	if t := c.GetTtl().AsDuration(); t < 0 || t > year {
		x.wrong(o, at+".ttl", "%v: must be 0 to a year, 8760h", t)
	}
	if p := c.GetPath(); p != "" && p[0] != '/' {
		x.wrong(o, at+".path", "%q: a path begins with \"/\"", p)
	}
}

// maxRing is the largest ring, Envoy's.
const maxRing = 8 << 20

func (x *istio) checkTable(o *Object, at string, h *networking.LoadBalancerSettings_ConsistentHashLB) {
	ring, field := h.GetMinimumRingSize(), at+".minimumRingSize"
	if ring != 0 {
		x.warn(o, field, "is deprecated: use ringHash.minimumRingSize")
		if h.GetHashAlgorithm() != nil {
			x.wrong(o, field, "only one of minimumRingSize, ringHash and maglev can be given")
		}
	}
	if r := h.GetRingHash(); r != nil {
		ring, field = r.GetMinimumRingSize(), at+".ringHash.minimumRingSize"
	}
	if ring > maxRing {
		x.wrong(o, field, "%d: must be at most %d", ring, maxRing)
	}
	if m := h.GetMaglev(); m != nil {
		// Istio's words: less than 5000011, and a prime.
		if n := m.GetTableSize(); n >= 5000011 || !isPrime(n) {
			x.wrong(o, at+".maglev", "tableSize %d: must be a prime below 5000011", n)
		}
	}
}

func isPrime(n uint64) bool {
	for f := uint64(2); f*f <= n; f++ {
		if n%f == 0 {
			return false
		}
	}
	return n > 1
}

func (x *istio) checkWarmup(o *Object, at string, b *networking.LoadBalancerSettings) {
	x.checkDuration(o, at+".warmupDurationSecs", b.GetWarmupDurationSecs())
	w, field := b.GetWarmup(), at+".warmup"
	switch {
	case w == nil && b.GetWarmupDurationSecs() == nil:
		return
	case w == nil:
		field = at + ".warmupDurationSecs"
		x.warn(o, field, "is deprecated: use warmup.duration")
	case b.GetWarmupDurationSecs() != nil:
		x.wrong(o, field, "warmup and warmupDurationSecs cannot be given together")
	case w.GetDuration() == nil:
		x.wrong(o, field, "a duration is needed")
	}
	x.checkDuration(o, at+".warmup.duration", w.GetDuration())
	if p := w.GetMinimumPercent(); p.GetValue() < 0 || p.GetValue() > 100 {
		x.wrong(o, at+".warmup.minimumPercent", "%v: must be 0 to 100", p.GetValue())
	}
	if a := w.GetAggression(); a != nil && a.GetValue() <= 0 {
		x.wrong(o, at+".warmup.aggression", "%v: must be above 0", a.GetValue())
	}
	if b.GetConsistentHash() != nil || b.GetSimple() == networking.LoadBalancerSettings_RANDOM {
		x.warn(o, field, "has no effect: Istio knows it for ROUND_ROBIN and LEAST_REQUEST")
	}
}

// checkPreference holds Istio's rules for who prefers endpoints where.
func (x *istio) checkPreference(o *Object, at string, l *networking.LocalityLoadBalancerSetting, d *networking.OutlierDetection) {
	if l == nil {
		return
	}
	var given []string
	for _, f := range []struct {
		name string
		is   bool
	}{
		{"distribute", len(l.GetDistribute()) > 0}, {"failover", len(l.GetFailover()) > 0},
		{"failoverPriority", len(l.GetFailoverPriority()) > 0},
	} {
		if f.is {
			given = append(given, f.name)
		}
	}
	if len(given) > 1 {
		x.wrong(o, at+"."+given[1], "only one of distribute, failover and failoverPriority can be given")
	}
	for i, s := range l.GetDistribute() {
		x.checkShares(o, index(at+".distribute", i), s)
	}
	x.checkFailover(o, at+".failover", l.GetFailover())
	off := l.GetEnabled() != nil && !l.GetEnabled().GetValue()
	for _, name := range given {
		switch {
		case off:
			x.warn(o, at+"."+name, "has no effect: enabled is false")
		case name != "distribute" && d == nil:
			x.warn(o, at+"."+name, "has no effect without outlierDetection, which finds what is well")
		}
	}
}

func (x *istio) checkShares(o *Object, at string, d *networking.LocalityLoadBalancerSetting_Distribute) {
	x.checkPlace(o, at+".from", d.GetFrom())
	var sum uint64
	for _, place := range sortedKeys(d.GetTo()) {
		key := entry(at+".to", place)
		x.checkPlace(o, key, place)
		n := d.GetTo()[place]
		if n < 1 || n > 100 {
			x.wrong(o, key, "%d: must be 1 to 100", n)
		}
		sum += uint64(n)
	}
	if sum != 100 {
		x.wrong(o, at+".to", "the shares must sum to 100, and they are %d", sum)
	}
}

// checkPlace checks "region/zone/subzone", with "*" at the end.
func (x *istio) checkPlace(o *Object, at, place string) {
	parts := strings.Split(place, "/")
	for i, p := range parts {
		if p == "" || len(parts) > 3 || strings.Contains(p, "*") && (p != "*" || i+1 < len(parts)) {
			x.wrong(o, at, "%q: want \"region\", \"region/zone\" or \"region/zone/subzone\", or \"*\" at the end", place)
			return
		}
	}
}

func (x *istio) checkFailover(o *Object, at string, list []*networking.LocalityLoadBalancerSetting_Failover) {
	seen := map[string]bool{}
	for i, f := range list {
		item := index(at, i)
		for _, r := range []struct{ name, region string }{{".from", f.GetFrom()}, {".to", f.GetTo()}} {
			if r.region == "" || strings.ContainsAny(r.region, "*/") {
				x.wrong(o, item+r.name, "%q is not a region", r.region)
			}
		}
		if f.GetFrom() == f.GetTo() {
			x.wrong(o, item+".to", "must be another region than from")
		}
		if seen[f.GetFrom()] {
			x.wrong(o, item+".from", "%q is there twice", f.GetFrom())
		}
		seen[f.GetFrom()] = true
	}
}
