package manifest

import (
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/balance"
)

// balanceOf is how an endpoint is picked: where nothing is said by least request, Istio's default.
func balanceOf(b *networking.LoadBalancerSettings) *traffic.Balance {
	if h := b.GetConsistentHash(); h != nil {
		return hashOf(h)
	}
	to := &traffic.Balance{Algorithm: balance.LeastRequest}
	switch b.GetSimple() {
	case networking.LoadBalancerSettings_ROUND_ROBIN:
		to.Algorithm = balance.RoundRobin
	case networking.LoadBalancerSettings_RANDOM:
		to.Algorithm = balance.Random
		return to // Istio knows a warm-up for the other two
	}
	to.SlowStart = slowStart(b)
	return to
}

// smallest stands for a share of 0, of which the policy takes the default.
const smallest = 1e-6

func slowStart(b *networking.LoadBalancerSettings) *traffic.SlowStart {
	if d := b.GetWarmupDurationSecs(); d != nil {
		return &traffic.SlowStart{Window: d.AsDuration()}
	}
	w := b.GetWarmup()
	if w == nil {
		return nil
	}
	s := &traffic.SlowStart{Window: w.GetDuration().AsDuration(), Aggression: w.GetAggression().GetValue()}
	if p := w.GetMinimumPercent(); p != nil {
		s.MinPercent = max(p.GetValue(), smallest)
	}
	return s
}

// hashOf is consistent hashing, by a ring where nothing else is said.
func hashOf(h *networking.LoadBalancerSettings_ConsistentHashLB) *traffic.Balance {
	to := &traffic.Balance{Algorithm: balance.RingHash, Hash: keyOf(h)}
	switch a := h.GetHashAlgorithm().(type) {
	case *networking.LoadBalancerSettings_ConsistentHashLB_Maglev:
		to.Algorithm = balance.Maglev
		to.TableSize = int(a.Maglev.GetTableSize())
	case *networking.LoadBalancerSettings_ConsistentHashLB_RingHash_:
		to.RingMin = int(a.RingHash.GetMinimumRingSize())
	default:
		to.RingMin = int(h.GetMinimumRingSize())
	}
	return to
}

func keyOf(h *networking.LoadBalancerSettings_ConsistentHashLB) *traffic.Key {
	switch k := h.GetHashKey().(type) {
	case *networking.LoadBalancerSettings_ConsistentHashLB_HttpHeaderName:
		return &traffic.Key{Header: k.HttpHeaderName}
	case *networking.LoadBalancerSettings_ConsistentHashLB_HttpQueryParameterName:
		return &traffic.Key{Query: k.HttpQueryParameterName}
	case *networking.LoadBalancerSettings_ConsistentHashLB_UseSourceIp:
		return &traffic.Key{Source: k.UseSourceIp}
	case *networking.LoadBalancerSettings_ConsistentHashLB_HttpCookie:
		c := &traffic.Cookie{Name: k.HttpCookie.GetName(), Path: k.HttpCookie.GetPath()}
		if ttl := k.HttpCookie.GetTtl(); ttl != nil {
			if c.TTL = ttl.AsDuration(); c.TTL == 0 {
				c.TTL = -time.Nanosecond // of the session
			}
		}
		return &traffic.Key{Cookie: c}
	}
	return nil
}

// preferenceOf is who prefers endpoints where. Istio's mesh-wide default is that near ones come first, which, as failover,
// acts where outlier detection finds what is well.
func preferenceOf(l *networking.LocalityLoadBalancerSetting, outlier bool) *traffic.Locality {
	if l.GetEnabled() != nil && !l.GetEnabled().GetValue() {
		return nil
	}
	to := &traffic.Locality{}
	for _, d := range l.GetDistribute() {
		to.Distribute = append(to.Distribute, traffic.Distribute{From: d.GetFrom(), To: d.GetTo()})
	}
	if len(to.Distribute) > 0 {
		return to
	}
	if !outlier {
		return nil
	}
	for _, f := range l.GetFailover() {
		to.Failover = append(to.Failover, traffic.Failover{From: f.GetFrom(), To: f.GetTo()})
	}
	to.FailoverPriority = l.GetFailoverPriority()
	return to
}
