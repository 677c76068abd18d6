package traffic

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// text is a [Value] that is ready to be asked.
type text struct {
	op   comparison
	fold bool
	text string // in lower case where fold is set
	re   *regexp.Regexp
}

// comparison is an [Op] as a number, which is faster to tell apart.
type comparison uint8

const (
	isAny comparison = iota
	isExact
	isPrefix
	isPathPrefix
	isSuffix
	isRegex
	isPresent
	isAbsent
)

var comparisons = map[Op]comparison{
	"": isAny, OpExact: isExact, OpPrefix: isPrefix, OpPathPrefix: isPathPrefix, OpSuffix: isSuffix, OpRegex: isRegex,
	OpPresent: isPresent, OpAbsent: isAbsent,
}

// holds says whether the condition holds for a text that is there.
func (t *text) holds(s string) bool {
	switch t.op {
	case isExact:
		return len(s) == len(t.text) && t.begins(s)
	case isPrefix:
		return t.begins(s)
	case isPathPrefix:
		n := len(t.text)
		return t.begins(s) && (len(s) == n || s[n] == '/')
	case isSuffix:
		return len(s) >= len(t.text) && t.begins(s[len(s)-len(t.text):])
	case isRegex:
		return t.re.MatchString(s)
	}
	return t.op != isAbsent
}

func (t *text) begins(s string) bool {
	if len(s) < len(t.text) {
		return false
	}
	if !t.fold {
		return s[:len(t.text)] == t.text
	}
	for i := range len(t.text) {
		if lower(s[i]) != t.text[i] {
			return false
		}
	}
	return true
}

// lower is an ASCII letter in lower case, and what is none as it is.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func lowerString(s string) string {
	for i := range len(s) {
		if s[i] != lower(s[i]) {
			return strings.Map(func(r rune) rune {
				if r < 0x80 {
					return rune(lower(byte(r)))
				}
				return r
			}, s)
		}
	}
	return s
}

// Bounds of a regular expression: a policy comes from outside, and what RE2 spends is in proportion to the program.
const (
	maxRegexText    = 4 << 10
	maxRegexProgram = 10_000
)

// compileRegex is the expression as one that matches whole texts, and what every match begins with.
func compileRegex(expr string, cache map[string]*regex) (*regex, error) {
	if r, ok := cache[expr]; ok {
		return r, nil
	}
	if len(expr) > maxRegexText {
		return nil, errors.New("longer than 4 KiB")
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, errors.New(regexFault(err))
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, errors.New(regexFault(err))
	}
	if len(prog.Inst) > maxRegexProgram {
		return nil, errors.New("needs more than 10,000 instructions")
	}
	whole, err := regexp.Compile(`\A(?:` + expr + `)\z`)
	if err != nil {
		return nil, errors.New(regexFault(err))
	}
	prefix, _ := prog.Prefix()
	r := &regex{whole: whole, prefix: prefix, groups: tree.MaxCap()}
	cache[expr] = r
	return r, nil
}

// regex is an expression that matches whole texts, what all that it matches begins with, and its number of groups.
type regex struct {
	whole  *regexp.Regexp
	prefix string
	groups int
}

// regexFault is what is wrong, without "error parsing regexp" in front.
func regexFault(err error) string {
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		return e.Code.String()
	}
	return err.Error()
}
