package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// shop is what the parent holds: the processes, the registry that lists them, who says who they are, and the visitors.
type shop struct {
	out      io.Writer
	dir      string
	opened   time.Time
	registry *registry
	issuer   *issuer
	ledgers  ledgers
	load     *load
	moments  moments

	mu        sync.Mutex
	processes map[string]*process
	names     map[string]string // of all processes that there ever were, by address
	troubles  []error
}

// openShop starts all processes; those that are called come before those that call.
func openShop(out io.Writer) (sh *shop, err error) {
	dir, err := os.MkdirTemp("", "quickstart-")
	if err != nil {
		return nil, err
	}
	sh = &shop{
		out: out, dir: dir, registry: newRegistry(dir), ledgers: ledgersIn(dir),
		processes: map[string]*process{}, names: map[string]string{},
	}
	defer func() {
		if err != nil {
			sh.close()
		}
	}()
	if sh.issuer, err = newIssuer(dir); err != nil {
		return nil, err
	}
	if err := sh.ledgers.create(); err != nil {
		return nil, err
	}
	for _, service := range []string{
		"inventory", "inventory", "inventory", "payments", "payments", "reviews", "orders", "web",
	} {
		if err := sh.start(service); err != nil {
			return nil, err
		}
	}
	sh.opened = time.Now()
	sh.load = newLoad("http://" + sh.process("web-1").addr)
	return sh, nil
}

// start runs one more process of a service, which gets an identity first, and lists it.
func (sh *shop) start(service string) error {
	name := sh.nextName(service)
	if err := sh.issuer.enrol(name, service); err != nil {
		return err
	}
	p, err := startProcess(service, name, sh.dir)
	if err != nil {
		return err
	}
	sh.mu.Lock()
	sh.processes[name] = p
	sh.names[p.addr] = name
	sh.mu.Unlock()
	go sh.watch(p)
	return sh.registry.add(service, p.addr)
}

// nextName numbers the processes of a service from 1; no number comes back.
func (sh *shop) nextName(service string) string {
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
func (sh *shop) watch(p *process) {
	<-p.done
	if !p.may.Load() {
		sh.mu.Lock()
		defer sh.mu.Unlock()
		sh.troubles = append(sh.troubles, fmt.Errorf("%s ended: %w", p.name, p.err))
	}
}

// trouble is what watch has noted.
func (sh *shop) trouble() error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return errors.Join(sh.troubles...)
}

func (sh *shop) process(name string) *process {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.processes[name]
}

// unlist takes a process off the list. It gets no further certificates.
func (sh *shop) unlist(p *process) error {
	sh.issuer.strike(p.name)
	return sh.registry.remove(p.service, p.addr)
}

// running are the processes that run and are to run on.
func (sh *shop) running() []*process {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var all []*process
	for _, p := range sh.processes {
		if !p.may.Load() {
			all = append(all, p)
		}
	}
	return all
}

// state is that of all processes together.
func (sh *shop) state() (state, error) {
	sum := newState()
	for _, p := range sh.running() {
		s, err := p.ask(question{})
		if err != nil {
			return sum, err
		}
		sum.merge(s)
	}
	return sum, nil
}

// close ends whatever runs and leaves nothing behind.
func (sh *shop) close() {
	sh.mu.Lock()
	all := slices.Collect(maps.Values(sh.processes))
	sh.mu.Unlock()
	var ended sync.WaitGroup
	for _, p := range all {
		ended.Go(p.end)
	}
	ended.Wait()
	_ = os.RemoveAll(sh.dir)
}
