package manifest

import (
	"maps"
	"slices"
)

// sortedKeys are the keys of a map in ascending order. Most maps are empty, and cost nothing.
func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}
