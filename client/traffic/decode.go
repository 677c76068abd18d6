package traffic

import (
	"encoding/json"
	"reflect"
)

// decoder reads JSON that is known to be well-formed into the structs of this package, and says where a mistake is. After
// a mistake it goes on, to find the others.
type decoder struct {
	checker // for the path
	data    []byte
	dec     *json.Decoder
}

// next is the next token and where it begins.
func (d *decoder) next() (json.Token, int) {
	start := int(d.dec.InputOffset())
	for start < len(d.data) {
		switch d.data[start] {
		case ' ', '\t', '\r', '\n', ',', ':':
			start++
			continue
		}
		break
	}
	t, err := d.dec.Token()
	if err != nil {
		d.failf(start, "%v", err)
	}
	return t, start
}

// value reads one value into v.
func (d *decoder) value(v reflect.Value) {
	t, at := d.next()
	switch {
	case v.Type() == durationType:
		d.duration(v, t, at)
	case v.Type() == valueType:
		d.condition(v, t, at)
	case v.Kind() == reflect.Pointer:
		to := reflect.New(v.Type().Elem())
		d.token(to.Elem(), t, at)
		v.Set(to)
	default:
		d.token(v, t, at)
	}
}

// token reads a value that begins with t.
func (d *decoder) token(v reflect.Value, t json.Token, at int) {
	switch v.Kind() {
	case reflect.Struct:
		d.structure(v, t, at)
	case reflect.Map:
		d.table(v, t, at)
	case reflect.Slice:
		d.list(v, t, at)
	case reflect.String:
		if s, ok := t.(string); ok {
			v.SetString(s)
			return
		}
		d.wrong(t, at, "text")
	case reflect.Bool:
		if b, ok := t.(bool); ok {
			v.SetBool(b)
			return
		}
		d.wrong(t, at, "true or false")
	default:
		d.number(v, t, at)
	}
}

// wrong says what should stand where t does, and passes over it.
func (d *decoder) wrong(t json.Token, at int, want string) {
	is := "true or false"
	switch t := t.(type) {
	case nil:
		d.failf(at, "null: leave the field out")
		return
	case string:
		is = "text"
	case json.Number:
		is = "a number"
	case json.Delim:
		is = map[json.Delim]string{'{': "an object", '[': "a list"}[t]
		defer d.skip()
	}
	d.failf(at, "is %s, must be %s", is, want)
}

// skip passes over the rest of an object or list that was begun.
func (d *decoder) skip() {
	for depth := 1; depth > 0; {
		t, err := d.dec.Token()
		switch {
		case err != nil:
			return
		case t == json.Delim('{') || t == json.Delim('['):
			depth++
		case t == json.Delim('}') || t == json.Delim(']'):
			depth--
		}
	}
}
