package telemetry

import "strings"

// secretQuery are the parameters whose values the conventions want left out: credentials and signatures.
var secretQuery = [...]string{"AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"}

// redacted is a query, or a URL with one, in which these have no value.
func redacted(s string) string {
	for _, name := range secretQuery {
		if strings.Contains(s, name+"=") {
			return redactAll(s)
		}
	}
	return s
}

func redactAll(s string) string {
	path, query, ok := strings.Cut(s, "?")
	if !ok {
		path, query = "", s
	} else {
		path += "?"
	}
	query, fragment, hash := strings.Cut(query, "#")
	parts := strings.Split(query, "&")
	for i, p := range parts {
		name, _, _ := strings.Cut(p, "=")
		for _, secret := range secretQuery {
			if name == secret {
				parts[i] = name + "=REDACTED"
			}
		}
	}
	s = path + strings.Join(parts, "&")
	if hash {
		s += "#" + fragment
	}
	return s
}
