package traffic

import (
	"strings"
	"unicode/utf8"
)

// nearest is the name that was probably meant; empty where none is near.
func nearest(name string, names []string) string {
	if len(name) > 64 {
		return "" // no name here is half as long
	}
	best, at := "", 1+utf8.RuneCountInString(name)/3
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d <= at && (best == "" || d < at) {
			best, at = n, d
		}
	}
	return best
}

// distance is how many letters must be added, taken away or replaced to make a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
