package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// Shop is what the parent holds: the processes, who says who they are, and the visitors.
type Shop struct {
	cfg     Config
	out     io.Writer
	dir     string
	opened  time.Time
	issuer  *issuer
	ledgers ledgers
	load    *load
	end     func() // of what Config.Open has begun; nil: nothing

	mu        sync.Mutex
	processes map[string]*Process
	names     map[string]string // of all processes that there ever were, by address
	troubles  []error
}

// openShop makes a shop whose processes all serve. An error leaves nothing behind.
func openShop(ctx context.Context, cfg Config, out io.Writer) (*Shop, error) {
	dir, err := os.MkdirTemp("", cfg.Name+"-")
	if err != nil {
		return nil, err
	}
	sh := &Shop{
		cfg: cfg, out: out, dir: dir, ledgers: ledgersIn(dir),
		processes: map[string]*Process{}, names: map[string]string{},
	}
	if err := sh.open(ctx); err != nil {
		sh.close()
		return nil, err
	}
	return sh, nil
}

// open starts all processes; those that are called come before those that call.
func (sh *Shop) open(ctx context.Context) (err error) {
	if sh.issuer, err = newIssuer(sh.dir); err != nil {
		return err
	}
	if err := sh.ledgers.create(); err != nil {
		return err
	}
	if sh.cfg.Open != nil {
		if sh.end, err = sh.cfg.Open(ctx, sh.dir, sh.out); err != nil {
			return err
		}
	}
	for _, service := range startOrder {
		for range sh.cfg.instances(service) {
			if err := sh.Start(ctx, service); err != nil {
				return err
			}
		}
	}
	sh.opened = time.Now()
	sh.load = newLoad("http://" + sh.Process("web-1").Addr)
	return nil
}

// firstVersion is that of all processes at first.
const firstVersion = "v1"

// Start runs one more process of a service, which gets an identity first, and returns when others can find it.
func (sh *Shop) Start(ctx context.Context, service string) error {
	return sh.StartVersion(ctx, service, firstVersion)
}

// StartVersion is Start for a process of another version. All of them are the same program; it is for the registry to say.
func (sh *Shop) StartVersion(ctx context.Context, service, version string) error {
	name := sh.nextName(service)
	if err := sh.issuer.enrol(name, service); err != nil {
		return err
	}
	p, err := sh.cfg.startProcess(ctx, service, version, name, sh.dir)
	if err != nil {
		return err
	}
	sh.mu.Lock()
	sh.processes[name] = p
	sh.names[p.Addr] = name
	sh.mu.Unlock()
	go sh.watch(p)
	if sh.cfg.List == nil {
		return nil
	}
	return sh.cfg.List(ctx, p)
}

// nextName numbers the processes of a service from 1; no number comes back.
func (sh *Shop) nextName(service string) string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for i := 1; ; i++ {
		name := fmt.Sprintf("%s-%d", service, i)
		if _, taken := sh.processes[name]; !taken {
			return name
		}
	}
}

// watch notes the end of a process that nobody wanted.
func (sh *Shop) watch(p *Process) {
	<-p.done
	if !p.may.Load() {
		sh.mu.Lock()
		defer sh.mu.Unlock()
		sh.troubles = append(sh.troubles, fmt.Errorf("%s ended: %w", p.Name, p.err))
	}
}

// trouble is what watch has noted.
func (sh *Shop) trouble() error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return errors.Join(sh.troubles...)
}

// Process is the process of a name, also where it has ended.
func (sh *Shop) Process(name string) *Process {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.processes[name]
}

// Running are the processes that run and are to run on.
func (sh *Shop) Running() []*Process {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var all []*Process
	for _, p := range sh.processes {
		if !p.may.Load() {
			all = append(all, p)
		}
	}
	return all
}

// State is that of all processes together.
func (sh *Shop) State() (State, error) {
	sum := newState()
	for _, p := range sh.Running() {
		s, err := p.Ask()
		if err != nil {
			return sum, err
		}
		sum.merge(s)
	}
	return sum, nil
}

// close ends whatever runs and leaves nothing behind.
func (sh *Shop) close() {
	sh.mu.Lock()
	all := slices.Collect(maps.Values(sh.processes))
	sh.mu.Unlock()
	var ended sync.WaitGroup
	for _, p := range all {
		if sh.cfg.Leave {
			ended.Go(p.Drain)
		} else {
			ended.Go(p.end)
		}
	}
	ended.Wait()
	if sh.end != nil {
		sh.end()
	}
	_ = os.RemoveAll(sh.dir)
}
