package traffic

import "strconv"

// Value is a condition on a text. The zero Value holds for every one.
type Value struct {
	// Op is how Text is compared.
	Op Op
	// Text is what the text is compared with.
	Text string
	// IgnoreCase makes no difference between upper and lower case of ASCII letters. A Regex says so itself: "(?i)".
	IgnoreCase bool
}

// Op is a way to compare.
type Op string

// The ways to compare.
const (
	OpExact      Op = "exact"      // the whole text
	OpPrefix     Op = "prefix"     // its beginning
	OpPathPrefix Op = "pathPrefix" // its beginning, in whole segments: "/v1" holds for "/v1" and "/v1/x", not for "/v1x"
	OpSuffix     Op = "suffix"     // its end
	OpRegex      Op = "regex"      // the whole text, in RE2 syntax; at most 4 KiB and 10,000 instructions
	OpPresent    Op = "present"    // there is such a thing, whatever it says
	OpAbsent     Op = "absent"     // there is none
)

// Exact holds for text alone.
func Exact(text string) Value { return Value{Op: OpExact, Text: text} }

// Prefix holds for what begins with text.
func Prefix(text string) Value { return Value{Op: OpPrefix, Text: text} }

// PathPrefix holds for the path and what lies below it.
func PathPrefix(path string) Value { return Value{Op: OpPathPrefix, Text: path} }

// Suffix holds for what ends with text.
func Suffix(text string) Value { return Value{Op: OpSuffix, Text: text} }

// Regex holds for what matches the expression from beginning to end.
func Regex(expr string) Value { return Value{Op: OpRegex, Text: expr} }

// Present holds where there is a header or parameter.
func Present() Value { return Value{Op: OpPresent} }

// Absent holds where there is none.
func Absent() Value { return Value{Op: OpAbsent} }

// String is the condition in words, such as `prefix "/v1"`.
func (v Value) String() string {
	s := string(v.Op)
	switch v.Op {
	case "":
		return "any"
	case OpPresent, OpAbsent:
	default:
		s += " " + strconv.Quote(v.Text)
	}
	if v.IgnoreCase {
		s += " ignoring case"
	}
	return s
}
