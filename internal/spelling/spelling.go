// Package spelling suggests the known name for a misspelt one.
package spelling

import "fmt"

// Allowed is how many letters of a name may be wrong, missing, extra or swapped before it counts as another name.
func Allowed(name string) int {
	switch {
	case len(name) <= 2:
		return 0
	case len(name) <= 5:
		return 1
	case len(name) <= 12:
		return 2
	default:
		return 3
	}
}

// DidYouMean is the end of a sentence that suggests the known name closest to name; empty if none is close.
func DidYouMean(name string, known []string) string {
	if like, distance := Nearest(name, known); distance <= Allowed(name) {
		return fmt.Sprintf(": did you mean %q?", like)
	}
	return ""
}

// Nearest is the known name closest to name, and their distance.
func Nearest(name string, known []string) (like string, distance int) {
	for i, candidate := range known {
		if d := slips(name, candidate); i == 0 || d < distance {
			like, distance = candidate, d
		}
	}
	return like, distance
}

// slips is the number of letters to change, add, remove or swap with their neighbour to turn a into b (optimal string
// alignment).
func slips(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			changed := 1
			if a[i-1] == b[j-1] {
				changed = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+changed)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
