package manifest

import "maps"

// rule says what becomes of a field.
type rule struct {
	use use
	// note says by what it is honoured, where that is not plain, or why it is not.
	note string
}

// use is what becomes of a field that is set.
type use uint8

const (
	useHonoured use = iota // it acts as its project documents it
	useRefused             // it cannot be honoured: an error, in lenient mode a warning, and it is left out
	useWarned              // it has no effect here: a warning
	useAside               // it says nothing that concerns who calls: no finding
	useJudged              // refused by the code behind, where its resource counts at all; of the value only that it is there is read
)

func (u use) String() string {
	return [...]string{"honoured", "refused", "no effect, with a warning", "not of concern", "refused"}[u]
}

// opens says whether what is below a field is read.
func (u use) opens() bool { return u == useHonoured || u == useWarned }

// rules are what becomes of fields, by "Message.field": the name of the proto message or Go type that has the field,
// without its package, and the field as it is written in YAML. "Message.field=VALUE" is for one value of an enumeration,
// where it differs from its field. Below a field that is refused or aside nothing needs a rule.
type rules map[string]rule

func honoured(note string) rule { return rule{useHonoured, note} }
func refused(why string) rule   { return rule{useRefused, why} }
func warned(why string) rule    { return rule{useWarned, why} }
func aside(why string) rule     { return rule{useAside, why} }
func judged(why string) rule    { return rule{useJudged, why} }

// unruled is for a field that is in no table, which a test sees to that there is none.
var unruled = refused("is not known to this version")

func (r rules) of(key string) rule {
	if x, ok := r[key]; ok {
		return x
	}
	return unruled
}

// join makes one table of several. A key that stands in two is a mistake that a test finds.
func join(tables ...rules) rules {
	all := rules{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}
