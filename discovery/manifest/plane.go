package manifest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/filewatch"
	"github.com/intramesh/intramesh/internal/snapshot"
)

// Plane is manifests that are followed: a [discovery.Source] of the endpoints that they define and a [traffic.Source] of
// their policy. It is safe for use by many goroutines. Close ends it.
type Plane struct {
	cfg Config
	dns *discovery.DNS
	now snapshot.Value[moment]

	closing sync.Once
	closed  chan struct{} // closed by Close
	ended   chan struct{} // closed when the loop has ended
}

// moment is what is known at one time.
type moment struct {
	state    *State   // the last good one
	findings Findings // of the last reading
	err      error    // why the last reading was not good; nil where it was
}

// brief is the first reason why the last reading was not good, and how many more there are: watches of a thousand services
// hear of it.
func (m *moment) brief() error {
	first, more := error(nil), -1
	for _, f := range m.findings {
		if f.Severity == Error {
			if more++; first == nil {
				first = f
			}
		}
	}
	switch {
	case first == nil:
		return m.err
	case more == 0:
		return fmt.Errorf("manifest: %w", first)
	}
	return fmt.Errorf("manifest: %w (and %d more)", first, more)
}

var (
	_ discovery.Source = (*Plane)(nil)
	_ discovery.Lister = (*Plane)(nil)
	_ traffic.Source   = (*Plane)(nil)
)

// Open reads files and folders and begins to follow them, with the defaults of [Config].
func Open(paths ...string) (*Plane, error) { return New(Config{Paths: paths}) }

// New reads manifests and begins to follow them. The error joins every [Finding] that is an error; warnings are logged.
func New(cfg Config) (*Plane, error) {
	if err := cfg.ready(); err != nil {
		return nil, err
	}
	w, err := filewatch.New()
	if err != nil { // out of inotify instances, say: no reason not to work
		cfg.Logger.Warn("manifest: no notice of file changes; polling", "paths", cfg.Paths, "error", err)
	}
	p, err := open(cfg, w)
	if err != nil {
		w.Close()
		return nil, err
	}
	return p, nil
}

// open takes a nil watcher where files are only to be polled. It watches before it reads, so that no change falls in between.
func open(cfg Config, w *filewatch.Watcher) (*Plane, error) {
	p := &Plane{cfg: cfg, closed: make(chan struct{}), ended: make(chan struct{})}
	var err error
	if p.dns, err = discovery.NewDNS(cfg.DNS); err != nil {
		return nil, fmt.Errorf("manifest: Config.DNS: %w", err)
	}
	r, err := newReloader(p, w)
	if err != nil {
		return nil, err
	}
	r.follow()
	if err := r.first(); err != nil {
		return nil, err
	}
	poll := cfg.Poll
	if poll == 0 {
		poll = 30 * time.Second
	}
	go r.run(poll)
	return p, nil
}

// Policy is the policy in force. It must not be changed.
func (p *Plane) Policy() traffic.Policy { return p.now.Load().state.Policy }

// State is what the manifests said when they were last good.
func (p *Plane) State() *State { return p.now.Load().state }

// Findings are those of the last reading, warnings too, and why it was not good; nil where it was.
func (p *Plane) Findings() (Findings, error) {
	m := p.now.Load()
	return m.findings, m.err
}

// Services lists the names under which services are known now, see [State.Services].
func (p *Plane) Services() []string { return p.State().Services() }

// WatchTraffic tells fn the policy in force, each one that comes after it, and of manifests that are bad.
func (p *Plane) WatchTraffic(ctx context.Context, fn func(traffic.Update)) error {
	var told *traffic.Policy
	var trouble error
	for {
		m, changed := p.now.Watch()
		if m.state.policy != told || trouble != nil && m.err == nil {
			told, trouble = m.state.policy, nil
			fn(traffic.Update{Policy: *told})
		}
		if m.err != nil && !errors.Is(m.err, trouble) && ctx.Err() == nil {
			trouble = m.err
			fn(traffic.Update{Err: m.err})
		}
		if over, err := p.wait(ctx, changed); over {
			return err
		}
	}
}

// Watch tells fn the endpoints of a service as the manifests define them: by its short name in the namespace of this
// process, "name.namespace", or its full name, each with the number of one of its ports behind it or without. When the Plane
// is closed it ends with an error that is [fs.ErrClosed].
func (p *Plane) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	w := newWatch(ctx, p, service, fn)
	defer w.end()
	var trouble error
	for {
		m, changed := p.now.Watch()
		w.look(m.state)
		switch {
		case m.err != nil && !errors.Is(m.err, trouble):
			w.failed(m.brief())
		case m.err == nil && trouble != nil:
			w.recovered()
		}
		trouble = m.err
		if over, err := p.wait(ctx, changed); over {
			return err
		}
	}
}

// wait waits for a change. It reports whether the watch is over, and with what error.
func (p *Plane) wait(ctx context.Context, changed <-chan struct{}) (bool, error) {
	select {
	case <-ctx.Done():
		return true, nil
	case <-changed:
		return ctx.Err() != nil, nil
	case <-p.closed:
		if ctx.Err() != nil {
			return true, nil //nolint:nilerr // that is how a Watch ends
		}
		return true, fmt.Errorf("manifest: %w", fs.ErrClosed)
	}
}

// Close stops following the files and ends all watches. It may be called many times.
func (p *Plane) Close() error {
	p.closing.Do(func() { close(p.closed) })
	<-p.ended
	return nil
}
