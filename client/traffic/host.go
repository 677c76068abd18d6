package traffic

import "strings"

// host is a pattern of [Route.Hosts] taken apart.
type host struct {
	name   string // in lower case; of "*.suffix" ".suffix", of "*" nothing
	suffix bool
	port   uint16 // 0: every port
}

func parseHost(pattern string) host {
	name, port := splitPort(pattern)
	h := host{name: lowerString(name), port: port}
	if rest, ok := strings.CutPrefix(h.name, "*"); ok {
		h.name, h.suffix = rest, true
	}
	return h
}

func anyHost(hosts []host, name string, port uint16) bool {
	if len(hosts) == 0 {
		return true
	}
	name = lowerString(name)
	for _, h := range hosts {
		if h.holds(name, port) {
			return true
		}
	}
	return false
}

func (h host) holds(name string, port uint16) bool {
	if h.port != 0 && h.port != port {
		return false
	}
	if h.suffix {
		return h.name == "" || len(name) > len(h.name) && strings.HasSuffix(name, h.name)
	}
	return name == h.name
}
