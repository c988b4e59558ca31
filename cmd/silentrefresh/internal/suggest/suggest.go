// Package suggest finds the word that somebody meant and mistyped.
package suggest

import "strings"

// Nearest returns the one of known that word was probably meant to be, "" if none is near. Capitals, hyphens and
// underscores do not count. Of words that are equally near, the first in known is returned.
func Nearest(word string, known ...string) string {
	typed := fold(word)
	nearest, least := "", allowed(typed)+1
	for _, candidate := range known {
		if d := distance(typed, fold(candidate)); d < least {
			nearest, least = candidate, d
		}
	}
	if nearest != "" || len(typed) < 3 {
		return nearest
	}
	return beginning(typed, known)
}

// beginning returns the only one of known that begins with typed.
func beginning(typed string, known []string) string {
	var begun []string
	for _, candidate := range known {
		if strings.HasPrefix(fold(candidate), typed) {
			begun = append(begun, candidate)
		}
	}
	if len(begun) == 1 {
		return begun[0]
	}
	return ""
}

func fold(word string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(word))
}

// allowed is how many slips of the finger a word of that length may have.
func allowed(word string) int { return min(2, len(word)/3) }

// distance counts the letters that are missing, added, wrong, or swapped with the next one (the optimal string
// alignment distance). Words are short: bytes will do.
func distance(a, b string) int {
	if longer := len(a) - len(b); max(longer, -longer) > 2 {
		return 3 // too far in any case, and long words cost nothing
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			wrong := 1
			if a[i] == b[j] {
				wrong = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+wrong)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
