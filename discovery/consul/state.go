package consul

import (
	"context"

	"github.com/intramesh/intramesh/discovery"
)

// state is what is known of a question. Each is made from the one before it.
type state struct {
	seq      uint64
	answered bool
	absent   bool
	set      []discovery.Endpoint
	news     *discovery.Update // of the step to this state; nil: none
	err      error             // why there is no newer answer; nil: there is
}

// answer is the state after a good answer.
func (s *state) answer(set []discovery.Endpoint, absent bool) *state {
	next := &state{seq: s.seq + 1, answered: true, absent: absent, set: set}
	next.news = next.since(s)
	return next
}

// failure is the state after none: what was said still holds.
func (s *state) failure(err error) *state {
	next := &state{seq: s.seq + 1, answered: s.answered, absent: s.absent, set: s.set, err: err}
	next.news = &discovery.Update{Kind: discovery.Failed, Err: err}
	return next
}

// since is the news for who knows of old: the first answer in full, then what differs.
func (s *state) since(old *state) *discovery.Update {
	switch {
	case !s.answered:
		return nil
	case s.absent && old.answered && old.absent:
		return nil
	case s.absent:
		return &discovery.Update{Kind: discovery.Absent}
	case !old.answered || old.absent:
		return &discovery.Update{Kind: discovery.Set, Endpoints: s.set}
	}
	if u, changed := discovery.Difference(old.set, s.set); changed {
		return &u
	}
	return nil
}

// tell hands one watcher what is new since last. Who has missed a state hears of the sum.
func (s *state) tell(ctx context.Context, last *state, fn func(discovery.Update)) {
	say := func(u *discovery.Update) {
		if u != nil && ctx.Err() == nil {
			fn(*u)
		}
	}
	if s.seq == last.seq+1 && (last.answered || s.news != nil && s.news.Kind == discovery.Failed) {
		say(s.news)
		return
	}
	say(s.since(last))
	if s.err != nil {
		say(&discovery.Update{Kind: discovery.Failed, Err: s.err})
	}
}
