package manifest

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/intramesh/intramesh/internal/nearest"
)

// goShape is what a struct may hold, by the names in its JSON tags.
type goShape struct {
	fields map[string]*goMember
	names  []string
}

type goMember struct {
	name  string
	key   string // in the rules
	rule  rule
	index []int
}

var goShapes sync.Map // reflect.Type to *goShape

func goShapeOf(t reflect.Type) *goShape {
	if s, ok := goShapes.Load(t); ok {
		return s.(*goShape)
	}
	s := &goShape{fields: map[string]*goMember{}}
	s.add(t, nil)
	goShapes.Store(t, s)
	return s
}

// add takes the fields of a struct, and those of the structs that are embedded in it. A rule is kept by the type that
// declares the field.
func (s *goShape) add(t reflect.Type, index []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clip(index), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			s.add(f.Type, at)
		case f.IsExported() && name != "" && name != "-":
			key := typeName(t) + "." + name
			s.fields[name] = &goMember{name: name, key: key, rule: goRules.of(key), index: at}
			s.names = append(s.names, name)
		}
	}
}

// typeName is the name of a type in the rules.
func typeName(t reflect.Type) string { return t.Name() }

// anything is the type of a field that is not read.
type anything struct{}

// structure reads a struct by its JSON tags.
func (d *decoder) structure(n *yaml.Node, into reflect.Value, at *place) {
	s := goShapeOf(into.Type())
	d.mapping(n, func(key string, k, v *yaml.Node) {
		d.enter(key)
		defer d.leave()
		x, known := s.fields[key]
		if !known {
			d.unknown(k, v, key, s.names)
			return
		}
		if x.name == "creationTimestamp" && isNull(v) {
			return // as tools print a resource that no server has seen
		}
		if !d.apply(x.rule, k, v) {
			return
		}
		field, at := into.FieldByIndex(x.index), at.add(x.name, k.Line, k.Column)
		if x.rule.use == useJudged {
			d.skim(v)
			field.Set(reflect.New(field.Type().Elem()))
			return
		}
		d.goValue(field, v, at)
	})
}

// goValue reads one value into v.
func (d *decoder) goValue(into reflect.Value, n *yaml.Node, at *place) {
	n, ok := d.visit(n)
	if !ok {
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(into.Type().Elem())
		before := len(d.file.findings)
		d.goValue(fresh.Elem(), n, at)
		if len(d.file.findings) == before || !fresh.Elem().IsZero() || fresh.Elem().Kind() == reflect.Struct {
			into.Set(fresh)
		}
	case reflect.Struct:
		if t, is := reflect.TypeAssert[*instant](into.Addr()); is {
			t.Time = d.instant(n)
			return
		}
		d.structure(n, into, at)
	case reflect.Slice:
		d.list(n, at, func(_ int, v *yaml.Node, at *place) {
			item := reflect.New(into.Type().Elem()).Elem()
			d.goValue(item, v, at)
			into.Set(reflect.Append(into, item))
		})
	case reflect.Map:
		d.goMap(into, n, at)
	default:
		d.goScalar(into, n)
	}
}

func (d *decoder) goMap(into reflect.Value, n *yaml.Node, at *place) {
	into.Set(reflect.MakeMap(into.Type()))
	d.mapping(n, func(key string, k, v *yaml.Node) {
		d.enter(entry("", key))
		defer d.leave()
		item := reflect.New(into.Type().Elem()).Elem()
		d.goValue(item, v, at.add(key, k.Line, k.Column))
		into.SetMapIndex(reflect.ValueOf(key).Convert(into.Type().Key()), item)
	})
}

func (d *decoder) goScalar(into reflect.Value, n *yaml.Node) {
	switch into.Kind() {
	case reflect.String:
		if into.Type() == reflect.TypeFor[portRef]() && n.Tag == "!!int" {
			if i, ok := d.integer(n, 1, math.MaxUint16); ok {
				into.SetString(strconv.FormatInt(i, 10))
			}
			return
		}
		if s, ok := d.text(n); ok && d.oneOf(into.Type(), n, s) {
			into.SetString(s)
		}
	case reflect.Bool:
		if b, ok := d.boolean(n); ok {
			into.SetBool(b)
		}
	case reflect.Int32:
		if i, ok := d.integer(n, math.MinInt32, math.MaxInt32); ok {
			into.SetInt(i)
		}
	case reflect.Int, reflect.Int64:
		if i, ok := d.integer(n, math.MinInt64, math.MaxInt64); ok {
			into.SetInt(i)
		}
	case reflect.Uint16:
		if i, ok := d.integer(n, 0, math.MaxUint16); ok {
			into.SetUint(uint64(i))
		}
	default:
		panic("manifest: no reader for fields of type " + into.Type().String()) // a test walks all fields
	}
}

// oneOf checks a text whose type is an enumeration.
func (d *decoder) oneOf(t reflect.Type, n *yaml.Node, s string) bool {
	values, is := goEnums[typeName(t)]
	if !is {
		return true
	}
	if slices.Contains(values, s) {
		return true
	}
	why := fmt.Sprintf("%.40q is none of %s", s, strings.Join(values, ", "))
	d.find(Error, n, why, nearest.Name(s, values))
	return false
}
