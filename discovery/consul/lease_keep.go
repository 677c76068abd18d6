package consul

import (
	"context"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/internal/again"
)

// start begins to keep the instance registered.
func (l *lease) start() {
	ctx, cancel := context.WithCancel(context.Background())
	talk, hush := context.WithCancel(ctx)
	l.cancel, l.hush = cancel, hush
	go l.run(talk, ctx)
}

// stop ends that at once, and changes nothing in Consul.
func (l *lease) stop() {
	l.cancel()
	<-l.done
}

// run looks every second whether readiness has changed, which costs nothing, and speaks to the agent when it has and when
// it is time; less often than every second while the agent does not listen.
func (l *lease) run(talk, ctx context.Context) {
	defer close(l.done)
	look := min(l.every, time.Second)
	tick := time.NewTicker(look)
	defer tick.Stop()
	pauses, bad := again.BackOff(), ""
	// No look is on the dot: what is due within half of the time to the next one is due. Were it late by the time that the
	// agent took to answer, every word would have to wait for the look after it.
	due := func(since time.Time, pause time.Duration) time.Time { return since.Add(pause - look/2) }
	next := due(time.Now(), l.every)
	for {
		select {
		case <-talk.Done():
			return
		case <-tick.C:
		}
		if time.Now().Before(next) && (bad != "" || l.up() == l.said) {
			continue
		}
		began := time.Now()
		err := l.keep(talk, ctx)
		if talk.Err() != nil {
			return
		}
		if err == nil {
			pauses.Reset()
			next = due(began, l.every)
		} else {
			next = due(time.Now(), min(l.every, pauses.NextBackOff()))
		}
		bad = l.report(bad, err)
	}
}

func (l *lease) up() bool { return l.ready() && !l.draining.Load() }

// keep tells the agent how the instance is, and everything where it has forgotten it. The end of talk does not cut that off.
func (l *lease) keep(talk, ctx context.Context) error {
	err := l.request(talk, l.speak)
	if forgotten(err) && talk.Err() == nil {
		l.plane.cfg.Logger.Info("discovery: consul has lost an instance; registering again", "id", l.reg.ID)
		err = l.request(ctx, l.announce)
	}
	return err
}

// speak updates the TTL checks, or only looks whether the instance is there. With a new token it registers again: the agent
// tells its servers of an instance with the token of its registration, and that one may end.
func (l *lease) speak(o *api.QueryOptions) error {
	if o.Token != l.token {
		return l.announce(o)
	}
	up := l.up()
	spoken, err := l.tell(up, o)
	if !spoken {
		_, _, err = l.plane.api.Agent().Service(l.reg.ID, o)
	}
	if err != nil {
		return err
	}
	l.said = up
	if l.draining.Load() && !l.maintained {
		return l.maintain(o)
	}
	return nil
}

// tell updates the TTL checks, and says whether there are any.
func (l *lease) tell(up bool, o *api.QueryOptions) (spoken bool, err error) {
	for _, c := range l.reg.Checks {
		if c.TTL == "" {
			continue
		}
		spoken = true
		if err := l.plane.api.Agent().UpdateTTLOpts(c.CheckID, note(up), status(up), o); err != nil {
			return spoken, err
		}
	}
	return spoken, nil
}

// announce registers the instance, and its maintenance where it drains. TTL checks are told how it is, too: that is what an
// agent remembers which restarts, and not what the registration says of them.
func (l *lease) announce(o *api.QueryOptions) error {
	up := l.up()
	for _, c := range l.reg.Checks {
		c.Status = status(up)
	}
	l.maintained = false
	opts := api.ServiceRegisterOpts{ReplaceExistingChecks: true, Token: o.Token}.WithContext(o.Context())
	if err := l.plane.api.Agent().ServiceRegisterOpts(l.reg, opts); err != nil {
		return err
	}
	if _, err := l.tell(up, o); err != nil {
		return err
	}
	l.said, l.token = up, o.Token
	if l.draining.Load() {
		return l.maintain(o)
	}
	return nil
}

// report logs each problem once, and its end, and returns what the problem is now.
func (l *lease) report(last string, err error) string {
	log, now := l.plane.cfg.Logger, ""
	if err != nil {
		now = explain(err).Error()
	}
	switch now {
	case last:
	case "":
		log.Info("discovery: consul: an instance is registered as it should be again", "id", l.reg.ID)
	default:
		log.Warn("discovery: consul: an instance cannot be kept registered", "id", l.reg.ID, "error", now)
	}
	return now
}

func status(ready bool) string {
	if ready {
		return api.HealthPassing
	}
	return api.HealthCritical
}

func note(ready bool) string {
	if ready {
		return "ready"
	}
	return "not ready"
}
