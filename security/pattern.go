package security

import (
	"errors"
	"fmt"
	"strings"
)

// AllowMethods allows requests by what they ask for. A pattern is a path, exact or with a trailing * that stands for
// anything, and before it the HTTP method if not all of them are meant:
//
//	"/shop.Orders/Place"   one gRPC method
//	"/shop.Orders/*"       all methods of a gRPC service
//	"GET /items"           exactly this path, and not HEAD
//	"GET /items/*"         everything below, and not "/items" itself
//
// Methods and paths are compared as they are, in their case. A path that a later router could take for another one (with
// "//", "/./", "/../" or a backslash) fits no pattern, so that "/items/*" does not let "/items/../admin" pass. Who asks
// plays no part: combine it with [AllowID] by [All]. None given: nothing.
func AllowMethods(patterns ...string) *Rule {
	set := methodSet{exact: map[string][]string{}}
	var errs []error
	for _, s := range patterns {
		p, err := parsePattern(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("AllowMethods: %q: %w", shortened(s), err))
			continue
		}
		set.add(p)
	}
	return newRule("allow methods "+listed(patterns), errs, set.allows)
}

// anyMethod is in the list of methods of a pattern without one.
const anyMethod = ""

// pattern is one line of AllowMethods.
type pattern struct {
	method string
	path   string
	prefix bool // path is what stands before the *
}

func parsePattern(s string) (pattern, error) {
	p := pattern{path: s}
	if method, path, ok := strings.Cut(s, " "); ok {
		p.method, p.path = method, path
		if method == "" || strings.ContainsFunc(method, notInMethod) {
			return pattern{}, errors.New("a method is written in upper case, with one space after it")
		}
	}
	p.path, p.prefix = strings.CutSuffix(p.path, "*")
	switch {
	case !strings.HasPrefix(p.path, "/"):
		return pattern{}, errors.New("a path begins with a slash")
	case strings.ContainsAny(p.path, "*?#"):
		return pattern{}, errors.New("a path has no query, and a * at its end only")
	case strings.ContainsFunc(p.path, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return pattern{}, errors.New("a path has no spaces or control characters")
	case !clean(p.path):
		return pattern{}, errors.New(`a path with "//", "/./", "/../" or a backslash fits nothing`)
	}
	return p, nil
}

// notInMethod is true for what no method in use has; that GET differs from get is a trap better not left open.
func notInMethod(r rune) bool { return (r < 'A' || r > 'Z') && r != '-' && r != '_' }

// clean says whether a path means the same before and after a router has cleaned it.
func clean(path string) bool {
	if strings.IndexByte(path, '\\') >= 0 || strings.Contains(path, "//") {
		return false
	}
	return !strings.Contains(path, "/.") ||
		!(strings.Contains(path, "/./") || strings.Contains(path, "/../") || strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/.."))
}

// methodSet is what AllowMethods allows. Exact paths cost one look-up, however many there are.
type methodSet struct {
	exact    map[string][]string // methods by path
	prefixes []pattern
}

func (s *methodSet) add(p pattern) {
	if p.prefix {
		s.prefixes = append(s.prefixes, p)
		return
	}
	s.exact[p.path] = append(s.exact[p.path], p.method)
}

func (s *methodSet) allows(r *Request) bool {
	for _, m := range s.exact[r.Path] {
		if m == anyMethod || m == r.Method {
			return true
		}
	}
	for i := range s.prefixes {
		p := &s.prefixes[i]
		if strings.HasPrefix(r.Path, p.path) && (p.method == anyMethod || p.method == r.Method) {
			return clean(r.Path)
		}
	}
	return false
}
