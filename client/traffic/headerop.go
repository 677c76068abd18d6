package traffic

import (
	"maps"
	"net/textproto"
	"slices"
)

// HeaderOp is one change of a header, with the name in both spellings.
type HeaderOp struct {
	Kind HeaderOpKind
	// Lower is the name in lower case, for gRPC's metadata; Canonical as [net/http.Header] has it.
	Lower, Canonical string
	// Value is that of OpSet and OpAdd.
	Value string
}

// HeaderOpKind says what becomes of a header.
type HeaderOpKind uint8

// The changes of a header.
const (
	HeaderRemove HeaderOpKind = iota // take all its values away
	HeaderSet                        // replace all its values by one
	HeaderAdd                        // add a value to those that are there
)

// String is one word.
func (k HeaderOpKind) String() string {
	return [...]string{"remove", "set", "add"}[k]
}

// ops are the changes in the order in which they are made. Names are sorted, so that two processes do the same.
func ops(all ...HeaderOps) []HeaderOp {
	var list []HeaderOp
	for _, h := range all {
		if len(h.Remove)+len(h.Set)+len(h.Add) == 0 {
			continue // as nearly all are, of thousands of routes
		}
		for _, name := range slices.Sorted(slices.Values(h.Remove)) {
			list = append(list, headerOp(HeaderRemove, name, ""))
		}
		for _, name := range slices.Sorted(maps.Keys(h.Set)) {
			list = append(list, headerOp(HeaderSet, name, h.Set[name]))
		}
		for _, name := range slices.Sorted(maps.Keys(h.Add)) {
			list = append(list, headerOp(HeaderAdd, name, h.Add[name]))
		}
	}
	return list
}

func headerOp(kind HeaderOpKind, name, value string) HeaderOp {
	return HeaderOp{Kind: kind, Lower: lowerString(name), Canonical: textproto.CanonicalMIMEHeaderKey(name), Value: value}
}
