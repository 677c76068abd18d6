package traffic

// Request is what of a call the conditions of a policy can ask for. The caller fills it for each call; it can live on the
// stack.
type Request struct {
	// GRPC says that the call travels as gRPC.
	GRPC bool
	// Scheme is "http" or "https" as the caller wrote it. Empty: neither, as over gRPC.
	Scheme string
	// Service is what was called, with ":port" where the caller gave one. Where it gave none and Scheme is set the port is
	// the usual one of the scheme.
	Service string
	// Authority is the host of the request as the server would see it, with a port where there is one.
	Authority string
	// Path is the path as it travels, escaped ([net/url.URL.EscapedPath]), without the query; of a gRPC call
	// "/package.Service/Method".
	Path string
	// RawQuery is the query as it travels, without "?".
	RawQuery string
	// Method is the HTTP method; of gRPC calls "POST".
	Method string
	// Header looks up headers. Nil: there are none.
	Header Header
	// HashKey is what the caller gave for [Key.Context]. Empty: nothing.
	HashKey string
	// Addr is [Local.Addr], for [Key.Source].
	Addr string
	// NewCookie is the value of the cookie that the mesh makes for this request, see [Cookie.TTL]: it stands in where the
	// request lacks the cookie that a [Key] names. Empty: none is made.
	NewCookie string
}

// Header looks up request headers. A name comes in both spellings, so that neither [net/http.Header] nor gRPC's metadata
// needs to allocate.
type Header interface {
	// Lookup returns the first value of a header and whether there is one. lower is its name in lower case, canonical as
	// [net/http.CanonicalHeaderKey] has it.
	Lookup(lower, canonical string) (value string, ok bool)
}

// lookup is Header.Lookup where there may be no Header.
func (q *Request) lookup(lower, canonical string) (string, bool) {
	if q.Header == nil {
		return "", false
	}
	return q.Header.Lookup(lower, canonical)
}

// port is the port that was asked for, and where that was left open the scheme's.
func (q *Request) port() (name string, port uint16) {
	name, port = splitPort(q.Service)
	if port == 0 {
		port = schemePort(q.Scheme)
	}
	return name, port
}

func schemePort(scheme string) uint16 {
	switch scheme {
	case "http":
		return 80
	case "https":
		return 443
	}
	return 0
}

// splitPort takes "name:port" apart. What does not end in a port is all name, as an IPv6 address without brackets is; a
// port that is no number from 1 to 65535 is none.
func splitPort(service string) (name string, port uint16) {
	for i := len(service) - 1; i > 0; i-- {
		switch c := service[i]; {
		case c == ':':
			if n, ok := portNumber(service[i+1:]); ok && (service[i-1] == ']' || !hasColon(service[:i])) {
				return unbracket(service[:i]), n
			}
			return unbracket(service), 0
		case c < '0' || c > '9':
			return unbracket(service), 0
		}
	}
	return service, 0
}

func portNumber(s string) (uint16, bool) {
	if s == "" || len(s) > 5 || s[0] == '0' {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return uint16(n), n <= 65535
}

func hasColon(s string) bool {
	for i := range len(s) {
		if s[i] == ':' {
			return true
		}
	}
	return false
}

func unbracket(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}
