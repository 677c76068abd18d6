package manifest

import (
	"maps"
	"math"
	"net/netip"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// workloadIndex finds WorkloadEntries by their labels: one that a selector asks for decides which are looked at.
type workloadIndex map[[3]string][]entryOf // by namespace, label and value

// entryOf is a WorkloadEntry with the resource that it is of.
type entryOf struct {
	object *Object
	spec   *networking.WorkloadEntry
}

// workloads reads the WorkloadEntries.
func (t *translation) workloads() workloadIndex {
	index := workloadIndex{}
	for _, o := range t.objects(istioGroup, "WorkloadEntry") {
		spec, ok := o.Spec.(*networking.WorkloadEntry)
		if !ok {
			continue
		}
		t.checkWorkload(o, "spec", spec)
		e := entryOf{o, spec}
		for label, value := range entryLabels(o, spec) {
			key := [3]string{o.Namespace, label, value}
			index[key] = append(index[key], e)
		}
	}
	return index
}

// entryLabels are those by which a WorkloadEntry is selected: of its spec and, as in Istio, those of its metadata.
func entryLabels(o *Object, spec *networking.WorkloadEntry) map[string]string {
	if len(o.Labels) == 0 {
		return spec.GetLabels()
	}
	all := maps.Clone(o.Labels)
	maps.Copy(all, spec.GetLabels())
	return all
}

// selected lists the entries of a namespace that have all of the labels. No label selects nothing.
func (x workloadIndex) selected(namespace string, labels map[string]string) (list []entryOf) {
	var fewest []entryOf
	first := true
	for _, label := range sortedKeys(labels) {
		if some := x[[3]string{namespace, label, labels[label]}]; first || len(some) < len(fewest) {
			fewest, first = some, false
		}
	}
	for _, e := range fewest {
		has, all := entryLabels(e.object, e.spec), true
		for label, value := range labels {
			all = all && has[label] == value
		}
		if all {
			list = append(list, e)
		}
	}
	return list
}

// checkWorkload finds what is wrong with a WorkloadEntry, whoever selects it.
func (t *translation) checkWorkload(o *Object, field string, e *networking.WorkloadEntry) {
	address, at := e.GetAddress(), field+".address"
	path, unix := strings.CutPrefix(address, "unix://")
	switch {
	case address == "":
		t.wrong(o, field, "address is needed: an endpoint that only a gateway of its network reaches cannot be called")
	case unix && (!strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "@") || strings.HasSuffix(path, "/")):
		t.wrong(o, at, "%q: want unix:// with an absolute path to a socket", address)
	case unix && len(e.GetPorts()) > 0:
		t.wrong(o, field+".ports", "a unix socket has no ports")
	case !unix && !isAddress(address) && !isHost(address):
		t.wrong(o, at, "%q is neither an IP address nor a host name", address)
	}
	for _, name := range sortedKeys(e.GetPorts()) {
		if n := e.GetPorts()[name]; n == 0 || n > math.MaxUint16 {
			t.wrong(o, entry(field+".ports", name), "%d: want 1 to 65535", n)
		}
	}
	if a := e.GetServiceAccount(); a != "" && !isName(a) {
		t.wrong(o, field+".serviceAccount", "%q is not the name of a service account", a)
	}
}

// workload is an entry as the endpoints are made of it.
func (t *translation) workload(namespace string, e *networking.WorkloadEntry, labels map[string]string) workload {
	w := workload{address: e.GetAddress(), labels: labels, weight: e.GetWeight(), locality: localityOf(e)}
	if path, unix := strings.CutPrefix(w.address, "unix://"); unix {
		w.address = "unix:" + path
	}
	if len(e.GetPorts()) > 0 {
		w.ports = make(map[string]uint16, len(e.GetPorts()))
		for name, n := range e.GetPorts() {
			w.ports[name] = uint16(n)
		}
	}
	if a := e.GetServiceAccount(); a != "" {
		w.id = "spiffe://" + t.cfg.TrustDomain + "/ns/" + namespace + "/sa/" + a
	}
	return w
}

// localityOf splits as Istio does: what follows the second "/" is the subzone, with whatever is in it.
func localityOf(e *networking.WorkloadEntry) (l [3]string) {
	text := e.GetLocality()
	if text == "" {
		if text = e.GetLabels()["istio-locality"]; !strings.Contains(text, "/") {
			text = strings.ReplaceAll(text, ".", "/") // a label cannot have a slash
		}
	}
	copy(l[:], strings.SplitN(text, "/", 3))
	return l
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// isHost says whether a text is the name of a host as DNS has it; case makes no difference, and a dot may stand at its end.
func isHost(s string) bool {
	s = strings.TrimSuffix(strings.ToLower(s), ".")
	for part := range strings.SplitSeq(s, ".") {
		if !isLabel(strings.ReplaceAll(part, "_", "x"), 63) {
			return false
		}
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	return len(s) <= 253 && strings.Trim(last, "0123456789") != "" // such a name is a mistyped address
}
