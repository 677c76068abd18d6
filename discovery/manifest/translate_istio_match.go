package manifest

import (
	"regexp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
)

// match is a match of Istio as the policy has it.
func (x *istio) match(m *networking.HTTPMatchRequest) traffic.Match {
	to := traffic.Match{
		Name: m.GetName(), Scheme: text(m.GetScheme()), Authority: text(m.GetAuthority()), Method: text(m.GetMethod()),
		Path: text(m.GetUri()), Port: uint16(m.GetPort()), Source: source(m),
	}
	if m.GetIgnoreUriCase() && (to.Path.Op == traffic.OpExact || to.Path.Op == traffic.OpPrefix) {
		to.Path.IgnoreCase = true
	}
	for _, name := range sortedKeys(m.GetHeaders()) {
		to.Headers = append(to.Headers, field(name, m.GetHeaders()[name]))
	}
	for _, name := range sortedKeys(m.GetWithoutHeaders()) {
		to.Headers = append(to.Headers, withoutHeader(name, m.GetWithoutHeaders()[name])...)
	}
	for _, name := range sortedKeys(m.GetQueryParams()) {
		to.Query = append(to.Query, field(name, m.GetQueryParams()[name]))
	}
	return to
}

// text is a condition on what every request has. One that only asks whether it is there always holds.
func text(m *networking.StringMatch) traffic.Value {
	if v := conditionOf(m); v.Op != traffic.OpPresent {
		return v
	}
	return traffic.Value{}
}

// conditionOf is a condition. Without anything in it, and as the regex "*", it asks whether there is such a thing.
func conditionOf(m *networking.StringMatch) traffic.Value {
	switch v := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return traffic.Exact(v.Exact)
	case *networking.StringMatch_Prefix:
		return traffic.Prefix(v.Prefix)
	case *networking.StringMatch_Regex:
		if v.Regex != "*" {
			return traffic.Regex(v.Regex)
		}
	}
	return traffic.Present()
}

func field(name string, m *networking.StringMatch) traffic.Field {
	return traffic.Field{Name: name, Value: conditionOf(m)}
}

// withoutHeader turns a condition on a header round. Istio has Envoy take a header that is not there for an empty one, so that a
// condition that an empty text meets also asks that there is one.
func withoutHeader(name string, m *networking.StringMatch) []traffic.Field {
	v := conditionOf(m)
	if v.Op == traffic.OpPresent {
		return []traffic.Field{{Name: name, Value: traffic.Absent()}}
	}
	f := traffic.Field{Name: name, Value: v, Not: true}
	if !holdsEmpty(v) {
		return []traffic.Field{f}
	}
	return []traffic.Field{{Name: name, Value: traffic.Present()}, f}
}

func holdsEmpty(v traffic.Value) bool {
	if v.Op != traffic.OpRegex {
		return v.Text == ""
	}
	re, err := regexp.Compile("^(?:" + v.Text + ")$")
	return err == nil && re.MatchString("")
}

// isCatchAll says whether a match takes every request of its callers and its port: it says nothing else, or has the path
// prefix "/" or the regex ".*", which Istio takes for that, too.
func isCatchAll(m *networking.HTTPMatchRequest) bool {
	for _, t := range []*networking.StringMatch{m.GetScheme(), m.GetMethod(), m.GetAuthority()} {
		if text(t) != (traffic.Value{}) {
			return false
		}
	}
	if len(m.GetHeaders())+len(m.GetWithoutHeaders())+len(m.GetQueryParams()) > 0 {
		return false
	}
	v := text(m.GetUri())
	return v == traffic.Value{} || v == traffic.Prefix("/") || v == traffic.Regex(".*")
}

// checkMatch holds the rules of Istio's validation for a match.
func (x *istio) checkMatch(o *Object, at string, m *networking.HTTPMatchRequest, delegating bool) {
	for _, t := range []struct {
		name string
		text *networking.StringMatch
	}{{"uri", m.GetUri()}, {"scheme", m.GetScheme()}, {"method", m.GetMethod()}, {"authority", m.GetAuthority()}} {
		x.checkText(o, at+"."+t.name, t.text, delegating)
	}
	for _, t := range []struct {
		name  string
		texts map[string]*networking.StringMatch
	}{{"headers", m.GetHeaders()}, {"withoutHeaders", m.GetWithoutHeaders()}, {"queryParams", m.GetQueryParams()}} {
		for _, name := range sortedKeys(t.texts) {
			key := entry(at+"."+t.name, name)
			if t.name != "queryParams" {
				x.checkMatchHeader(o, key, name)
			} else if name == "" {
				x.wrong(o, key, "the name of a parameter must not be empty")
			}
			x.checkText(o, key, t.texts[name], delegating)
		}
	}
	if m.GetIgnoreUriCase() && m.GetUri().GetRegex() != "" {
		x.warn(o, at+".ignoreUriCase", "has no effect on a regex: write (?i) in front of it")
	}
	if m.GetPort() != 0 {
		x.checkPort(o, at+".port", m.GetPort())
	}
	if n := m.GetSourceNamespace(); n != "" && !isLabel(n, 63) {
		x.wrong(o, at+".sourceNamespace", "%q is not the name of a namespace", n)
	}
	if _, is := m.GetSourceLabels()[""]; is {
		x.wrong(o, at+".sourceLabels", "the name of a label must not be empty")
	}
}

// checkMatchHeader checks the name of a header that is looked at.
func (x *istio) checkMatchHeader(o *Object, at, name string) {
	switch {
	case name == "":
		x.wrong(o, at, "the name of a header must not be empty")
	case strings.HasPrefix(name, "@request.auth."):
		x.refuse(o, at, "claims of a JWT are known to a gateway only, in Istio as here")
	case slices.Contains([]string{"uri", "scheme", "method", "authority"}, name):
		x.refuse(o, at, "Istio documents that it ignores headers of this name; the match has a field %s", name)
	case strings.HasPrefix(name, ":"):
		x.wrong(o, at, "not a header: the match has uri, scheme, method and authority")
	case !isHeaderName(name):
		x.wrong(o, at, "%q is not the name of a header", name)
	}
}

// maxRegex is the longest expression that Istio takes, in bytes.
const maxRegex = 1024

// checkText checks a condition on a text. Delegation compares conditions, and cannot compare expressions.
func (x *istio) checkText(o *Object, at string, m *networking.StringMatch, delegating bool) {
	switch v := m.GetMatchType().(type) {
	case *networking.StringMatch_Prefix:
		if v.Prefix == "" {
			x.wrong(o, at+".prefix", "must not be empty")
		}
	case *networking.StringMatch_Regex:
		if delegating {
			x.wrong(o, at+".regex", "a regex cannot be delegated: Istio cannot tell whether one match is within another then")
		} else if v.Regex != "*" {
			x.checkRegex(o, at+".regex", v.Regex)
		}
	}
}

func (x *istio) checkRegex(o *Object, at, expr string) {
	if expr == "" {
		x.wrong(o, at, "must not be empty")
		return
	}
	if len(expr) > maxRegex {
		x.wrong(o, at, "%d bytes, and Istio takes at most %d", len(expr), maxRegex)
		return
	}
	if _, err := regexp.Compile(expr); err != nil {
		x.wrong(o, at, "not an RE2 expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
}
