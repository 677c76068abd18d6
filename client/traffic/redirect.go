package traffic

import "strings"

// Location is the status and the Location of the route's [Redirect] for q; 0 and "" where it has none.
func (r *Rule) Location(q *Request) (status int, location string) {
	d := r.Route.Redirect
	if d == nil {
		return 0, ""
	}
	status = d.Status
	if status == 0 {
		status = 301
	}
	scheme := first(d.Scheme, q.Scheme, "http")
	host, port := splitPort(q.Authority)
	if d.Scheme != "" {
		port = 0
	}
	if d.Host != "" {
		host = d.Host
	}
	if d.Port != 0 {
		port = d.Port
	}
	if port == schemePort(scheme) {
		port = 0
	}
	if strings.Contains(host, ":") && port == 0 {
		host = "[" + host + "]"
	}
	return status, scheme + "://" + joinPort(host, port) + r.locationPath(q)
}

// locationPath is the path with the request's query, unless the policy gives a path with a query of its own.
func (r *Rule) locationPath(q *Request) string {
	path := rooted(q.Path)
	switch d := r.Route.Redirect; {
	case d.Path != "":
		path = d.Path
	case d.Prefix != nil:
		path = r.replacePrefix(path, *d.Prefix)
	}
	if q.RawQuery == "" || strings.Contains(path, "?") {
		return path
	}
	return path + "?" + q.RawQuery
}

func first(of ...string) string {
	for _, s := range of {
		if s != "" {
			return s
		}
	}
	return ""
}
