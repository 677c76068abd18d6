package traffic

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// RewritePath is the path that the server sees. Without a rewrite of the path it is path itself.
func (r *Rule) RewritePath(path string) string {
	w := r.Route.Rewrite
	switch {
	case w == nil:
		return path
	case w.Path != "":
		return w.Path
	case w.Prefix != nil:
		return r.replacePrefix(path, *w.Prefix)
	case r.rewrite != nil:
		return rooted(r.rewrite.re.ReplaceAllString(path, r.rewrite.template))
	}
	return path
}

// replacePrefix puts by in the place of what the rule matched. A prefix of whole segments is replaced by whole segments, as
// the Gateway API has it: "/v1" by "/" makes "/v1/x" to "/x", not "//x". A prefix of letters is replaced as it stands, as
// Envoy does.
func (r *Rule) replacePrefix(path, by string) string {
	n := len(r.matched.Text)
	if n > len(path) {
		return path
	}
	switch rest := path[n:]; r.matched.Op {
	case OpExact:
		return rooted(by)
	case OpPathPrefix:
		return rooted(strings.TrimSuffix(by, "/") + rest)
	default:
		return rooted(by + rest)
	}
}

// rooted is the path with the "/" that every path begins with.
func rooted(path string) string {
	if path == "" || path[0] != '/' {
		return "/" + path
	}
	return path
}

// regexRewrite is [Rewrite.Regex] with its substitution as package regexp writes it.
type regexRewrite struct {
	re       *regexp.Regexp
	template string
}

// substitution turns RE2's \1 into Go's ${1}.
func substitution(s string, groups int) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '$':
			b.WriteString("$$")
		case s[i] != '\\':
			b.WriteByte(s[i])
		case i+1 == len(s):
			return "", errors.New(`ends in a single \`)
		default:
			i++
			switch c := s[i]; {
			case c == '\\':
				b.WriteByte('\\')
			case c < '0' || c > '9':
				return "", errors.New(`\ must be followed by a digit or by \`)
			case int(c-'0') > groups:
				return "", errors.New("the expression has no group " + strconv.Itoa(int(c-'0')))
			default:
				b.WriteString("${" + string(c) + "}")
			}
		}
	}
	return b.String(), nil
}
