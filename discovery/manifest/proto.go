package manifest

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/intramesh/intramesh/internal/nearest"
)

// shape is what a message or struct may hold.
type shape struct {
	fields map[string]*member
	names  []string
}

// member is a field of a message.
type member struct {
	name   string
	key    string // in the rules
	rule   rule
	desc   protoreflect.FieldDescriptor
	values map[string]rule // of an enumeration that has rules of its own
}

// istioPackage is what rules leave out of the names of messages.
const istioPackage = "istio.networking.v1alpha3."

// shapes keeps what was worked out of each message.
var shapes sync.Map // protoreflect.FullName to *shape

func shapeOf(m protoreflect.MessageDescriptor) *shape {
	if s, ok := shapes.Load(m.FullName()); ok {
		return s.(*shape)
	}
	s := &shape{fields: map[string]*member{}}
	name := messageName(m)
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		x := &member{name: f.JSONName(), key: name + "." + f.JSONName(), desc: f}
		x.rule = istioRules.of(x.key)
		x.values = valueRules(x)
		s.fields[x.name] = x
		s.names = append(s.names, x.name)
	}
	shapes.Store(m.FullName(), s)
	return s
}

func messageName(m protoreflect.MessageDescriptor) string {
	return strings.TrimPrefix(string(m.FullName()), istioPackage)
}

// valueRules are those of the values of an enumeration.
func valueRules(x *member) map[string]rule {
	e := x.desc.Enum()
	if e == nil {
		return nil
	}
	values := map[string]rule{}
	for i := range e.Values().Len() {
		name := string(e.Values().Get(i).Name())
		if r, ok := istioRules[x.key+"="+name]; ok {
			values[name] = r
		}
	}
	return values
}

// message reads a proto message.
func (d *decoder) message(n *yaml.Node, m protoreflect.Message, at *place) {
	s := shapeOf(m.Descriptor())
	d.mapping(n, func(key string, k, v *yaml.Node) {
		d.enter(key)
		defer d.leave()
		x, known := s.fields[key]
		if !known {
			d.unknown(k, v, key, s.names)
			return
		}
		if d.apply(x.rule, k, v) {
			d.protoField(m, x, k, v, at.add(x.name, k.Line, k.Column))
		}
	})
}

// unknown refuses a field that does not exist.
func (d *decoder) unknown(k, v *yaml.Node, key string, names []string) {
	suggestion := ""
	if !d.file.full() {
		suggestion = nearest.Name(key, names)
	}
	d.leaveOut(k, "unknown field", suggestion)
	d.skim(v)
}

// apply does what the rule of a field says, and reports whether the field is to be read.
func (d *decoder) apply(r rule, k, v *yaml.Node) bool {
	switch n, ok := d.visit(v); {
	case !ok:
		return false
	case r.use == useAside:
		d.skim(v)
		return false
	case isNull(n):
		d.find(Warning, k, "has no value and is taken as not given", "")
		return false
	case r.use == useRefused:
		d.leaveOut(k, r.note, "")
		d.skim(v)
		return false
	case r.use == useWarned:
		d.find(Warning, k, r.note, "")
	}
	return true
}

func (d *decoder) protoField(m protoreflect.Message, x *member, k, v *yaml.Node, at *place) {
	f := x.desc
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		if other := m.WhichOneof(o); other != nil {
			d.failf(k, "only one of %s and %s can be given", other.JSONName(), x.name)
			return
		}
	}
	switch {
	case f.IsMap():
		d.protoMap(m.Mutable(f).Map(), f, v, at)
	case f.IsList():
		list := m.Mutable(f).List()
		d.list(v, at, func(_ int, v *yaml.Node, at *place) {
			if value, ok := d.protoValue(list.NewElement, x, f, v, at); ok {
				list.Append(value)
			}
		})
	default:
		if value, ok := d.protoValue(func() protoreflect.Value { return m.NewField(f) }, x, f, v, at); ok {
			m.Set(f, value)
		}
	}
}

func (d *decoder) protoMap(into protoreflect.Map, f protoreflect.FieldDescriptor, v *yaml.Node, at *place) {
	d.mapping(v, func(key string, k, v *yaml.Node) {
		d.enter(entry("", key))
		defer d.leave()
		value, ok := d.protoValue(into.NewValue, nil, f.MapValue(), v, at.add(key, k.Line, k.Column))
		if ok {
			into.Set(protoreflect.ValueOfString(key).MapKey(), value)
		}
	})
}

