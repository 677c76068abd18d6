package traffic

import (
	"maps"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/internal/call"
)

// reserved are headers that the protocol or the mesh itself sets: the hop-by-hop ones of RFC 9110 and 9113, what frames a
// message, and the mesh's own.
var reserved = map[string]string{
	"host":                      "Rewrite.Authority changes it",
	"connection":                ofProtocol,
	"keep-alive":                ofProtocol,
	"proxy-connection":          ofProtocol,
	"proxy-authenticate":        ofProtocol,
	"proxy-authorization":       ofProtocol,
	"transfer-encoding":         ofProtocol,
	"te":                        ofProtocol,
	"trailer":                   ofProtocol,
	"upgrade":                   ofProtocol,
	"content-length":            ofProtocol,
	call.HeaderDeadline:         ofMesh,
	call.HeaderConnectDeadline:  ofMesh,
	call.HeaderAttempt:          ofMesh,
	call.HeaderOverloaded:       ofMesh,
	call.HeaderRateLimited:      ofMesh,
	call.HeaderTraceParent:      ofMesh,
	call.HeaderTraceState:       ofMesh,
	call.HeaderBaggage:          ofMesh,
	call.HeaderRetryAfter:       ofMesh,
	"endpoint-load-metrics":     ofMesh,
	"endpoint-load-metrics-bin": ofMesh,
	"x-forwarded-client-cert":   ofMesh,
}

const (
	ofProtocol = "the protocol's own, which cannot be changed"
	ofMesh     = "the mesh's own, which cannot be changed"
)

func (c *checker) checkHeaders(h *Headers) {
	c.in("Headers")
	c.in("Request")
	c.checkHeaderOps(&h.Request)
	c.out()
	c.in("Response")
	c.checkHeaderOps(&h.Response)
	c.out()
	c.out()
}

func (c *checker) checkHeaderOps(h *HeaderOps) {
	c.checkHeaderMap("Set", h.Set)
	c.checkHeaderMap("Add", h.Add)
	for i, name := range h.Remove {
		c.item("Remove", i)
		c.checkChanged(name)
		c.out()
	}
}

func (c *checker) checkHeaderMap(field string, headers map[string]string) {
	if len(headers) == 0 {
		return
	}
	seen := make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		c.entry(field, name)
		c.checkChanged(name)
		if other, ok := seen[lowerString(name)]; ok {
			c.here(nil, "there is "+other+", too, which is the same header")
		}
		seen[lowerString(name)] = name
		if !isHeaderValue(headers[name]) {
			c.here(headers[name], "must be of ASCII letters and signs that can be printed, without space around it")
		}
		c.out()
	}
}

// checkChanged checks the name of a header that is set or removed.
func (c *checker) checkChanged(name string) {
	switch why, ok := reserved[lowerString(name)]; {
	case strings.HasPrefix(name, ":"):
		c.here(name, "not a header: Rewrite changes the authority and the path")
	case !isToken(name):
		c.here(name, "not the name of a header")
	case ok:
		c.here(name, why)
	case strings.HasPrefix(lowerString(name), "grpc-"):
		c.here(name, ofProtocol)
	}
}

// isHeaderValue says whether a text can travel as it is over both protocols: gRPC's metadata is printable ASCII.
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return strings.TrimSpace(s) == s
}
