// Package display makes what others have named fit to be shown on a terminal, which obeys control characters.
package display

import (
	"strings"
	"unicode"
)

// longestName is what is shown of a name, in characters.
const longestName = 128

// Name is a name without control characters, direction marks and the like, and not endless.
func Name(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > longestName {
		name = string(runes[:longestName])
	}
	return strings.TrimSpace(name)
}
