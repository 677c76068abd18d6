package resilience

import "github.com/intramesh/intramesh/internal/nearest"

// meant is the token that is the fewest edits away from what was written; of two as near, the first by the alphabet.
func meant(written string) string {
	const enough = 40 // longer than any token: more would not change the answer, only cost time
	written = written[:min(len(written), enough)]
	best, least := "", enough*2
	for token := range tokens {
		if d := nearest.Edits(written, token, enough*2); d < least || d == least && token < best {
			best, least = token, d
		}
	}
	return best
}
