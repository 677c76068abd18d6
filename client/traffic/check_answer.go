package traffic

import (
	"fmt"
	"mime"
	"slices"
	"strings"
)

func (c *compiler) checkRedirect(r *Route) {
	d := r.Redirect
	c.in("Redirect")
	defer c.out()
	if d.Scheme != "" && d.Scheme != "http" && d.Scheme != "https" {
		c.bad("Scheme", d.Scheme, "must be http or https")
	}
	if d.Host != "" && !isHost(strings.Trim(d.Host, "[]")) {
		c.bad("Host", d.Host, "not a host without a port; there is a field for the port")
	}
	if d.Path != "" {
		c.checkNewPath("Path", d.Path, "#")
	}
	if d.Prefix != nil {
		c.checkPrefix("Prefix", *d.Prefix, "?#", r)
		if d.Path != "" {
			c.bad("Prefix", *d.Prefix, "more than one of Path and Prefix")
		}
	}
	if d.Status != 0 && !slices.Contains([]int{301, 302, 303, 307, 308}, d.Status) {
		c.bad("Status", d.Status, "must be 301, 302, 303, 307 or 308")
	}
	if (*d == Redirect{Status: d.Status}) {
		c.here(nil, "changes nothing, so that it leads to itself")
	}
}

// checkNewPath checks what a path is replaced by.
func (c *checker) checkNewPath(field, path, forbidden string) {
	switch {
	case path == "" || path[0] != '/':
		c.bad(field, path, `must begin with "/"`)
	case strings.ContainsAny(path, forbidden+" \r\n\t") || !isHeaderValue(path):
		c.bad(field, path, "must be a path as it travels: escaped, without "+strings.Join(strings.Split(forbidden, ""), " and "))
	}
}

// checkPrefix checks what a matched prefix is replaced by, and that every match names one.
func (c *compiler) checkPrefix(field, by, forbidden string, r *Route) {
	if by != "" {
		c.checkNewPath(field, by, forbidden)
	}
	if len(r.Match) == 0 {
		c.bad(field, by, "needs a Match whose Path is exact or a prefix")
	}
	for i := range r.Match {
		if op := r.Match[i].Path.Op; op != OpExact && op != OpPrefix && op != OpPathPrefix {
			c.bad(field, by, fmt.Sprintf("needs a Path that is exact or a prefix in every Match; Match[%d] has none", i))
		}
	}
}

// maxBody bounds the body of a [Response].
const maxBody = 1 << 20

func (c *checker) checkResponse(r *Response) {
	if r.Status < 200 || r.Status > 599 {
		c.bad("Status", r.Status, "must be 200 to 599")
	}
	if len(r.Body) > maxBody {
		c.bad("Body", nil, "must be at most 1 MiB")
	}
	if r.Body != "" && (r.Status == 204 || r.Status == 205 || r.Status == 304) {
		c.bad("Body", nil, fmt.Sprintf("an answer of %d has none", r.Status))
	}
	if r.ContentType != "" {
		if _, _, err := mime.ParseMediaType(r.ContentType); err != nil || !isHeaderValue(r.ContentType) {
			c.bad("ContentType", r.ContentType, "not a media type")
		}
	}
}

func (c *compiler) checkRewrite(r *Route) {
	w := r.Rewrite
	if w == nil {
		return
	}
	c.in("Rewrite")
	defer c.out()
	if w.Authority != "" {
		c.checkAuthority("Authority", w.Authority)
	}
	if w.Path != "" {
		c.checkNewPath("Path", w.Path, "?#")
	}
	if w.Prefix != nil {
		c.checkPrefix("Prefix", *w.Prefix, "?#", r)
	}
	if w.Regex != "" {
		c.checkSubstitution(w)
	} else if w.Substitution != "" {
		c.bad("Substitution", w.Substitution, "needs Regex")
	}
	paths := 0
	for _, is := range []bool{w.Path != "", w.Prefix != nil, w.Regex != ""} {
		if is {
			paths++
		}
	}
	if paths > 1 {
		c.here(nil, "more than one of Path, Prefix and Regex")
	}
	if *w == (Rewrite{}) {
		c.here(nil, "changes nothing")
	}
}

func (c *compiler) checkSubstitution(w *Rewrite) {
	re, err := compileRegex(w.Regex, c.regexes)
	if err != nil {
		c.bad("Regex", shortened(Value{Text: w.Regex}).Text, err.Error())
		return
	}
	if _, err := substitution(w.Substitution, re.groups); err != nil {
		c.bad("Substitution", w.Substitution, err.Error())
	}
	if strings.ContainsAny(w.Substitution, "?# ") || !isHeaderValue(w.Substitution) {
		c.bad("Substitution", w.Substitution, "must be of a path as it travels: escaped, without ? and #")
	}
}

// checkKey checks that a key names exactly one thing.
func (c *checker) checkKey(field string, k *Key) {
	c.in(field)
	defer c.out()
	count := 0
	for _, is := range []bool{k.Header != "", k.Cookie != nil, k.Query != "", k.Source, k.Context} {
		if is {
			count++
		}
	}
	if count != 1 {
		c.here(nil, "must have exactly one of Header, Cookie, Query, Source and Context")
	}
	if k.Header != "" {
		c.checkHeaderName("Header", k.Header)
	}
	if k.Cookie == nil {
		return
	}
	if !isToken(k.Cookie.Name) {
		c.bad("Cookie.Name", k.Cookie.Name, "not the name of a cookie")
	}
	if k.Cookie.TTL > maxDuration {
		c.duration("Cookie.TTL", k.Cookie.TTL)
	}
	if p := k.Cookie.Path; p != "" && (p[0] != '/' || !isHeaderValue(p) || strings.Contains(p, ";")) {
		c.bad("Cookie.Path", p, `must be a path, which begins with "/"`)
	}
}
