package traffic

import (
	"net/url"
	"strings"
)

// parameter is the first value of a parameter in a query, as [net/url.ParseQuery] reads it: what is badly escaped or has a
// semicolon is passed over. It allocates only where the value is escaped.
func parameter(query, name string) (string, bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" || strings.Contains(pair, ";") {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if !unescapesTo(key, name) {
			continue
		}
		if !escaped(value) {
			return value, true
		}
		if v, err := url.QueryUnescape(value); err == nil {
			return v, true
		}
	}
	return "", false
}

// rawParameter is the first value of a parameter as it travels, escaped: the text that Envoy hashes.
func rawParameter(query, name string) (string, bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if key, value, _ := strings.Cut(pair, "="); pair != "" && unescapesTo(key, name) {
			return value, true
		}
	}
	return "", false
}

func escaped(s string) bool { return strings.ContainsAny(s, "%+") }

// unescapesTo says whether key stands for name.
func unescapesTo(key, name string) bool {
	if !escaped(key) {
		return key == name
	}
	if len(key) < len(name) {
		return false // what is escaped is never shorter
	}
	k, err := url.QueryUnescape(key)
	return err == nil && k == name
}
