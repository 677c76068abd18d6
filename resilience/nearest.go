package resilience

// nearest is the token that is the fewest edits away from what was written; of two as near, the first by the alphabet.
func nearest(written string) string {
	const enough = 40 // longer than any token: more would not change the answer, only cost time
	written = written[:min(len(written), enough)]
	best, least := "", enough*2
	for token := range tokens {
		if d := distance(written, token); d < least || d == least && token < best {
			best, least = token, d
		}
	}
	return best
}

// distance is the number of bytes to insert, remove or replace to make b of a (Levenshtein).
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
