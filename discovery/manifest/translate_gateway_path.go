package manifest

import (
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// redirect is a redirection.
func (g *gatewayRoutes) redirect(o *Object, field string, f *gateway.HTTPRequestRedirectFilter, prefix bool) *traffic.Redirect {
	before := len(g.findings)
	d := &traffic.Redirect{Status: 302, Scheme: value(f.Scheme), Host: g.hostname(o, field+".hostname", f.Hostname)}
	if f.Scheme != nil && d.Scheme != "http" && d.Scheme != "https" {
		g.wrong(o, field+".scheme", "%.20q: want http or https", d.Scheme)
	}
	if f.Port != nil {
		if *f.Port < 1 || *f.Port > 65535 {
			g.wrong(o, field+".port", "%d: want 1 to 65535", *f.Port)
		}
		d.Port = uint16(*f.Port)
	}
	if f.StatusCode != nil {
		switch d.Status = *f.StatusCode; d.Status {
		case 301, 302, 303, 307, 308:
		default:
			g.wrong(o, field+".statusCode", "%d: want 301, 302, 303, 307 or 308", d.Status)
			d.Status = 302
		}
	}
	d.Path, d.Prefix = g.newPath(o, field+".path", f.Path, prefix)
	if len(g.findings) == before {
		g.vet(o, field, traffic.Route{Match: anyPrefix, Redirect: d})
	}
	return d
}

// rewrite is a rewrite; nil where it is wrong, or changes nothing.
func (g *gatewayRoutes) rewrite(o *Object, field string, f *gateway.HTTPURLRewriteFilter, prefix bool) *traffic.Rewrite {
	before := len(g.findings)
	w := &traffic.Rewrite{Authority: g.hostname(o, field+".hostname", f.Hostname)}
	w.Path, w.Prefix = g.newPath(o, field+".path", f.Path, prefix)
	switch {
	case len(g.findings) > before:
		return nil
	case *w == traffic.Rewrite{}:
		g.warn(o, field, "changes nothing")
		return nil
	}
	g.vet(o, field, traffic.Route{Match: anyPrefix, Rewrite: w})
	return w
}

// anyPrefix stands for the match that a replaced prefix needs.
var anyPrefix = []traffic.Match{{Path: traffic.PathPrefix("/")}}

// newPath is what replaces the whole path, or the prefix that the rule's match names. A path begins with "/", whether the
// manifest says so or not.
func (g *gatewayRoutes) newPath(o *Object, field string, m *gateway.HTTPPathModifier, prefix bool) (path string, by *string) {
	if m == nil {
		return "", nil
	}
	full, part := m.ReplaceFullPath, m.ReplacePrefixMatch
	for _, x := range []struct {
		of   gateway.HTTPPathModifierType
		name string
		text *string
	}{
		{gateway.FullPathHTTPPathModifier, "replaceFullPath", full}, {gateway.PrefixMatchHTTPPathModifier, "replacePrefixMatch", part},
	} {
		switch {
		case x.text != nil && m.Type != x.of:
			g.wrong(o, field+"."+x.name, "needs the type %s", x.of)
		case x.text == nil && m.Type == x.of:
			g.wrong(o, field, "the type %s needs %s", x.of, x.name)
		case x.text != nil && len(*x.text) > maxPath:
			g.wrong(o, field+"."+x.name, "%d characters; at most %d", len(*x.text), maxPath)
		}
	}
	switch {
	case m.Type == "":
		g.wrong(o, field, "no type")
	case m.Type == gateway.FullPathHTTPPathModifier && full != nil:
		return rooted(*full), nil
	case m.Type == gateway.PrefixMatchHTTPPathModifier && part != nil && !prefix:
		g.wrong(o, field+".replacePrefixMatch", "needs a rule with exactly one match, whose path is a PathPrefix")
	case m.Type == gateway.PrefixMatchHTTPPathModifier && part != nil:
		text := *part
		if text != "" {
			text = rooted(text)
		}
		return "", &text
	}
	return "", nil
}

func rooted(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}
