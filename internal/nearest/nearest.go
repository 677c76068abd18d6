// Package nearest finds what was probably meant by a name that nobody knows.
package nearest

import (
	"slices"
	"strings"
)

// Name is the name that was meant by one that is unknown; empty where none is near. A difference of case, "_" and "-" alone is
// none; otherwise a third of the letters may differ.
func Name(name string, known []string) string {
	best, distance, same := "", max(1, len(name)/3)+1, plain(name)
	for _, k := range slices.Sorted(slices.Values(known)) {
		if plain(k) == same {
			return k
		}
		if d := Edits(strings.ToLower(name), strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return best
	}
	return extended(name, known)
}

// extended finds the one name that begins or ends as the unknown one does: "h2UpgradeElection" for "h2UpgradePolicy".
func extended(name string, known []string) string {
	best, length := "", 0
	for _, k := range slices.Sorted(slices.Values(known)) {
		if n := max(common(name, k), common(backwards(name), backwards(k))); n > length {
			best, length = k, n
		}
	}
	if length >= 4 && length*2 >= min(len(name), len(best)) {
		return best
	}
	return ""
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n]|0x20 == b[n]|0x20 {
		n++
	}
	return n
}

func backwards(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

var joints = strings.NewReplacer("_", "", "-", "", " ", "")

func plain(s string) string { return strings.ToLower(joints.Replace(s)) }

// maxSuggest is the longest name that is compared: no field has a longer one, and the work grows with the square.
const maxSuggest = 64

// Edits is the number of letters to change, add, take away or swap with the next one to make b of a (optimal string
// alignment), or limit where it is no less, and where one is longer than 64.
func Edits(a, b string, limit int) int {
	if len(a) > maxSuggest || len(b) > maxSuggest || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	var rows [3][maxSuggest + 1]int
	two, one, now := rows[0][:len(b)+1], rows[1][:len(b)+1], rows[2][:len(b)+1]
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(one[j]+1, now[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], two[j-2]+1)
			}
		}
		two, one, now = one, now, two
	}
	return min(limit, one[len(b)])
}
