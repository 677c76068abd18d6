package traffic

import (
	"encoding/json"
	"reflect"
	"slices"
)

var opNames = []string{
	string(OpExact), string(OpPrefix), string(OpPathPrefix), string(OpSuffix), string(OpRegex), string(OpPresent), string(OpAbsent),
}

// condition reads {"prefix":"/v1"}, {"present":true} and {"exact":"x","ignoreCase":true}.
func (d *decoder) condition(v reflect.Value, t json.Token, at int) {
	if t != json.Delim('{') {
		d.wrong(t, at, `an object such as {"exact":"x"}`)
		return
	}
	var c Value
	d.fields(func(name string, at int) {
		d.in(name)
		defer d.out()
		switch {
		case name == "ignoreCase":
			d.value(reflect.ValueOf(&c.IgnoreCase).Elem())
		case !isOp(name):
			d.unknown(name, at, append([]string{"ignoreCase"}, opNames...))
		case c.Op != "":
			d.failf(at, "one condition has two comparisons, %s and %s", c.Op, name)
			d.value(reflect.ValueOf(&c.Text).Elem())
		default:
			c.Op = Op(name)
			d.operand(&c, at)
		}
	})
	v.Set(reflect.ValueOf(c))
}

func (d *decoder) operand(c *Value, at int) {
	if c.Op != OpPresent && c.Op != OpAbsent {
		d.value(reflect.ValueOf(&c.Text).Elem())
		return
	}
	var yes bool
	before := len(d.errs)
	d.value(reflect.ValueOf(&yes).Elem())
	if !yes && len(d.errs) == before {
		d.failf(at, "must be true")
	}
}

func isOp(name string) bool {
	return slices.Contains(opNames, name)
}
