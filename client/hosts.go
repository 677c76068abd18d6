package client

import (
	"net/url"
	"strings"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/stack"
)

// hosts decides which URLs are mesh calls, by configuration alone.
type hosts struct {
	all      bool // no discovery: every host is a destination with one endpoint
	exact    map[string]struct{}
	suffixes []string
}

func newHosts(cfg Config) hosts {
	h := hosts{all: cfg.Discovery == nil, exact: make(map[string]struct{})}
	for _, name := range cfg.Hosts {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, ".") {
			h.suffixes = append(h.suffixes, name)
			continue
		}
		h.exact[name] = struct{}{}
	}
	if l, ok := cfg.Discovery.(discovery.Lister); ok {
		for _, s := range l.Services() {
			h.exact[strings.ToLower(stack.SplitPort(s))] = struct{}{}
		}
	}
	return h
}

// service is the name of the service that u asks for, and whether u is a mesh call at all.
func (h *hosts) service(u *url.URL) (string, bool) {
	host := strings.ToLower(u.Hostname())
	switch u.Scheme {
	case "mesh":
	case "http", "https":
		if !h.all && !h.has(host) {
			return "", false
		}
	default:
		return "", false
	}
	port := u.Port()
	if port == "" || port == defaultPort(u.Scheme) {
		return host, true
	}
	// The host as it stands in the URL, so that an IPv6 address keeps its brackets.
	return strings.ToLower(u.Host), true
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
