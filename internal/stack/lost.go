package stack

import (
	"fmt"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
)

// A subset that a change of policy takes away has calls under way, and calls that have just been routed there by the policy
// before. For their sake it stays as it was for a while. Then its endpoints go, and it with them: a policy that names its
// subsets anew with every release must not leave all of them behind.

// lostAfter is for how long it stays.
const lostAfter = time.Minute

// labels are those of the endpoints of a subset; an error where there is no such subset.
func (g *generation) labels(d *Destination) (map[string]string, error) {
	if g.table == nil {
		return nil, fmt.Errorf("%w: there are no routes", traffic.ErrUnknownSubset)
	}
	return g.table.Subset(d.service, d.subset)
}

// undeclared is the error for a call that g sends to a subset which it does not have: a route for all hosts names a subset that
// only some of them have. It matters that it is not another's left-over.
func (d *Destination) undeclared(g *generation) error {
	if d.lost.Load() == 0 {
		return nil
	}
	if _, err := g.labels(d); err != nil {
		err = fmt.Errorf("%w: %w", err, discovery.ErrNoEndpoint)
		return &call.Error{Reason: call.NoEndpoint, Code: call.Unavailable, Err: err}
	}
	return nil
}

// settle notes whether the policy of g has the subset. The caller holds the client's setting.
func (d *Destination) settle(g *generation) {
	_, err := g.labels(d)
	switch {
	case err == nil:
		d.lost.Store(0)
	case d.lost.Load() == 0:
		d.lost.Store(time.Now().UnixNano())
		d.client.forgetLater()
	}
}

// forgetLater has the subsets that are lost forgotten when their time is over. The caller holds setting.
func (s *Client) forgetLater() {
	if !s.forgetting {
		s.forgetting = true
		time.AfterFunc(lostAfter, s.forget)
	}
}

// forget drops the subsets that were lost long enough ago.
func (s *Client) forget() {
	defer s.events.tell()
	s.setting.Lock()
	defer s.setting.Unlock()
	s.forgetting = false
	if s.ending.Load() {
		return
	}
	last := time.Now().Add(-lostAfter).UnixNano()
	s.each(func(d *Destination) {
		d.eachSubset(func(sub *Destination) {
			switch at := sub.lost.Load(); {
			case at == 0:
			case at > last:
				s.forgetLater()
			default:
				d.subsets.Delete(sub.subset)
				sub.drain()
			}
		})
	})
}

// drain takes all endpoints away. Who still watches the destination sees that.
func (d *Destination) drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.book.set([]discovery.Endpoint{})
	if eps := d.Endpoints(); eps != nil {
		d.publish(eps.absent)
	}
}
