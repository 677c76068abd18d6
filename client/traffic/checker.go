package traffic

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checker goes through a policy and gathers mistakes. It knows where it is, so that the path of a field is written only
// when there is something to say about it.
type checker struct {
	at   []step
	errs []error
}

// step is a field, or an element of one. An index below 0 is none; a key is that of a map.
type step struct {
	name  string
	index int
	key   string
}

func (c *checker) in(name string)          { c.at = append(c.at, step{name: name, index: -1}) }
func (c *checker) item(name string, i int) { c.at = append(c.at, step{name: name, index: i}) }
func (c *checker) entry(name, key string)  { c.at = append(c.at, step{name: name, index: -1, key: key}) }
func (c *checker) out()                    { c.at = c.at[:len(c.at)-1] }
func (c *checker) err() error              { return errors.Join(c.errs...) }
func (c *checker) add(e *FieldError)       { c.errs = append(c.errs, e) }
func (c *checker) here(v any, why string)  { c.add(&FieldError{Path: c.path(""), Value: v, Why: why}) }
func (c *checker) bad(f string, v any, w string) {
	c.add(&FieldError{Path: c.path(f), Value: v, Why: w})
}

func (c *checker) because(cause error, field string, value any, why string) {
	c.add(&FieldError{Path: c.path(field), Value: value, Why: why, Cause: cause})
}

// path is where the checker is, and the field of that which is meant.
func (c *checker) path(field string) string {
	var b strings.Builder
	for i, s := range c.at {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		switch {
		case s.key != "":
			fmt.Fprintf(&b, "[%q]", s.key)
		case s.index >= 0:
			fmt.Fprintf(&b, "[%d]", s.index)
		}
	}
	if field != "" {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(field)
	}
	return b.String()
}

// sortedKeys are the names of a map in order, so that errors are.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
