package manifest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// subsets finds those that nothing is in, and those that no route leads to.
func (l *linter) subsets() {
	used := map[string][]string{} // hosts, by the name of the subset
	for _, r := range l.references() {
		if r.subset != "" {
			used[r.subset] = append(used[r.subset], r.host)
		}
	}
	for _, o := range l.objects(istioGroup, "DestinationRule") {
		spec := o.Spec.(*networking.DestinationRule)
		host := l.host(spec.GetHost(), o.Namespace)
		for i, s := range spec.GetSubsets() {
			field := index("spec.subsets", i)
			if !slices.ContainsFunc(used[s.GetName()], func(to string) bool { return to == host || below(host, to) }) {
				l.find(o, field+".name", fmt.Sprintf("subset %q is never used: no route leads to it", s.GetName()), "")
			}
			l.empty(o, field, host, s)
		}
	}
}

// below says whether a name is one that a wildcard stands for.
func below(wildcard, name string) bool {
	suffix, is := strings.CutPrefix(wildcard, "*")
	return is && strings.HasSuffix(name, suffix)
}

// empty finds a subset that no endpoint is in, where the endpoints are known.
func (l *linter) empty(o *Object, field, host string, s *networking.Subset) {
	of := l.endpointsOf(host)
	if of == nil || len(s.GetLabels()) == 0 || countWith(of.workloads, s.GetLabels()) > 0 {
		return
	}
	why := fmt.Sprintf("no endpoint of %v has the labels %s of subset %q", of.origin, labelText(s.GetLabels()), s.GetName())
	if len(s.GetLabels()) == 1 {
		label := slices.Collect(maps.Keys(s.GetLabels()))[0]
		why += fmt.Sprintf("; of %s they have %s", label, valuesOf(of.workloads, label))
	}
	l.find(o, field+".labels", why, "")
}

// valuesOf are the values that workloads have of a label.
func valuesOf(list []workload, label string) string {
	var values []string
	for _, w := range list {
		if v := w.labels[label]; v != "" && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return cmp.Or(few(values), "none")
}

// endpointsOf is a service whose endpoints the manifests declare; nil where they do not.
func (l *linter) endpointsOf(host string) *service {
	s := l.service(host)
	if s == nil || len(s.workloads) == 0 || s.resolve == resolveAsked {
		return nil
	}
	return s
}

// countWith is how many workloads have all of the labels.
func countWith(list []workload, labels map[string]string) (n int) {
	for _, w := range list {
		if hasLabels(w.labels, labels) {
			n++
		}
	}
	return n
}

func hasLabels(have, want map[string]string) bool {
	for name, value := range want {
		if v, ok := have[name]; !ok || v != value {
			return false
		}
	}
	return true
}

// labelText is "app=web,version=v1".
func labelText(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, name+"="+labels[name])
	}
	return strings.Join(parts, ",")
}
