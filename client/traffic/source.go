package traffic

import "context"

// Source tells which policy is in force, and keeps telling.
//
// WatchTraffic blocks until ctx ends and then returns nil, or returns an error when it cannot go on; it is started again
// with back-off then. Calls of fn do not overlap, none runs after ctx has ended, and fn does not block for long: it
// compiles the policy. The first update is the answer; until then calls wait, within Config.Warmup.
type Source interface {
	WatchTraffic(ctx context.Context, fn func(Update)) error
}

// Update is a piece of news about the policy.
type Update struct {
	// Policy is the whole new policy. It must not be changed afterwards. Where it cannot be honoured the last good one
	// stays in force.
	Policy Policy
	// Err, if not nil, says that there is no new policy and why; the last good one stays in force.
	Err error
}

// WatchTraffic makes a policy that never changes a [Source].
func (p Policy) WatchTraffic(ctx context.Context, fn func(Update)) error {
	fn(Update{Policy: p})
	<-ctx.Done()
	return nil
}

// Local is what is known of the calling process: what conditions on the source ask, and where nearness begins.
type Local struct {
	// Region, Zone and SubZone are where it runs, in the terms in which its sources describe endpoints.
	Region  string
	Zone    string
	SubZone string
	// Addr is its address, with or without a port, for [Key.Source]. [Compile] needs it where a key asks for it.
	Addr string
	// Labels are its own.
	Labels map[string]string
}
