package traffic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// Parse reads a policy from JSON, and is strict: a field that there is not, one that is there twice, a value of the wrong
// type, null, or anything behind the end is a [*ParseError]; several are joined, the first 100. It does not ask whether
// the policy can be honoured, as [Policy.Validate] does.
func Parse(data []byte) (Policy, error) {
	var p Policy
	err := unmarshal(data, &p)
	if err != nil {
		return Policy{}, err
	}
	return p, nil
}

// UnmarshalJSON is [Parse] for package json. Lines and columns count from where the policy begins. On an error the policy
// stays as it was.
func (p *Policy) UnmarshalJSON(data []byte) error {
	q, err := Parse(data)
	if err == nil {
		*p = q
	}
	return err
}

// ParseError is a mistake in JSON.
type ParseError struct {
	// Line and Column are where it is, from 1. Columns count characters.
	Line, Column int
	// Path is the field: "routes[3].match[0].path". Empty: the whole.
	Path string
	// Why says what is wrong.
	Why string
}

func (e *ParseError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("traffic: %d:%d: %s", e.Line, e.Column, e.Why)
	}
	return fmt.Sprintf("traffic: %d:%d: %s: %s", e.Line, e.Column, e.Path, e.Why)
}

// unmarshal reads data into what v points to.
func unmarshal(data []byte, v any) error {
	d := &decoder{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	d.dec.UseNumber()
	if !d.wellFormed() {
		return errors.Join(d.errs...)
	}
	d.value(reflect.ValueOf(v).Elem())
	return errors.Join(d.errs...)
}

// wellFormed says whether the data is JSON at all, one value and nothing behind it, so that the decoder need not ask.
func (d *decoder) wellFormed() bool {
	if bad := invalidUTF8(d.data); bad >= 0 {
		d.failf(bad, "not UTF-8")
		return false
	}
	var raw json.RawMessage
	err := json.Unmarshal(d.data, &raw)
	if err == nil {
		return true
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		d.failf(max(0, int(syntax.Offset)-1), "%v", syntax)
		return false
	}
	d.failf(len(d.data), "%v", err)
	return false
}

// invalidUTF8 is where the first byte stands that is not UTF-8; -1 where there is none.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// maxMistakes bounds what is told of one text: to find each line anew costs as much as to read the text.
const maxMistakes = 100

// failf adds a mistake at an offset of the data.
func (d *decoder) failf(offset int, format string, args ...any) {
	if len(d.errs) == maxMistakes {
		return
	}
	before := d.data[:min(offset, len(d.data))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	d.errs = append(d.errs, &ParseError{Line: line, Column: column, Path: d.path(""), Why: fmt.Sprintf(format, args...)})
}
