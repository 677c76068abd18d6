package consul

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// question is one blocking query: what is asked and how its answer is read. Watches that agree in all of it share it.
type question struct {
	service, datacenter string
	tags                string // sorted, with a zero byte between them
	filter              string
	connect             bool
	subset              bool // not all instances are asked for
}

// resolve says what a name asks for, and false where nobody can have such a service.
//
// A name is "orders", "orders.dc2", or the long form of Consul's DNS, in which tags have a place: "orders.service",
// "v2.orders.service", "v2.orders.service.dc2", each with ".consul" behind it or without. A port asks for the instances
// that have it.
func (c *Config) resolve(name string) (question, bool) {
	host, port := name, ""
	if h, p, err := net.SplitHostPort(name); err == nil {
		host, port = h, p
	}
	q, listed := c.Services[name]
	if listed {
		port = ""
	} else if q, listed = c.Services[host]; !listed {
		var ok bool
		if q, ok = parseName(host); !ok {
			return question{}, false
		}
	}
	if q.Datacenter == "" {
		q.Datacenter = c.Datacenter
	}
	tags := slices.Sorted(slices.Values(q.Tags))
	out := question{
		service: q.Service, datacenter: q.Datacenter, tags: strings.Join(tags, "\x00"), filter: q.Filter, connect: q.Connect,
		subset: len(q.Tags) > 0 || q.Filter != "",
	}
	return out.onPort(port)
}

func (q question) onPort(port string) (question, bool) {
	if port == "" {
		return q, true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return q, false
	}
	filter := fmt.Sprintf("Service.Port == %d", n)
	if q.filter != "" {
		filter = "(" + q.filter + ") and " + filter
	}
	q.filter = filter
	return q, true
}

// parseName reads a host name.
func parseName(host string) (Query, bool) {
	host = strings.TrimSuffix(strings.TrimSuffix(host, "."), ".consul")
	labels := strings.Split(host, ".")
	if slices.ContainsFunc(labels, func(l string) bool { return !usable(l) }) {
		return Query{}, false
	}
	if at := slices.Index(labels, "service"); at == 1 || at == 2 {
		q := Query{Service: labels[at-1]}
		if at == 2 {
			q.Tags = labels[:1]
		}
		return q.in(labels[at+1:])
	}
	return Query{Service: labels[0]}.in(labels[1:])
}

// in adds the datacenter, where there is one.
func (q Query) in(rest []string) (Query, bool) {
	switch len(rest) {
	case 0:
		return q, true
	case 1:
		q.Datacenter = rest[0]
		return q, true
	}
	return q, false
}

// usable says whether a part of a name can be one of a service in Consul. The others would be paths or queries in a URL.
func usable(label string) bool {
	return label != "" && len(label) <= 128 && !strings.ContainsFunc(label, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/?#%:\"'`, r)
	})
}
