package discovery

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Validate reports what is wrong with the endpoint: an address that is not "host:port" with a host and a port from 1 to
// 65535, nor "unix:" with a path, or an identity that is not a SPIFFE ID. The error names the field.
func (e Endpoint) Validate() error {
	return errors.Join(validAddr(e.Addr), validID(e.ID))
}

func validAddr(addr string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("addr %q: %s", addr, fmt.Sprintf(format, args...))
	}
	if addr == "" {
		return errors.New("addr is empty")
	}
	if strings.ContainsFunc(addr, isControl) {
		return bad("control characters")
	}
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		if path == "" {
			return bad("no path after unix:")
		}
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return bad(`want "host:port" or "unix:/path"`)
	}
	if err := validHost(host); err != nil {
		return bad("%v", err)
	}
	if n, ok := parsePort(port); !ok || n == 0 {
		return bad("port %q: want a number from 1 to 65535", port)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// parsePort reads a port without sign, space or leading "+", which strconv would let pass in other bases or widths.
func parsePort(s string) (uint16, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil
}

// validHost takes IP addresses and host names. Underscores are not of RFC 1123, but are in use in registries.
func validHost(host string) error {
	if host == "" {
		return errors.New("no host")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	name := strings.TrimSuffix(host, ".")
	if len(name) > 253 {
		return errors.New("host name of more than 253 bytes")
	}
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, labelBytes) != "" || strings.ContainsFunc(l, notInLabel) {
			return fmt.Errorf("host %q is neither an IP address nor a host name", host)
		}
	}
	// A name that ends in a number is a mistyped IP address: no top level domain is a number (RFC 3696, 2).
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("host %q is not an IP address", host)
	}
	return nil
}

const labelBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

func notInLabel(r rune) bool { return !strings.ContainsRune(labelBytes, r) }

func validID(id string) error {
	if id == "" {
		return nil
	}
	u, err := url.Parse(id)
	if err != nil || u.Scheme != "spiffe" || u.Host == "" || u.Port() != "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("id %q: want a SPIFFE ID, spiffe://trust-domain/path", id)
	}
	return nil
}

// validName takes what a client can ask for: a host as in a URL, with or without a port.
func validName(service string) error {
	if service == "" {
		return errors.New("the name of a service is empty")
	}
	if strings.ContainsFunc(service, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' }) {
		return fmt.Errorf("service %q: a name has no spaces, slashes or control characters", service)
	}
	return nil
}

// validSet checks the endpoints of one service, and that no two have the same address.
func validSet(service string, endpoints []Endpoint) error {
	seen := make(map[string]bool, len(endpoints))
	var errs []error
	for i, e := range endpoints {
		err := e.Validate()
		if err == nil && seen[e.Addr] {
			err = fmt.Errorf("addr %q is listed twice", e.Addr)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", service, i, err))
		}
		seen[e.Addr] = true
	}
	return errors.Join(errs...)
}

// prefixed puts the package's name and the source's kind in front of an error.
func prefixed(kind string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("discovery: %s: %w", kind, err)
}
