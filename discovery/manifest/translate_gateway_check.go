package manifest

import (
	"errors"
	"regexp"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// The patterns of the API's definitions (CRDs), but for names, which isName and isLabel know.
var (
	kindPattern     = regexp.MustCompile(`^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$`)
	headerPattern   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+\\-.^_\x60|~]+$")
	durationPattern = regexp.MustCompile(`^([0-9]{1,5}(h|m|s|ms)){1,4}$`)
	pathPattern     = regexp.MustCompile(`^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$`)
	grpcServiceText = regexp.MustCompile(`^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$`)
	grpcMethodText  = regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]*$`)
)

// The API's bounds for texts, in bytes.
const (
	maxHeaderName     = 256
	maxHeaderValue    = 4096
	maxParameterValue = 1024
	maxPath           = 1024
)

// atMost checks the length of a list.
func (g *gatewayRoutes) atMost(o *Object, field string, n, most int) {
	if n > most {
		g.wrong(o, field, "%d entries; at most %d", n, most)
	}
}

// checkName checks the name of a rule or a section.
func (g *gatewayRoutes) checkName(o *Object, field, name string) {
	if !isName(name) {
		g.wrong(o, field, "%.64q: want lower case letters, digits, \"-\" and \".\"", name)
	}
}

// checkText checks the length of a text that must not be empty.
func (g *gatewayRoutes) checkText(o *Object, field, text string, most int) {
	switch {
	case text == "":
		g.wrong(o, field, "must not be empty")
	case len(text) > most:
		g.wrong(o, field, "%d characters; at most %d", len(text), most)
	}
}

// checkHeader checks the name of a header or parameter.
func (g *gatewayRoutes) checkHeader(o *Object, field, name string) {
	g.checkText(o, field, name, maxHeaderName)
	if name != "" && !headerPattern.MatchString(name) {
		g.wrong(o, field, "%.64q cannot be a name", name)
	}
}

// checkReference checks what references to parents and backends have in common.
func (g *gatewayRoutes) checkReference(o *Object, field string, group *gateway.Group, kind *gateway.Kind, name gateway.ObjectName, namespace *gateway.Namespace, port *gateway.PortNumber) {
	if group != nil && *group != "" && !isName(string(*group)) {
		g.wrong(o, field+".group", "%.64q is not a group", *group)
	}
	if kind != nil && (len(*kind) > 63 || !kindPattern.MatchString(string(*kind))) {
		g.wrong(o, field+".kind", "%.64q is not a kind", *kind)
	}
	switch {
	case name == "":
		g.wrong(o, field+".name", "no name")
	case !isName(string(name)):
		g.wrong(o, field+".name", "%.64q: want lower case letters, digits and \"-\"", name)
	}
	if namespace != nil && !isLabel(string(*namespace), 63) {
		g.wrong(o, field+".namespace", "%.64q: want lower case letters, digits and \"-\"", *namespace)
	}
	if port != nil && (*port < 1 || *port > 65535) {
		g.wrong(o, field+".port", "%d: want 1 to 65535", *port)
	}
}

// hostname checks one that has no wildcard.
func (g *gatewayRoutes) hostname(o *Object, field string, name *gateway.PreciseHostname) string {
	if name == nil {
		return ""
	}
	if !isName(string(*name)) {
		g.wrong(o, field, "%.64q is not the name of a host, without a port", *name)
	}
	return string(*name)
}

// duration reads one as GEP-2257 has it, "1h30m" or "250ms"; given is false where there is none.
func (g *gatewayRoutes) duration(o *Object, field string, text *gateway.Duration) (d time.Duration, given bool) {
	if text == nil {
		return 0, false
	}
	if !durationPattern.MatchString(string(*text)) {
		g.wrong(o, field, "%.40q; want up to four numbers with units: \"1h30m\", \"5s\", \"250ms\"", *text)
		return 0, false
	}
	d, _ = time.ParseDuration(string(*text)) // the pattern is narrower, and 4 x 99999h fits
	return d, true
}

// vet checks a part of a route as package traffic does, and finds what is wrong in a field of the manifest instead of in one of
// the policy.
func (g *gatewayRoutes) vet(o *Object, field string, part traffic.Route) {
	for _, err := range split(traffic.Policy{Routes: []traffic.Route{part}}.Validate()) {
		var f *traffic.FieldError
		if !errors.As(err, &f) {
			g.wrong(o, field, "%v", err)
			continue
		}
		switch v := f.Value.(type) {
		case nil:
			g.wrong(o, field, "%s", f.Why)
		case string:
			g.wrong(o, field, "%q: %s", v, f.Why)
		default:
			g.wrong(o, field, "%v: %s", v, f.Why)
		}
	}
}
