package telemetry

import (
	"slices"
	"strings"
)

// Limits of a tracestate. 32 members and the rule for what is dropped first are the recommendation's, which asks for at
// least 512 characters to be passed on; more are, because they are somebody's.
const (
	maxStateMembers = 32
	maxStateLength  = 4096
	longStateMember = 128
)

// parseState reads the values of all tracestate headers as one list and writes it as it is to be sent: without white
// space around members and without empty ones. What is malformed makes the whole list void, as do a key that stands
// twice and more than 32 members; a valid traceparent beside it counts nevertheless.
func parseState(values []string) string {
	if len(values) == 1 && len(values[0]) <= maxStateLength && plainState(values[0]) {
		return values[0]
	}
	members := make([]string, 0, maxStateMembers)
	length := -1
	for _, v := range values {
		for m := range strings.SplitSeq(v, ",") {
			m = strings.Trim(m, " \t")
			if m == "" {
				continue
			}
			if !validMember(m) || len(members) == maxStateMembers || has(members, m) {
				return ""
			}
			members = append(members, m)
			length += len(m) + 1
		}
	}
	return strings.Join(shorten(members, length), ",")
}

// plainState reports whether s is one member with nothing around it, which is what mostly arrives.
func plainState(s string) bool { return strings.IndexByte(s, ',') < 0 && validMember(s) }

func has(members []string, m string) bool {
	key, _, _ := strings.Cut(m, "=")
	return slices.ContainsFunc(members, func(other string) bool {
		return len(other) > len(key) && other[len(key)] == '=' && other[:len(key)] == key
	})
}

// shorten drops members until the list is no longer than it may be: long ones first, then from the end.
func shorten(members []string, length int) []string {
	for i := len(members) - 1; i >= 0 && length > maxStateLength; i-- {
		if len(members[i]) > longStateMember {
			length -= len(members[i]) + 1
			members = slices.Delete(members, i, i+1)
		}
	}
	for length > maxStateLength {
		length -= len(members[len(members)-1]) + 1
		members = members[:len(members)-1]
	}
	return members
}

func validMember(m string) bool {
	key, value, ok := strings.Cut(m, "=")
	return ok && validKey(key) && validValue(value)
}

// validKey: a simple key of at most 256 characters that begins with a letter, or tenant@system.
func validKey(key string) bool {
	tenant, system, multi := strings.Cut(key, "@")
	if !multi {
		return len(key) > 0 && len(key) <= 256 && letter(key[0]) && keyChars(key)
	}
	return len(tenant) > 0 && len(tenant) <= 241 && (letter(tenant[0]) || digit(tenant[0])) && keyChars(tenant) &&
		len(system) > 0 && len(system) <= 14 && letter(system[0]) && keyChars(system)
}

func keyChars(s string) bool {
	for i := range len(s) {
		if c := s[i]; !letter(c) && !digit(c) && c != '_' && c != '-' && c != '*' && c != '/' {
			return false
		}
	}
	return true
}

// validValue: 1 to 256 printable characters without comma and equals sign, the last one no space.
func validValue(v string) bool {
	if len(v) == 0 || len(v) > 256 || v[len(v)-1] == ' ' {
		return false
	}
	for i := range len(v) {
		if c := v[i]; c < ' ' || c > '~' || c == ',' || c == '=' {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }
