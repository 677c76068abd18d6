package traffic

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// fieldInfo is a field of a struct as JSON has it.
type fieldInfo struct {
	name  string
	index []int // the way to it, through embedded structs
	omit  bool  // left out where it is empty
}

var fieldCache sync.Map // reflect.Type to []fieldInfo

// fieldsOf are the fields of a struct, those of embedded ones among them. Where no tag names a field its name with a small
// beginning does: package resilience knows nothing of JSON.
func fieldsOf(t reflect.Type) []fieldInfo {
	if f, ok := fieldCache.Load(t); ok {
		return f.([]fieldInfo)
	}
	var list []fieldInfo
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				list = append(list, inner)
			}
			continue
		}
		if f.IsExported() {
			name, _, options := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				name = lowerCamel(f.Name)
			}
			list = append(list, fieldInfo{name: name, index: []int{i}, omit: options || f.Tag == ""})
		}
	}
	fieldCache.Store(t, list)
	return list
}

func findField(t reflect.Type, name string) (fieldInfo, bool) {
	list := fieldsOf(t)
	i := slices.IndexFunc(list, func(f fieldInfo) bool { return f.name == name })
	if i < 0 {
		return fieldInfo{}, false
	}
	return list[i], true
}

// lowerCamel makes "MaxPercent" to "maxPercent", "TLSMode" to "tlsMode" and "ID" to "id".
func lowerCamel(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		last := i+1 == len(runes)
		if !unicode.IsUpper(r) || i > 0 && !last && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}
