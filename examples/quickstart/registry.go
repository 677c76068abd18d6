package main

import (
	"os"
	"path/filepath"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"
)

// registry keeps the endpoint file that every process of the shop watches. In a real system this is what a platform
// does: it knows what runs where, and writes it down.
type registry struct {
	path string

	mu    sync.Mutex
	addrs map[string][]string // by service
}

// endpointFile is where the registry of a run lies.
func endpointFile(dir string) string { return filepath.Join(dir, "endpoints.yaml") }

func newRegistry(dir string) *registry {
	return &registry{path: endpointFile(dir), addrs: map[string][]string{}}
}

// add lists an address under a service.
func (r *registry) add(service, addr string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs[service] = append(r.addrs[service], addr)
	return r.write()
}

// remove takes an address off the list of a service. The service stays known, even when nothing is left of it.
func (r *registry) remove(service, addr string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs[service] = slices.DeleteFunc(r.addrs[service], func(a string) bool { return a == addr })
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
