package traffic

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"github.com/intramesh/intramesh/internal/nearest"
)

// fields reads an object, and has each do the value of a name. A name that is there twice is a mistake.
func (d *decoder) fields(each func(name string, at int)) {
	seen := make(map[string]bool)
	for d.dec.More() {
		t, at := d.next()
		name, _ := t.(string)
		if seen[name] {
			d.failf(at, "%q is there twice", name)
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
	if len(d.errs) == maxMistakes {
		names = nil // nobody would learn it
	}
	if n := nearest.Name(name, names); n != "" {
		why += ", did you mean " + strconv.Quote(n) + "?"
	}
	d.failf(at, "%s", why)
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
		d.failf(at, "%q: not a duration such as \"1.5s\"", s)
		return
	}
	v.SetInt(int64(n))
}
