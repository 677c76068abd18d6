package stack

import "github.com/intramesh/intramesh/resilience"

// EndpointStates is how many endpoints of a destination are in which state.
type EndpointStates struct {
	Ready   int  // chosen like any other
	Ejected int  // out
	Probing int  // out, but their time is over: the next call there finds out, or is about to
	Panic   bool // ejections are ignored, because too many are out
}

// EndpointStates counts the endpoints that are known now.
func (d *Destination) EndpointStates() (s EndpointStates) {
	o := d.outliers
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	for n := range o.out {
		switch {
		case !n.counted: // it has left the list
		case n.due.Load() <= now:
			s.Probing++
		default:
			s.Ejected++
		}
	}
	s.Ready, s.Panic = len(o.nodes)-s.Ejected-s.Probing, o.panics
	return s
}

// BreakerState is what the destination's circuit breaker does with calls now.
func (d *Destination) BreakerState() resilience.BreakerState { return d.regime.Load().exec.Breaker() }

// Usage is what is under way to the destination, as far as its limits have it counted.
func (d *Destination) Usage() resilience.Usage { return d.regime.Load().exec.Usage() }

// EachBreaker calls f for every destination that has a breaker, with its state.
func (s *Client) EachBreaker(f func(service string, state resilience.BreakerState)) {
	s.every(func(d *Destination) {
		if d.lost.Load() != 0 {
			return // the policy has no such thing any more
		}
		if state := d.BreakerState(); state != resilience.BreakerOff {
			f(d.Name, state)
		}
	})
}

// EachEndpoints implements [call.Gauges]. All states are there for every destination, so that one that is left falls to 0.
func (s *Client) EachEndpoints(f func(service, state string, n int)) {
	s.every(func(d *Destination) {
		if d.direct || d.lost.Load() != 0 || d.Endpoints() == nil {
			return
		}
		n := d.EndpointStates()
		f(d.Name, "ready", n.Ready)
		f(d.Name, "ejected", n.Ejected)
		f(d.Name, "probing", n.Probing)
	})
}
