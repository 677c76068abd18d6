package traffic

import (
	"net/textproto"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// Hash is the number by which q is placed: xxhash64, seed 0, of the header's first value, the cookie's, the parameter's as it
// travels, the address without its port, or what the caller gave, as Envoy has it. ok is false where q has no such thing.
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
		n := spellingOf(k.Header)
		return q.lookup(n.lower, n.canonical)
	case k.Cookie != nil:
		if v, ok := cookie(q, k.Cookie.Name); ok {
			return v, true
		}
		return q.NewCookie, q.NewCookie != ""
	case k.Query != "":
		if q.GRPC {
			return "", false
		}
		return rawParameter(q.RawQuery, k.Query)
	case k.Source:
		host, _ := splitPort(q.Addr)
		return host, host != ""
	case k.Context:
		return q.HashKey, q.HashKey != ""
	}
	return "", false
}

// spelling is the name of a header as the two protocols write it.
type spelling struct{ lower, canonical string }

// spellings keeps what was spelled, so that a call allocates nothing for it. The names are those of policies, never those
// that a request brings, so that they stay few.
var spellings sync.Map // string to *spelling

func spellingOf(name string) *spelling {
	if s, ok := spellings.Load(name); ok {
		return s.(*spelling)
	}
	s := &spelling{lower: lowerString(name), canonical: textproto.CanonicalMIMEHeaderKey(name)}
	spellings.Store(name, s)
	return s
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
