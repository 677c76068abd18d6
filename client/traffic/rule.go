package traffic

import "slices"

// Rule is a [Route] as one of its matches found it. It belongs to its [Table] and must not be changed.
type Rule struct {
	// Name is the route's, or "routes[3]" where it has none. What is to survive a new policy is kept by it.
	Name string
	// Index is the place of the route in [Policy.Routes], Match that of its match; -1 where the route has none.
	Index, Match int
	// Route is what the policy says.
	Route *Route
	// Targets are the route's To, in its order.
	Targets []*Target
	// RequestHeaders and ResponseHeaders are the route's own changes, for where there is no Target.
	RequestHeaders, ResponseHeaders []HeaderOp
	// Faults are the route's.
	Faults []FaultRule

	split  split
	sticky *sticky
	// matched is the path that the match names, whose op says how, for what replaces it.
	matched Value
	rewrite *regexRewrite
}

// Target is a [Backend] of a rule, with what the rule adds to it. It must not be changed.
type Target struct {
	// Backend is what the policy says.
	Backend *Backend
	// Index is its place in [Route.To].
	Index int
	// RequestHeaders and ResponseHeaders are the changes to make, those of the route before those of the backend.
	RequestHeaders, ResponseHeaders []HeaderOp

	address address
}

// Choose is where the n-th request of the rule goes; nil where the route has no To, and the request goes to the service
// that was called, or nowhere. The caller keeps the counter by the rule's Name, so that it goes on when the policy is
// replaced: that makes shares exact. A sticky route goes by n only where the request has no key.
func (r *Rule) Choose(q *Request, n uint64) *Target {
	switch {
	case len(r.Targets) == 0:
		return nil
	case len(r.Targets) == 1:
		return r.Targets[0]
	case r.sticky != nil:
		if key, ok := r.Route.Sticky.Hash(q); ok {
			return r.Targets[r.sticky.choose(key)]
		}
	}
	return r.Targets[r.split.choose(n)]
}

// Service is where a request goes that was sent to called, in the same form: with ":port" where there is one.
func (t *Target) Service(called string) string { return t.address.resolve(called) }

// Destination is where a request goes that was sent to called, in the same form: with ":port" where there is one.
func (b *Backend) Destination(called string) string {
	a := address{service: b.Service, port: b.Port}
	return a.resolve(called)
}

// Destination is where a copy of a request goes that was sent to called, in the same form: with ":port" where there is one.
func (m *Mirror) Destination(called string) string {
	a := address{service: m.Service, port: m.Port}
	return a.resolve(called)
}

// FaultRule is a [Fault] of a rule that is ready to be asked.
type FaultRule struct {
	// Fault is what the policy says.
	Fault *Fault
	// Scope is where it stands; never empty, and always [ScopeAttempt] where it spoils a body.
	Scope Scope

	any [][]condition
}

// Match says whether q is one of the requests that the fault is for. Its Percent is for the caller to draw.
func (f *FaultRule) Match(q *Request) bool {
	if len(f.any) == 0 {
		return len(f.Fault.Match) == 0
	}
	p := newProbe(q, new(seen))
	return slices.ContainsFunc(f.any, p.holds)
}
