package traffic

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// text writes a string. Signs of HTML stay as they are: a policy is no web page.
func (e *encoder) text(s string) {
	if !utf8.ValidString(s) {
		e.err = fmt.Errorf("traffic: %q has no JSON: it is not UTF-8", s)
	}
	enc := json.NewEncoder(&e.buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		e.err = err
	}
	e.buf.Truncate(e.buf.Len() - 1)
}

func (e *encoder) number(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.err = fmt.Errorf("traffic: %v has no JSON", f)
		return
	}
	e.buf.WriteString(strconv.FormatFloat(f, 'g', -1, 64))
}

// condition writes {"exact":"x","ignoreCase":true}; the empty one is {}.
func (e *encoder) condition(v Value) {
	e.buf.WriteByte('{')
	switch v.Op {
	case "":
	case OpPresent, OpAbsent:
		e.text(string(v.Op))
		e.buf.WriteString(":true")
	default:
		e.text(string(v.Op))
		e.buf.WriteByte(':')
		e.text(v.Text)
	}
	if v.IgnoreCase {
		if v.Op != "" {
			e.buf.WriteByte(',')
		}
		e.buf.WriteString(`"ignoreCase":true`)
	}
	e.buf.WriteByte('}')
}
