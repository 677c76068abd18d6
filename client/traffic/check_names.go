package traffic

import "strings"

// checkHost checks a pattern of Route.Hosts or of Destination.Service.
func (c *checker) checkHost(field, pattern string, withPort bool) {
	name, port := splitPort(pattern)
	switch rest, wild := strings.CutPrefix(name, "*"); {
	case pattern == "":
		c.bad(field, nil, "must not be empty")
	case port != 0 && !withPort:
		c.bad(field, pattern, "must not have a port here; there is a field for it")
	case strings.Contains(rest, "*"):
		c.bad(field, pattern, `"*" must stand alone or as "*.suffix"`)
	case wild && rest != "" && (rest[0] != '.' || len(rest) == 1):
		c.bad(field, pattern, `"*" must stand alone or as "*.suffix"`)
	case !isHost(rest) && rest != "":
		c.bad(field, pattern, "not the name of a service")
	}
}

// checkService checks the name of one service, which may be left out.
func (c *checker) checkService(field, name string) {
	if name == "" {
		return
	}
	if strings.Contains(name, "*") {
		c.bad(field, name, "must be one service, not a pattern")
		return
	}
	c.checkHost(field, name, false)
}

// checkAuthority checks a host that may have a port.
func (c *checker) checkAuthority(field, authority string) {
	if name, _ := splitPort(authority); !isHost(name) {
		c.bad(field, authority, "not a host, with or without a port")
	}
}

// isHost says whether a name is one, without a port: an address, or letters that can stand in a URL's host. Registries
// allow more names than the DNS, so that "_" and capitals pass.
func isHost(name string) bool {
	if strings.Contains(name, ":") {
		return strings.Count(name, ":") > 1 && !strings.ContainsFunc(name, func(r rune) bool {
			return !strings.ContainsRune("0123456789abcdefABCDEF:.%", r)
		})
	}
	for i := range len(name) {
		switch c := lower(name[i]); {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
		default:
			return false
		}
	}
	return name != ""
}

// isToken says whether a text can be the name of a header or a cookie (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		switch c := lower(s[i]); {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// checkHeaderName checks one that is looked at.
func (c *checker) checkHeaderName(field, name string) {
	switch {
	case lowerString(name) == "host":
		c.bad(field, name, "not among the headers: Match has Authority for it")
	case isToken(name):
	case name == "":
		c.bad(field, nil, "must not be empty")
	case name[0] == ':':
		c.bad(field, name, "not a header: Match has Scheme, Authority, Path and Method for it")
	default:
		c.bad(field, name, "not the name of a header")
	}
}
