package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// registry keeps the endpoint file that every process of the shop watches. In a real system this is what a platform
// does: it knows what runs where, and writes it down.
type registry struct {
	mu    sync.Mutex
	path  string
	addrs map[string][]entry // by service
}

// entry is a process as the file lists it.
type entry struct {
	Addr     string            `yaml:"addr"`
	Metadata map[string]string `yaml:"metadata"`
}

// endpointFile is where the registry of a run lies.
func endpointFile(dir string) string { return filepath.Join(dir, "endpoints.yaml") }

// create begins with a file in which nothing stands.
func (r *registry) create(dir string) error {
	r.path, r.addrs = endpointFile(dir), map[string][]entry{}
	return r.write()
}

// add lists the address of a process under its service.
func (r *registry) add(_ context.Context, p *shop.Process) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	labels := map[string]string{"version": p.Version}
	r.addrs[p.Service] = append(r.addrs[p.Service], entry{p.Addr, labels})
	return r.write()
}

// remove takes a process off the list, and out of the number of those that get certificates. Its service stays known,
// even when nothing is left of it.
func (r *registry) remove(sh *shop.Shop, p *shop.Process) error {
	sh.Strike(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs[p.Service] = slices.DeleteFunc(r.addrs[p.Service], func(e entry) bool { return e.Addr == p.Addr })
	return r.write()
}

// write replaces the file in one step, by rename, so that a reader sees the old one or the new one.
func (r *registry) write() error {
	text, err := yaml.Marshal(map[string]any{"services": r.addrs})
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(r.path+".new", r.path)
}
