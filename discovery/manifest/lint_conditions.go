package manifest

import (
	"regexp"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// conditions are those of the policy as they are asked about names of methods, with their regular expressions. Package
// traffic asks requests, of which there are none here.
type conditions map[string]*regexp.Regexp

// holds says whether a condition holds for a text that is there.
func (c conditions) holds(v traffic.Value, text string) bool {
	want := v.Text
	if v.IgnoreCase {
		want, text = strings.ToLower(want), strings.ToLower(text)
	}
	switch v.Op {
	case traffic.OpExact:
		return text == want
	case traffic.OpPrefix:
		return strings.HasPrefix(text, want)
	case traffic.OpPathPrefix:
		want = strings.TrimRight(want, "/")
		return text == want || strings.HasPrefix(text, want+"/")
	case traffic.OpSuffix:
		return strings.HasSuffix(text, want)
	case traffic.OpRegex:
		re := c.regex(v.Text)
		return re != nil && re.MatchString(text)
	}
	return v.Op != traffic.OpAbsent
}

// regex is the expression for whole texts; nil where it is none, which loading has refused.
func (c conditions) regex(expr string) *regexp.Regexp {
	if re, known := c[expr]; known {
		return re
	}
	re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
	if err != nil {
		re = nil
	}
	c[expr] = re
	return re
}
