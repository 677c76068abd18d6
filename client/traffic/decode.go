package traffic

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"
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
		d.fail(start, "%v", err)
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
		d.fail(at, "null: leave the field out")
		return
	case string:
		is = "text"
	case json.Number:
		is = "a number"
	case json.Delim:
		is = map[json.Delim]string{'{': "an object", '[': "a list"}[t]
		defer d.skip()
	}
	d.fail(at, "is %s, must be %s", is, want)
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

// fields reads an object, and has each do the value of a name. A name that is there twice is a mistake.
func (d *decoder) fields(each func(name string, at int)) {
	seen := make(map[string]bool)
	for d.dec.More() {
		t, at := d.next()
		name, _ := t.(string)
		if seen[name] {
			d.fail(at, "%q is there twice", name)
		}
		seen[name] = true
		each(name, at)
	}
	d.next()
}

func (d *decoder) structure(v reflect.Value, t json.Token, at int) {
	if t != json.Delim('{') {
		d.wrong(t, at, "an object")
		return
	}
	d.fields(func(name string, at int) {
		d.in(name)
		defer d.out()
		f, ok := findField(v.Type(), name)
		if !ok {
			d.unknown(name, at, fieldNames(v.Type()))
			return
		}
		d.value(v.FieldByIndex(f.index))
	})
}

// unknown says that there is no such field, and which was probably meant.
func (d *decoder) unknown(name string, at int, names []string) {
	why := "unknown field"
	if n := nearest(name, names); n != "" {
		why += ", did you mean " + strconv.Quote(n) + "?"
	}
	d.fail(at, "%s", why)
	if t, _ := d.next(); t == json.Delim('{') || t == json.Delim('[') {
		d.skip()
	}
}

func fieldNames(t reflect.Type) (names []string) {
	for _, f := range fieldsOf(t) {
		names = append(names, f.name)
	}
	return names
}

func (d *decoder) table(v reflect.Value, t json.Token, at int) {
	if t != json.Delim('{') {
		d.wrong(t, at, "an object")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.fields(func(name string, _ int) {
		d.last().key = name
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(value)
		v.SetMapIndex(reflect.ValueOf(name), value)
	})
	d.last().key = ""
}

func (d *decoder) list(v reflect.Value, t json.Token, at int) {
	if t != json.Delim('[') {
		d.wrong(t, at, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for i := 0; d.dec.More(); i++ {
		d.last().index = i
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(item)
		v.Set(reflect.Append(v, item))
	}
	d.last().index = -1
	d.next()
}

// last is the step that the decoder is at.
func (d *decoder) last() *step { return &d.at[len(d.at)-1] }

func (d *decoder) duration(v reflect.Value, t json.Token, at int) {
	s, ok := t.(string)
	if !ok {
		d.wrong(t, at, `a duration such as "1.5s"`)
		return
	}
	n, err := time.ParseDuration(s)
	if err != nil {
		d.fail(at, "%q: not a duration such as \"1.5s\"", s)
		return
	}
	v.SetInt(int64(n))
}
