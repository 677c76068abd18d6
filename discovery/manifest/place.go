package manifest

import (
	"strconv"
	"strings"
)

// place is where a value of an object stands. It is kept for as long as the object is, in a tenth of the memory that the
// YAML tree takes, so that whoever finds a mistake later can still say where it is.
type place struct {
	key          string // of a field or a map; empty in a list
	line, column int32
	sub          []place
}

// add appends a place below p. The pointer is good until the next add to p.
func (p *place) add(key string, line, column int) *place {
	p.sub = append(p.sub, place{key: key, line: int32(line), column: int32(column)})
	return &p.sub[len(p.sub)-1]
}

// find is the place of a field, as "spec.http[0].match[1].headers[\"x-user\"]"; where there is no such field, that of the
// nearest one around it.
func (p *place) find(path string) *place {
	for path != "" {
		var key string
		key, path = step(path)
		next := p.child(key)
		if next == nil {
			return p
		}
		p = next
	}
	return p
}

// child is the place of a field, of a key of a map, or of an item of a list by its number.
func (p *place) child(key string) *place {
	for i := range p.sub {
		if p.sub[i].key == key {
			return &p.sub[i]
		}
	}
	if i, ok := number(key); ok && i < len(p.sub) && p.sub[i].key == "" {
		return &p.sub[i]
	}
	return nil
}

// step takes the first step off a path.
func step(path string) (key, rest string) {
	path = strings.TrimPrefix(path, ".")
	if !strings.HasPrefix(path, "[") {
		i := strings.IndexAny(path, ".[")
		if i < 0 {
			return path, ""
		}
		if i == 0 {
			return path[:1], path[1:]
		}
		return path[:i], path[i:]
	}
	if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
		key, _ = strconv.Unquote(quoted)
		return key, strings.TrimPrefix(path[1+len(quoted):], "]")
	}
	key, rest, _ = strings.Cut(path[1:], "]")
	return key, rest
}

// index is a path with the number of an item behind it.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// entry is a path with a key of a map behind it.
func entry(path, key string) string { return path + "[" + strconv.Quote(key) + "]" }

// number reads the number of an item.
func number(s string) (int, bool) {
	i, err := strconv.Atoi(s)
	return i, err == nil && i >= 0
}
