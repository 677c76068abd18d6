package client

import (
	"net/url"
	"strings"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/stack"
)

// hosts decides which URLs are mesh calls, by configuration alone. Hosts are compared in lower case and without the dot
// that ends a fully qualified name: both spellings mean the same host to everybody else, too.
type hosts struct {
	all      bool // no discovery: every host is a destination with one endpoint
	exact    map[string]struct{}
	suffixes []string
	listed   map[string]string // the names of a lister as it spells them
}

func newHosts(cfg Config) hosts {
	h := hosts{all: cfg.Discovery == nil, exact: make(map[string]struct{}), listed: make(map[string]string)}
	for _, name := range cfg.Hosts {
		name = canonical(name)
		if strings.HasPrefix(name, ".") {
			h.suffixes = append(h.suffixes, name)
			continue
		}
		h.exact[name] = struct{}{}
	}
	if l, ok := cfg.Discovery.(discovery.Lister); ok {
		for _, s := range l.Services() {
			h.exact[canonical(stack.SplitPort(s))] = struct{}{}
			h.listed[strings.ToLower(s)] = s
		}
	}
	return h
}

func canonical(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// service is the name of the service that u asks for, and whether u is a mesh call at all.
func (h *hosts) service(u *url.URL) (string, bool) {
	host := canonical(u.Hostname())
	switch u.Scheme {
	case "mesh":
	case "http", "https":
		if !h.all && !h.has(host) {
			return "", false
		}
	default:
		return "", false
	}
	return h.spelled(withPort(host, u)), true
}

// spelled is the name as the source lists it.
func (h *hosts) spelled(service string) string {
	if s, ok := h.listed[service]; ok {
		return s
	}
	return service
}

// withPort adds the port unless it is what the scheme implies. An IPv6 address with a port has brackets.
func withPort(host string, u *url.URL) string {
	port := u.Port()
	switch {
	case port == "" || port == defaultPort(u.Scheme):
		return host
	case strings.Contains(host, ":"):
		return "[" + host + "]:" + port
	}
	return host + ":" + port
}

func (h *hosts) has(host string) bool {
	if _, ok := h.exact[host]; ok {
		return true
	}
	for _, s := range h.suffixes {
		if strings.HasSuffix(host, s) && len(host) > len(s) {
			return true
		}
	}
	return false
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}
