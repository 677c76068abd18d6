package traffic

import "testing"

// The numbers are those of Envoy's own test of HashUtil::xxHash64.
func TestKeyHashIsEnvoys(t *testing.T) {
	for text, want := range map[string]uint64{"foo": 3728699739546630719, "bar": 5234164152756840025} {
		got, ok := (&Key{Context: true}).Hash(&Request{HashKey: text})
		if !ok || got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestKeyValue(t *testing.T) {
	header := func(name, value string) *Request { return &Request{Header: naiveHeader{name: {value, "second"}}} }
	for _, tt := range []struct {
		name string
		key  Key
		q    *Request
		want string // empty: there is none
	}{
		{"header", Key{Header: "X-User"}, header("x-user", "7"), "7"},
		{"no header", Key{Header: "X-User"}, header("x-other", "7"), ""},
		{"no headers", Key{Header: "X-User"}, &Request{}, ""},
		{"cookie", Key{Cookie: &Cookie{Name: "id"}}, header("cookie", "a=b; id=7;id=8"), "7"},
		{"quoted cookie", Key{Cookie: &Cookie{Name: "id"}}, header("cookie", `id="7"`), "7"},
		{"cookie of a longer name", Key{Cookie: &Cookie{Name: "id"}}, header("cookie", "xid=7; idx=8; id"), ""},
		{"new cookie", Key{Cookie: &Cookie{Name: "id"}}, &Request{NewCookie: "9"}, "9"},
		{"query", Key{Query: "user"}, &Request{RawQuery: "usr=1&user=7&user=8"}, "7"},
		{"escaped query, as Envoy takes it", Key{Query: "u ser"}, &Request{RawQuery: "user=1&u+ser=a%20b;c+%zz"}, "a%20b;c+%zz"},
		{"no query", Key{Query: "user"}, &Request{RawQuery: "usr=1"}, ""},
		{"query over gRPC", Key{Query: "user"}, &Request{GRPC: true, RawQuery: "user=1"}, ""},
		{"source", Key{Source: true}, &Request{Addr: "10.0.0.1:8080"}, "10.0.0.1"},
		{"source without port", Key{Source: true}, &Request{Addr: "10.0.0.1"}, "10.0.0.1"},
		{"IPv6 source", Key{Source: true}, &Request{Addr: "[fe80::1]:80"}, "fe80::1"},
		{"bare IPv6 source", Key{Source: true}, &Request{Addr: "fe80::1"}, "fe80::1"},
		{"no source", Key{Source: true}, &Request{}, ""},
		{"context", Key{Context: true}, &Request{HashKey: "7"}, "7"},
		{"no context", Key{Context: true}, &Request{}, ""},
		{"no key", Key{}, &Request{HashKey: "7"}, ""},
	} {
		got, ok := tt.key.value(tt.q)
		if got != tt.want && ok || ok != (tt.want != "") {
			t.Errorf("%s: %q %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}

func TestKeyHashAllocatesNothing(t *testing.T) {
	q := &Request{
		Header: naiveHeader{"x-user": {"7"}, "cookie": {"a=b; id=7"}}, RawQuery: "a=b&user=7", Addr: "10.0.0.1:80", HashKey: "7",
	}
	for _, k := range []Key{
		{Header: "x-User"}, {Cookie: &Cookie{Name: "id"}}, {Query: "user"}, {Source: true}, {Context: true},
	} {
		if _, ok := k.Hash(q); !ok {
			t.Errorf("%+v: no hash", k)
		}
		if n := testing.AllocsPerRun(100, func() { k.Hash(q) }); n != 0 {
			t.Errorf("%+v: %v allocations", k, n)
		}
	}
}