// protoValue reads one value; fresh makes an empty one where it is a message.
func (d *decoder) protoValue(fresh func() protoreflect.Value, x *member, f protoreflect.FieldDescriptor, n *yaml.Node, at *place) (v protoreflect.Value, ok bool) {
	n, ok = d.visit(n)
	if !ok {
		return v, false
	}
	switch f.Kind() {
	case protoreflect.MessageKind:
		return d.protoMessage(fresh, f.Message(), n, at)
	case protoreflect.EnumKind:
		return d.protoEnum(x, f.Enum(), n)
	}
	return d.protoScalar(f.Kind(), n)
}

func (d *decoder) protoScalar(kind protoreflect.Kind, n *yaml.Node) (v protoreflect.Value, ok bool) {
	switch kind {
	case protoreflect.StringKind:
		s, ok := d.text(n)
		return protoreflect.ValueOfString(s), ok
	case protoreflect.BoolKind:
		b, ok := d.boolean(n)
		return protoreflect.ValueOfBool(b), ok
	case protoreflect.Int32Kind:
		i, ok := d.integer(n, math.MinInt32, math.MaxInt32)
		return protoreflect.ValueOfInt32(int32(i)), ok
	case protoreflect.Uint32Kind:
		i, ok := d.integer(n, 0, math.MaxUint32)
		return protoreflect.ValueOfUint32(uint32(i)), ok
	case protoreflect.Uint64Kind: // as far as a number of JSON reaches without loss
		i, ok := d.integer(n, 0, 1<<53)
		return protoreflect.ValueOfUint64(uint64(i)), ok
	case protoreflect.DoubleKind:
		f, ok := d.float(n)
		return protoreflect.ValueOfFloat64(f), ok
	case protoreflect.BytesKind:
		s, ok := d.text(n)
		b, err := base64.StdEncoding.DecodeString(s)
		if ok && err != nil {
			d.failf(n, "want base64")
		}
		return protoreflect.ValueOfBytes(b), ok && err == nil
	}
	panic("manifest: no reader for fields of kind " + kind.String()) // a test walks all fields
}

func (d *decoder) protoEnum(x *member, e protoreflect.EnumDescriptor, n *yaml.Node) (v protoreflect.Value, ok bool) {
	s, ok := d.text(n)
	if !ok {
		return v, false
	}
	value := e.Values().ByName(protoreflect.Name(s))
	if value == nil {
		var names []string
		for i := range e.Values().Len() {
			names = append(names, string(e.Values().Get(i).Name()))
		}
		why := fmt.Sprintf("%.40q is none of %s", s, strings.Join(names, ", "))
		d.find(Error, n, why, nearest.Name(s, names))
		return v, false
	}
	if x != nil {
		if r, has := x.values[s]; has && r.use == useRefused {
			d.leaveOut(n, s+": "+r.note, "")
			return v, false
		} else if has && r.use == useWarned {
			d.find(Warning, n, s+": "+r.note, "")
		}
	}
	return protoreflect.ValueOfEnum(value.Number()), true
}

// protoMessage reads a message; those that stand for a scalar are written as one.
func (d *decoder) protoMessage(fresh func() protoreflect.Value, desc protoreflect.MessageDescriptor, n *yaml.Node, at *place) (v protoreflect.Value, ok bool) {
	switch desc.FullName() {
	case "google.protobuf.Duration":
		t, ok := d.duration(n)
		return protoreflect.ValueOfMessage(durationpb.New(t).ProtoReflect()), ok
	case "google.protobuf.BoolValue":
		b, ok := d.boolean(n)
		return protoreflect.ValueOfMessage(wrapperspb.Bool(b).ProtoReflect()), ok
	case "google.protobuf.UInt32Value":
		i, ok := d.integer(n, 0, math.MaxUint32)
		return protoreflect.ValueOfMessage(wrapperspb.UInt32(uint32(i)).ProtoReflect()), ok
	case "google.protobuf.Int32Value":
		i, ok := d.integer(n, math.MinInt32, math.MaxInt32)
		return protoreflect.ValueOfMessage(wrapperspb.Int32(int32(i)).ProtoReflect()), ok
	case "google.protobuf.DoubleValue":
		f, ok := d.float(n)
		return protoreflect.ValueOfMessage(wrapperspb.Double(f).ProtoReflect()), ok
	}
	v = fresh()
	d.message(n, v.Message(), at)
	return v, true
}
