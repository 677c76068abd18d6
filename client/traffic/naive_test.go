package traffic

import (
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// The naive evaluator reads a policy as the comments of its fields say, one route after the other, and shares no code with
// the table.

type naiveHeader map[string][]string // names in lower case

func (h naiveHeader) Lookup(lower, _ string) (string, bool) {
	if v := h[lower]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// naiveMatch is the first route and match that hold: -1 where none does, or where the route has no match.
func naiveMatch(p Policy, local Local, q *Request) (route, match int) {
	for i, r := range p.Routes {
		if !naiveHosts(r.Hosts, q) {
			continue
		}
		if len(r.Match) == 0 {
			return i, -1
		}
		for j, m := range r.Match {
			if naiveHolds(m, local, q) {
				return i, j
			}
		}
	}
	return -1, -1
}

func naivePort(q *Request) (name, port string) {
	name = q.Service
	if host, p, err := net.SplitHostPort(q.Service); err == nil {
		name, port = host, p
	} else if q.Scheme == "http" {
		port = "80"
	} else if q.Scheme == "https" {
		port = "443"
	}
	return strings.ToLower(name), port
}

func naiveHosts(hosts []string, q *Request) bool {
	if len(hosts) == 0 {
		return true
	}
	name, port := naivePort(q)
	for _, pattern := range hosts {
		if host, p, err := net.SplitHostPort(pattern); err == nil {
			if p != port {
				continue
			}
			pattern = host
		}
		pattern = strings.ToLower(pattern)
		below := strings.HasPrefix(pattern, "*.") && strings.HasSuffix(name, pattern[1:]) && name != pattern[1:]
		if pattern == "*" || pattern == name || below {
			return true
		}
	}
	return false
}

func naiveHolds(m Match, local Local, q *Request) bool {
	if m.GRPC != nil {
		i := strings.LastIndex(q.Path, "/")
		if !q.GRPC || i < 1 || !naiveText(m.GRPC.Service, q.Path[1:i]) || !naiveText(m.GRPC.Method, q.Path[i+1:]) {
			return false
		}
	}
	if m.Port != 0 {
		if _, port := naivePort(q); port != strconv.Itoa(int(m.Port)) {
			return false
		}
	}
	if m.Scheme != (Value{}) && (q.GRPC || !naiveText(m.Scheme, q.Scheme)) {
		return false
	}
	if !naiveText(m.Authority, q.Authority) || !naiveText(m.Path, q.Path) || !naiveText(m.Method, q.Method) {
		return false
	}
	for _, f := range m.Headers {
		value, ok := "", false
		for name, values := range q.Header.(naiveHeader) {
			if strings.EqualFold(name, f.Name) && len(values) > 0 {
				value, ok = values[0], true
			}
		}
		if naiveField(f, value, ok) == f.Not {
			return false
		}
	}
	query, _ := url.ParseQuery(q.RawQuery)
	for _, f := range m.Query {
		values := query[f.Name]
		if naiveField(f, query.Get(f.Name), len(values) > 0) == f.Not {
			return false
		}
	}
	for name, value := range m.Source {
		if v, ok := local.Labels[name]; !ok || v != value {
			return false
		}
	}
	return true
}

func naiveField(f Field, value string, ok bool) bool {
	switch f.Value.Op {
	case OpPresent:
		return ok
	case OpAbsent:
		return !ok
	}
	return ok && naiveText(f.Value, value)
}

func naiveText(v Value, s string) bool {
	want := v.Text
	if v.IgnoreCase {
		s, want = strings.ToLower(s), strings.ToLower(want)
	}
	switch v.Op {
	case OpExact:
		return s == want
	case OpPrefix:
		return strings.HasPrefix(s, want)
	case OpPathPrefix:
		want = strings.TrimRight(want, "/")
		return s == want || strings.HasPrefix(s, want+"/")
	case OpSuffix:
		return strings.HasSuffix(s, want)
	case OpRegex:
		loc := regexp.MustCompile("^(?:" + v.Text + ")$").FindStringIndex(s)
		return loc != nil
	}
	return true
}
