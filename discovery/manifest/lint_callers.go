package manifest

import (
	"maps"
	"slices"
)

// nameLabels are those whose value is the name of a service, by custom or, the last one, by Istio's documentation.
var nameLabels = []string{"app", "app.kubernetes.io/name", "service.istio.io/canonical-name"}

// callers finds the services that labels of a caller mean.
type callers struct {
	labels map[[2]string][]labelled
	known  map[string][]string
}

// labelled is a service of which something has these labels.
type labelled struct {
	name   string
	labels map[string]string
}

// callers are those that the manifests declare.
func (l *linter) callers() *callers {
	c := &callers{labels: map[[2]string][]labelled{}, known: map[string][]string{}}
	for _, host := range slices.Sorted(maps.Keys(l.state.services.hosts)) {
		s := l.state.services.hosts[host]
		name := l.canonical(host)
		if spec, is := s.origin.Spec.(*serviceSpec); is {
			c.add(name, spec.Selector)
		}
		for i := range s.workloads {
			c.add(name, s.workloads[i].labels)
		}
	}
	return c
}

func (c *callers) add(name string, labels map[string]string) {
	for label, value := range labels {
		key := [2]string{label, value}
		c.labels[key] = append(c.labels[key], labelled{name, labels})
	}
}

// of are the services that have all of the labels; where there is none the name that a label gives, and else the labels
// themselves, so that the hop is counted, though nothing leads to it.
func (c *callers) of(labels map[string]string) (names []string) {
	text := labelText(labels)
	if known, is := c.known[text]; is {
		return known
	}
	name := slices.Sorted(maps.Keys(labels))[0]
	for _, s := range c.labels[[2]string{name, labels[name]}] {
		if hasLabels(s.labels, labels) {
			names = append(names, s.name)
		}
	}
	for _, label := range nameLabels {
		if len(names) == 0 && labels[label] != "" {
			names = []string{labels[label]}
		}
	}
	if len(names) == 0 {
		names = []string{text}
	}
	slices.Sort(names)
	c.known[text] = slices.Compact(names)
	return c.known[text]
}
