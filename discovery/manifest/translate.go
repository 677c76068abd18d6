package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/nearest"
)

// translators turn resources into policy, one after the other; the routes of the first are asked first. Each has a file of
// its own beside this one, and takes what it needs of a [translation]:
//
//   - objects lists the resources of a kind;
//   - host, service, aliases, canonical and exported say what names mean;
//   - route and destination put something into the policy, with the place that it was made of, to which a mistake that
//     package traffic finds is led back;
//   - wrong, refuse and warn make findings.
//
// Fields whose rule says that they are refused never get here: see [rules].
var translators = []func(*translation){translateIstio, translateGateway}

// translation is the way from resources to a state.
type translation struct {
	cfg      *Config
	state    *State
	byKind   map[string][]*Object
	findings Findings
	istio    *istio // what the routes of last resort are made by
}

// translate makes a state of objects. good is the last one that was, nil for none: a state whose policy is the same shares it,
// so that nobody is told of a change.
func translate(cfg *Config, objects []*Object, good *State) (*State, Findings) {
	t := &translation{cfg: cfg, state: &State{Objects: objects}, byKind: map[string][]*Object{}}
	for _, o := range objects {
		key := joinVersion(o.Group, o.Kind)
		t.byKind[key] = append(t.byKind[key], o)
	}
	t.register()
	for _, f := range translators {
		f(t)
	}
	t.defaults()
	t.istioDefaults()
	if t.findings.Err() == nil && t.validate(good) {
		t.state.policy = good.policy
		return t.state, t.findings
	}
	policy := t.state.Policy // a copy, which does not keep the state
	t.state.policy = &policy
	return t.state, t.findings
}

// objects lists the resources of a kind in the order of files and lines.
func (t *translation) objects(group, kind string) []*Object {
	return t.byKind[joinVersion(group, kind)]
}

// route adds a route that was made of a part of an object. Routes are asked in the order in which they are added.
func (t *translation) route(o *Object, field string, r traffic.Route) {
	t.state.Policy.Routes = append(t.state.Policy.Routes, r)
	t.state.routes = append(t.state.routes, Origin{o, field})
}

// destination adds how a service is treated.
func (t *translation) destination(o *Object, field string, d traffic.Destination) {
	t.state.Policy.Destinations = append(t.state.Policy.Destinations, d)
	t.state.destinations = append(t.state.destinations, Origin{o, field})
}

// wrong finds a mistake in a field.
func (t *translation) wrong(o *Object, field, format string, args ...any) { //nolint:goprintffuncname // it reads as a sentence where it is called
	t.findings = append(t.findings, o.Finding(Error, field, fmt.Sprintf(format, args...), ""))
}

// unknown finds a name that means nothing.
func (t *translation) unknown(o *Object, field, what, name string, known []string) {
	why := fmt.Sprintf("unknown %s %q", what, name)
	t.findings = append(t.findings, o.Finding(Error, field, why, nearest.Name(name, known)))
}

// refuse finds something right that cannot be honoured: an error, and in lenient mode a warning. The caller leaves it out.
func (t *translation) refuse(o *Object, field, format string, args ...any) { //nolint:goprintffuncname // it reads as a sentence where it is called
	why, severity := fmt.Sprintf(format, args...), Error
	if t.cfg.Lenient {
		why, severity = why+"; it is left out", Warning
	}
	t.findings = append(t.findings, o.Finding(severity, field, why, ""))
}

// warn finds something that its author should know.
func (t *translation) warn(o *Object, field, format string, args ...any) { //nolint:goprintffuncname // it reads as a sentence where it is called
	t.findings = append(t.findings, o.Finding(Warning, field, fmt.Sprintf(format, args...), ""))
}

// blame makes a finding of a mistake in the policy.
func (t *translation) blame(err error) {
	var f *traffic.FieldError
	if !errors.As(err, &f) {
		t.findings = append(t.findings, Finding{Why: err.Error()})
		return
	}
	why := strings.TrimPrefix(f.Error(), "traffic: "+f.Path+": ")
	at, rest := t.origin(f.Path)
	severity := Error
	if errors.Is(err, traffic.ErrNeverMatches) {
		severity = Warning // it harms nobody, and Istio takes it
	}
	if rest != "" {
		why = rest + ": " + why
	}
	why = t.placed(why)
	if at.Object == nil {
		t.findings = append(t.findings, Finding{Severity: severity, Why: why})
		return
	}
	t.findings = append(t.findings, at.Object.Finding(severity, at.Field, why, ""))
}

// inPolicy is how package traffic names a route.
var inPolicy = regexp.MustCompile(`Routes\[\d+\](\.Match\[\d+\])?( \("[^"]*"\))?`)

// placed puts the places in manifests where a text names routes of the policy.
func (t *translation) placed(text string) string {
	return inPolicy.ReplaceAllStringFunc(text, func(name string) string {
		at, _ := t.origin(name)
		if at.Object == nil {
			return name
		}
		line, _ := at.Object.Position(at.Field)
		return fmt.Sprintf("%v %s (%s:%d)", at.Object, at.Field, at.Object.File, line)
	})
}

// origin finds what a path such as "Routes[3].Match[0]" is of, and what of the path is beyond that.
func (t *translation) origin(path string) (Origin, string) {
	name, _ := step(path)
	list, rest, _ := strings.Cut(path, "]")
	i, ok := number(strings.TrimPrefix(list, name+"["))
	from := map[string][]Origin{"Routes": t.state.routes, "Destinations": t.state.destinations}[name]
	if !ok || i >= len(from) {
		return Origin{}, path
	}
	return from[i], strings.TrimPrefix(rest, ".")
}
