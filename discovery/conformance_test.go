package discovery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/discoverytest"
	"github.com/intramesh/intramesh/internal/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStaticConforms(t *testing.T) {
	discoverytest.Run(t, discoverytest.Harness{
		Open: func(_ *testing.T, content discoverytest.Content) discoverytest.Registry {
			return discoverytest.Registry{Source: discovery.Static(content)}
		},
	})
}

func TestFileConforms(t *testing.T) {
	discoverytest.Run(t, discoverytest.Harness{
		Open: func(t *testing.T, content discoverytest.Content) discoverytest.Registry {
			e := newEndpointFile(t, content)
			return discoverytest.Registry{
				Source: e.open(t),
				Set:    func(s string, endpoints []discovery.Endpoint) { e.content[s] = endpoints; e.write(e.json()) },
				Remove: func(s string) { delete(e.content, s); e.write(e.json()) },
				Fail:   func() { e.write([]byte("services: {orders: [oops")); e.logs.until("is bad") },
				Recover: func() {
					e.write(e.json())
					e.logs.until("is good again")
				},
			}
		},
	})
}

func TestDNSConforms(t *testing.T) {
	discoverytest.Run(t, discoverytest.Harness{
		Port:        8080,
		AddressOnly: true,
		Bubble:      synctest.Test,
		Open: func(t *testing.T, content discoverytest.Content) discoverytest.Registry {
			zone := newZone()
			for service, endpoints := range content {
				zone.set(hostOf(service), addrsOf(endpoints))
			}
			d, err := discovery.NewDNS(discovery.DNSConfig{Resolver: zone})
			if err != nil {
				t.Fatal(err)
			}
			return discoverytest.Registry{
				Source:  d,
				Set:     func(s string, endpoints []discovery.Endpoint) { zone.set(hostOf(s), addrsOf(endpoints)) },
				Remove:  func(s string) { zone.remove(hostOf(s)) },
				Fail:    func() { zone.fail(errors.New("server misbehaving")); time.Sleep(10 * time.Minute) },
				Recover: func() { zone.fail(nil) },
			}
		},
	})
}

// TestMergeConforms lists even endpoints in one registry and odd ones in another; the first knows the details.
func TestMergeConforms(t *testing.T) {
	for _, diffs := range []bool{false, true} {
		t.Run(fmt.Sprintf("diffs=%v", diffs), func(t *testing.T) {
			discoverytest.Run(t, discoverytest.Harness{
				Bubble: synctest.Test,
				Open: func(_ *testing.T, content discoverytest.Content) discoverytest.Registry {
					a, b := &memory{diffs: diffs}, &memory{diffs: diffs}
					set := func(s string, endpoints []discovery.Endpoint) {
						var even, odd []discovery.Endpoint
						for i, e := range endpoints {
							if i%2 == 0 {
								even = append(even, e)
								odd = append(odd, discovery.Endpoint{Addr: e.Addr, Zone: "overruled"})
							} else {
								odd = append(odd, e)
							}
						}
						b.set(s, odd)
						a.set(s, even)
					}
					a.set("-", nil)
					b.set("-", nil)
					for s, endpoints := range content {
						set(s, endpoints)
					}
					return discoverytest.Registry{
						Source:  discovery.Merge(a, discovery.Static{}, b),
						Set:     func(s string, e []discovery.Endpoint) { set(s, e); synctest.Wait() },
						Remove:  func(s string) { a.remove(s); b.remove(s) },
						Fail:    func() { a.fail(errors.New("away")); b.fail(errors.New("away")); time.Sleep(time.Hour) },
						Recover: func() { a.fail(nil); b.fail(nil) },
					}
				},
			})
		})
	}
}

// memory is a registry in memory. While it fails, watches end with an error.
type memory struct {
	diffs bool // report differences instead of sets
	now   snapshot.Value[memoryState]
}

type memoryState struct {
	content map[string][]discovery.Endpoint
	err     error
}

func (m *memory) change(f func(*memoryState)) {
	m.now.Update(func(old *memoryState) *memoryState {
		next := &memoryState{content: map[string][]discovery.Endpoint{}}
		if old != nil {
			next.content, next.err = maps.Clone(old.content), old.err
		}
		f(next)
		return next
	})
}

func (m *memory) set(service string, endpoints []discovery.Endpoint) {
	m.change(func(s *memoryState) { s.content[service] = slices.Clone(endpoints) })
}
func (m *memory) remove(service string) {
	m.change(func(s *memoryState) { delete(s.content, service) })
}
func (m *memory) fail(err error) { m.change(func(s *memoryState) { s.err = err }) }

