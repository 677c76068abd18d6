package traffic

import (
	"net/textproto"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Hash is the number by which q is placed: xxhash64, seed 0, of the header's first value, the cookie's, the parameter's,
// the address without its port, or what the caller gave, as Envoy has it. ok is false where q has no such thing.
func (k *Key) Hash(q *Request) (hash uint64, ok bool) {
	value, ok := k.value(q)
	if !ok {
		return 0, false
	}
	return xxhash.Sum64String(value), true
}

func (k *Key) value(q *Request) (string, bool) {
	switch {
	case k.Header != "":
		return q.lookup(lowerString(k.Header), textproto.CanonicalMIMEHeaderKey(k.Header))
	case k.Cookie != nil:
		if v, ok := cookie(q, k.Cookie.Name); ok {
			return v, true
		}
		return q.NewCookie, q.NewCookie != ""
	case k.Query != "":
		if q.GRPC {
			return "", false
		}
		return parameter(q.RawQuery, k.Query)
	case k.Source:
		host, _ := splitPort(q.Addr)
		return host, host != ""
	case k.Context:
		return q.HashKey, q.HashKey != ""
	}
	return "", false
}

// cookie is the value of a cookie in the first Cookie header, without quotes around it. An empty one is none.
func cookie(q *Request, name string) (string, bool) {
	line, _ := q.lookup("cookie", "Cookie")
	for line != "" {
		var pair string
		pair, line, _ = strings.Cut(line, ";")
		key, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && key == name {
			value = strings.TrimSpace(value)
			if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
				value = value[1 : len(value)-1]
			}
			return value, value != ""
		}
	}
	return "", false
}
