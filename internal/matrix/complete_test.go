package matrix

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// TestEveryFieldHasARow fails when a field is added that no row sets, and when a row sets more or other than it says.
func TestEveryFieldHasARow(t *testing.T) {
	t.Run("client.Config", func(t *testing.T) {
		complete(t, clientRows, func(r row, w *world) (c client.Config) {
			if r.client != nil {
				r.client(&c, w)
			}
			return c
		})
	})
	t.Run("client.Options", func(t *testing.T) {
		complete(t, optionRows, func(r row, _ *world) client.Options { return *r.options })
	})
	t.Run("server.Config", func(t *testing.T) {
		complete(t, serverRows, func(r row, w *world) (c server.Config) {
			if r.server != nil {
				r.server(&c, w)
			}
			return c
		})
	})
	t.Run("servergrpc.Transport", func(t *testing.T) {
		complete(t, transportRows, func(r row, _ *world) servergrpc.Transport { return *r.transport })
	})
}

// complete compares the fields of a type with what the rows set in it.
func complete[T any](t *testing.T, rows []row, build func(row, *world) T) {
	t.Helper()
	var covered []string
	for _, r := range rows {
		var want []string
		if r.field != "" {
			covered, want = append(covered, r.field), []string{r.field}
		}
		if d := cmp.Diff(want, set(build(r, &world{t: t}))); d != "" {
			t.Errorf("the row %q sets something else (-named +set):\n%s", r.field, d)
		}
	}
	fields := leaves(reflect.TypeFor[T](), "")
	slices.Sort(fields)
	slices.Sort(covered)
	if d := cmp.Diff(fields, covered); d != "" {
		t.Errorf("each field needs one row (-fields +rows):\n%s", d)
	}
}

// inner are the types whose fields count as the fields of what holds them.
var inner = []reflect.Type{reflect.TypeFor[resilience.Config](), reflect.TypeFor[resilience.Policy]()}

// leaves lists the fields of a struct by their paths.
func leaves(t reflect.Type, path string) (names []string) {
	for f := range t.Fields() {
		if slices.Contains(inner, f.Type) {
			names = append(names, leaves(f.Type, path+f.Name+".")...)
		} else {
			names = append(names, path+f.Name)
		}
	}
	return names
}

// set lists the fields of a struct that are not zero.
func set(config any) (names []string) {
	v := reflect.ValueOf(config)
	for _, name := range leaves(v.Type(), "") {
		if !field(v, name).IsZero() {
			names = append(names, name)
		}
	}
	return names
}

// field finds a field by its path.
func field(v reflect.Value, path string) reflect.Value {
	for i, c := range path {
		if c == '.' {
			return field(v.FieldByName(path[:i]), path[i+1:])
		}
	}
	return v.FieldByName(path)
}
