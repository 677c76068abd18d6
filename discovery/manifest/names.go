package manifest

import (
	"slices"
	"strings"
)

// host is the full name of what a resource of a namespace calls by a name, in lower case. Istio takes a name without a dot
// for a service of the namespace of the resource that has it, and every other one as it stands.
func (t *translation) host(name, namespace string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "" || strings.ContainsAny(name, ".*:") {
		return name
	}
	return t.full(name, namespace)
}

// full is the full name of a service of a cluster.
func (t *translation) full(name, namespace string) string {
	return name + "." + namespace + ".svc." + t.cfg.Domain
}

// aliases are all names by which callers of this process may call a full name, the shortest first: of a service of a cluster
// "orders" in its own namespace, "orders.shop", "orders.shop.svc" and the full one.
func (t *translation) aliases(host string) []string {
	short, ok := strings.CutSuffix(host, ".svc."+t.cfg.Domain)
	if !ok {
		return []string{host}
	}
	list := []string{short, short + ".svc", host}
	name, namespace, ok := strings.Cut(short, ".")
	if !ok || strings.Contains(namespace, ".") || name == "*" {
		return []string{host}
	}
	if namespace == t.cfg.Namespace {
		list = slices.Insert(list, 0, name)
	}
	return list
}

// canonical is the one of the aliases of a host that policy and telemetry use: the shortest.
func (t *translation) canonical(host string) string { return t.aliases(host)[0] }

// exported says whether a resource that is exported to these namespaces is seen by this process. None: by all; "." is the
// resource's own, "*" are all.
func (t *translation) exported(o *Object, to []string) bool {
	if len(to) == 0 {
		return true
	}
	own := t.cfg.Namespace
	return slices.ContainsFunc(to, func(n string) bool { return n == "*" || n == own || n == "." && o.Namespace == own })
}
