package traffic

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// MarshalJSON is the policy as [Parse] reads it. A number that JSON does not know, such as NaN, is an error.
func (p Policy) MarshalJSON() ([]byte, error) { return marshal(p) }

// String is the policy as JSON.
func (p Policy) String() string {
	text, err := p.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func marshal(v any) ([]byte, error) {
	e := &encoder{}
	e.value(reflect.ValueOf(v))
	if e.err != nil {
		return nil, e.err
	}
	return e.buf.Bytes(), nil
}

// encoder writes what package json would, but durations as text, conditions in short, and names as [fieldsOf] has them.
type encoder struct {
	buf bytes.Buffer
	err error
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	valueType    = reflect.TypeFor[Value]()
)

func (e *encoder) value(v reflect.Value) {
	switch v.Type() {
	case durationType:
		e.text(time.Duration(v.Int()).String())
		return
	case valueType:
		e.condition(v.Interface().(Value))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		e.value(v.Elem())
	case reflect.Struct:
		e.structure(v)
	case reflect.Map:
		e.table(v)
	case reflect.Slice:
		e.list(v)
	case reflect.String:
		e.text(v.String())
	case reflect.Bool:
		e.buf.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Float64:
		e.number(v.Float())
	case reflect.Int, reflect.Int32, reflect.Int64:
		e.buf.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.buf.WriteString(strconv.FormatUint(v.Uint(), 10))
	default:
		e.err = fmt.Errorf("traffic: no JSON for %s", v.Type())
	}
}

func (e *encoder) structure(v reflect.Value) {
	e.buf.WriteByte('{')
	some := false
	for _, f := range fieldsOf(v.Type()) {
		field := v.FieldByIndex(f.index)
		if f.omit && field.IsZero() || field.Kind() == reflect.Pointer && field.IsNil() {
			continue
		}
		if some {
			e.buf.WriteByte(',')
		}
		some = true
		e.text(f.name)
		e.buf.WriteByte(':')
		e.value(field)
	}
	e.buf.WriteByte('}')
}

func (e *encoder) table(v reflect.Value) {
	e.buf.WriteByte('{')
	byName := make(map[string]reflect.Value, v.Len())
	for it := v.MapRange(); it.Next(); {
		byName[it.Key().String()] = it.Value()
	}
	for i, name := range slices.Sorted(maps.Keys(byName)) {
		if i > 0 {
			e.buf.WriteByte(',')
		}
		e.text(name)
		e.buf.WriteByte(':')
		e.value(byName[name])
	}
	e.buf.WriteByte('}')
}

func (e *encoder) list(v reflect.Value) {
	e.buf.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			e.buf.WriteByte(',')
		}
		e.value(v.Index(i))
	}
	e.buf.WriteByte(']')
}
