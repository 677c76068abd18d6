package traffic

import (
	"fmt"
	"slices"
	"strings"
)

// facts are the conditions of an entry as numbers, the same for the same condition.
type facts struct {
	are    []int32 // all but that on the path
	follow []int32 // what follows from them
	path   *Value
}

// factIDs numbers conditions, from 1.
type factIDs map[string]int32

func (ids factIDs) id(fact string) int32 {
	if _, ok := ids[fact]; !ok {
		ids[fact] = int32(len(ids) + 1)
	}
	return ids[fact]
}

// of are the facts of an entry. What this process meets of the source is of no account: a policy is good or bad for all
// processes alike.
func (ids factIDs) of(e *entry) facts {
	f := facts{path: &Value{}}
	for i := range e.all {
		switch c := &e.all[i]; c.of {
		case ofNever:
		case ofPath:
			f.path = c.value
		case ofPort:
			f.are = append(f.are, ids.id(fmt.Sprint("port ", c.port)))
		case ofHeader, ofQuery:
			f.are = append(f.are, ids.id(c.fact()))
			if !c.not && c.text.op != isAbsent {
				f.follow = append(f.follow, ids.id(fieldFact(c.of, c.name, false, Present())))
			}
			if c.not && c.text.op == isPresent || !c.not && c.text.op == isAbsent {
				f.follow = append(f.follow, ids.id(fieldFact(c.of, c.name, false, Absent())))
			}
		default:
			f.are = append(f.are, ids.id(c.fact()))
		}
	}
	if e.rule.Match >= 0 {
		source := e.rule.Route.Match[e.rule.Match].Source
		for _, name := range sortedKeys(source) {
			f.are = append(f.are, ids.id(fmt.Sprintf("source %q %q", name, source[name])))
		}
	}
	return f
}

func (c *condition) fact() string {
	if c.value == nil {
		return fmt.Sprint(c.of)
	}
	return fieldFact(c.of, c.name, c.not, *c.value)
}

// rarest is the fact that the fewest entries have; 0 where there is none.
func (f *facts) rarest(uses []int) (fact int32) {
	for _, id := range f.are {
		if fact == 0 || uses[id] < uses[fact] {
			fact = id
		}
	}
	return fact
}

// within says whether all that f says is true where g holds.
func (f *facts) within(g *facts) bool {
	for _, id := range f.are {
		if !slices.Contains(g.are, id) && !slices.Contains(g.follow, id) {
			return false
		}
	}
	return true
}

// coversPath says whether one condition on the path holds wherever another does, as far as that can be seen.
func (s *shadows) coversPath(by, of *Value) bool {
	switch {
	case by.Op == "" || *by == *of:
		return true
	case of.Op == "" || of.IgnoreCase && !by.IgnoreCase:
		return false
	}
	text, other := by.Text, of.Text
	if by.Op == OpPathPrefix {
		text = trimSlash(text)
	}
	if of.Op == OpPathPrefix {
		other = trimSlash(other)
	}
	if by.IgnoreCase {
		text, other = lowerString(text), lowerString(other)
	}
	switch of.Op {
	case OpExact:
		t := s.text(by)
		return t.holds(of.Text)
	case OpSuffix:
		return by.Op == OpSuffix && strings.HasSuffix(other, text)
	case OpRegex:
		if other = s.regexes[of.Text].prefix; by.IgnoreCase {
			other = lowerString(other)
		}
	}
	switch by.Op {
	case OpPrefix:
		return strings.HasPrefix(other, text)
	case OpPathPrefix:
		return of.Op == OpPathPrefix && other == text || strings.HasPrefix(other, text+"/")
	}
	return false
}

func (s *shadows) text(v *Value) text {
	c := compiler{regexes: s.regexes}
	return c.text(*v)
}

func fieldFact(of subject, name string, not bool, v Value) string {
	return fmt.Sprintf("%d %q %t %v", of, name, not, v)
}
