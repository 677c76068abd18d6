package manifest

import (
	"maps"
	"net"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
)

// redirect is the redirection of a route.
func (x *istio) redirect(r *httpRoute) *traffic.Redirect {
	d := r.GetRedirect()
	to := &traffic.Redirect{
		Scheme: d.GetScheme(), Path: d.GetUri(), Port: uint16(d.GetPort()), Status: int(d.GetRedirectCode()),
	}
	to.Host = d.GetAuthority()
	if host, port, err := net.SplitHostPort(d.GetAuthority()); err == nil {
		n, _ := strconv.ParseUint(port, 10, 16)
		to.Host = host
		if to.Port == 0 {
			to.Port = uint16(n)
		}
	}
	if p := d.GetPrefixRewrite(); p != "" {
		to.Prefix = &p
	}
	if to.Port == 0 {
		to.Port = x.redirectPort(r, to)
	}
	return to
}

// redirectPort is the port of a location that names none. Another host is at the usual port of what callers speak to a
// sidecar, plain HTTP; the same host stays at its port. The request's port is known to the policy where no scheme is given
// that has one of its own.
func (x *istio) redirectPort(r *httpRoute, to *traffic.Redirect) uint16 {
	d := r.GetRedirect()
	_, derive := d.GetRedirectPort().(*networking.HTTPRedirect_DerivePort)
	if to.Scheme != "" {
		if derive && d.GetDerivePort() == networking.HTTPRedirect_FROM_REQUEST_PORT {
			return x.matchedPort(r)
		}
		return 0
	}
	if derive && d.GetDerivePort() == networking.HTTPRedirect_FROM_PROTOCOL_DEFAULT || !derive && to.Host != "" {
		return 80
	}
	return 0
}

// matchedPort is the one port of all matches.
func (x *istio) matchedPort(r *httpRoute) uint16 {
	var port uint32
	for i, m := range r.matches {
		if i > 0 && m.GetPort() != port {
			port = 0
			break
		}
		port = m.GetPort()
	}
	if port == 0 {
		x.refuse(r.o, r.field+".redirect.derivePort", "the request's port is not known beside another scheme: give port, or a match for one port")
	}
	return uint16(port)
}

// checkRedirect holds Istio's rules for redirections.
func (x *istio) checkRedirect(o *Object, at string, d *networking.HTTPRedirect) {
	if d == nil {
		return
	}
	if d.GetUri() == "" && d.GetAuthority() == "" && d.GetRedirectPort() == nil && d.GetScheme() == "" && d.GetPrefixRewrite() == "" {
		x.wrong(o, at, "one of uri, prefixRewrite, authority, scheme and port is needed")
	}
	if d.GetUri() != "" && d.GetPrefixRewrite() != "" {
		x.wrong(o, at+".prefixRewrite", "uri and prefixRewrite cannot be given together")
	}
	switch code := d.GetRedirectCode(); {
	case code == 0 || code == 301 || code == 302 || code == 303 || code == 307 || code == 308:
	case code >= 300 && code < 400:
		x.refuse(o, at+".redirectCode", "%d: Istio, too, only knows 301, 302, 303, 307 and 308", code)
	default:
		x.wrong(o, at+".redirectCode", "%d: want 301, 302, 303, 307 or 308", code)
	}
	if s := d.GetScheme(); s != "" && s != "http" && s != "https" {
		x.wrong(o, at+".scheme", "%q: want http or https", s)
	}
	if _, is := d.GetRedirectPort().(*networking.HTTPRedirect_Port); is {
		x.checkPort(o, at+".port", d.GetPort())
	}
}

// respond is an answer that asks nobody. A content-type among the headers is the one of its body.
func respond(d *networking.HTTPDirectResponse, headers *traffic.HeaderOps) *traffic.Response {
	to := &traffic.Response{Status: int(d.GetStatus())}
	switch body := d.GetBody().GetSpecifier().(type) {
	case *networking.HTTPBody_String_:
		to.Body = body.String_
	case *networking.HTTPBody_Bytes:
		to.Body = string(body.Bytes)
	}
	for name, value := range headers.Set {
		if strings.EqualFold(name, "content-type") && to.Body != "" {
			to.ContentType = value
			headers.Set = maps.Clone(headers.Set)
			delete(headers.Set, name)
		}
	}
	return to
}

// maxDirect is the largest body of an answer: 1 MiB, as in Istio.
const maxDirect = 1 << 20

func (x *istio) checkResponse(o *Object, at string, d *networking.HTTPDirectResponse) {
	if d == nil {
		return
	}
	if s := d.GetStatus(); s < 200 || s > 599 {
		x.wrong(o, at+".status", "%d: want 200 to 599", s)
	}
	size := len(d.GetBody().GetString_()) + len(d.GetBody().GetBytes())
	if size > maxDirect {
		x.wrong(o, at+".body", "%d bytes, and Istio takes at most 1 MiB", size)
	}
	if s := d.GetStatus(); size > 0 && (s == 204 || s == 205 || s == 304) {
		x.wrong(o, at+".body", "an answer of %d has no body", s)
	}
}

// checkRewrite holds Istio's rules for rewrites.
func (x *istio) checkRewrite(o *Object, at string, w *networking.HTTPRewrite) {
	if w == nil {
		return
	}
	re := w.GetUriRegexRewrite()
	switch {
	case w.GetUri() == "" && re == nil && w.GetAuthority() == "":
		x.wrong(o, at, "one of uri, uriRegexRewrite and authority is needed")
	case w.GetUri() != "" && re != nil:
		x.wrong(o, at+".uriRegexRewrite", "uri and uriRegexRewrite cannot be given together")
	}
	if re == nil {
		return
	}
	if re.GetMatch() == "" || re.GetRewrite() == "" {
		x.wrong(o, at+".uriRegexRewrite", "match and rewrite are both needed")
		return
	}
	x.checkRegex(o, at+".uriRegexRewrite.match", re.GetMatch())
}