func (m *memory) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	var last []discovery.Endpoint
	answered := false
	for {
		s, changed := m.now.Watch()
		if s.err != nil {
			return s.err
		}
		next, known := s.content[service]
		if ctx.Err() == nil {
			switch {
			case !known:
				fn(discovery.Update{Kind: discovery.Absent})
			case answered && m.diffs:
				fn(difference(last, next))
			default:
				fn(discovery.Update{Kind: discovery.Set, Endpoints: next})
			}
		}
		last, answered = next, known
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// difference replaces everything; it is a diff all the same.
func difference(last, next []discovery.Endpoint) discovery.Update {
	u := discovery.Update{Kind: discovery.Diff, Endpoints: next}
	for _, e := range last {
		if !slices.ContainsFunc(next, func(n discovery.Endpoint) bool { return n.Addr == e.Addr }) {
			u.Removed = append(u.Removed, e.Addr)
		}
	}
	return u
}

// zone is a name server.
type zone struct {
	mu      sync.Mutex
	hosts   map[string][]netip.Addr
	err     error
	denies  bool // says that no host exists
	lookups int
}

func newZone() *zone { return &zone{hosts: map[string][]netip.Addr{}} }

func (z *zone) change(f func()) {
	z.mu.Lock()
	defer z.mu.Unlock()
	f()
}

func (z *zone) set(host string, addrs []netip.Addr) { z.change(func() { z.hosts[host] = addrs }) }
func (z *zone) remove(host string)                  { z.change(func() { delete(z.hosts, host) }) }
func (z *zone) fail(err error)                      { z.change(func() { z.err = err }) }
func (z *zone) deny(yes bool)                       { z.change(func() { z.denies = yes }) }

func (z *zone) count() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.lookups
}

func (z *zone) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.lookups++
	addrs, known := z.hosts[host]
	switch {
	case network != "ip":
		return nil, fmt.Errorf("unexpected network %q", network)
	case z.err != nil:
		return nil, &net.DNSError{Err: z.err.Error(), Name: host, IsTemporary: true}
	case !known || z.denies:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

func hostOf(service string) string {
	host, _, err := net.SplitHostPort(service)
	if err != nil {
		return service
	}
	return host
}

func addrsOf(endpoints []discovery.Endpoint) []netip.Addr {
	var addrs []netip.Addr
	for _, e := range endpoints {
		addrs = append(addrs, netip.MustParseAddrPort(e.Addr).Addr())
	}
	return addrs
}

// endpointFile is a file that a File reads.
type endpointFile struct {
	t       *testing.T
	path    string
	content discoverytest.Content
	logs    *logged
}

func newEndpointFile(t *testing.T, content discoverytest.Content) *endpointFile {
	e := &endpointFile{t: t, path: filepath.Join(t.TempDir(), "endpoints.yaml"), content: maps.Clone(content), logs: newLogged(t)}
	e.write(e.json())
	return e
}

// open makes a source that relies on notices alone: polling is off.
func (e *endpointFile) open(t *testing.T) *discovery.File {
	f, err := discovery.NewFile(discovery.FileConfig{Path: e.path, Poll: -1, Logger: slog.New(e.logs)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// write puts another file in the place of the present one.
func (e *endpointFile) write(data []byte) {
	e.t.Helper()
	next := e.path + ".next"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		e.t.Fatal(err)
	}
	if err := os.Rename(next, e.path); err != nil {
		e.t.Fatal(err)
	}
}

func (e *endpointFile) json() []byte {
	e.t.Helper()
	type entry struct {
		Addr     string            `json:"addr"`
		Zone     string            `json:"zone,omitempty"`
		Region   string            `json:"region,omitempty"`
		Weight   uint32            `json:"weight,omitempty"`
		Metadata map[string]string `json:"metadata,omitempty"`
		ID       string            `json:"id,omitempty"`
	}
	services := map[string][]entry{}
	for name, endpoints := range e.content {
		services[name] = []entry{}
		for _, x := range endpoints {
			services[name] = append(services[name], entry(x))
		}
	}
	data, err := json.MarshalIndent(map[string]any{"services": services}, "", "\t")
	if err != nil {
		e.t.Fatal(err)
	}
	return data
}

// logged keeps what was logged.
type logged struct {
	t     *testing.T
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func newLogged(t *testing.T) *logged { return &logged{t: t, more: make(chan struct{}, 1000)} }

func (l *logged) Enabled(context.Context, slog.Level) bool { return true }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logged) WithGroup(string) slog.Handler            { return l }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	l.mu.Lock()
	l.lines = append(l.lines, line)
	l.mu.Unlock()
	l.more <- struct{}{}
	return nil
}

// until waits for the next line and checks that it contains text.
func (l *logged) until(text string) string {
	l.t.Helper()
	<-l.more
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.lines[0]
	l.lines = l.lines[1:]
	if !strings.Contains(line, text) {
		l.t.Errorf("logged %q, expected %q", line, text)
	}
	return line
}
