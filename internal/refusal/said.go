package refusal

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestSaid is the longest text that Said gives, in bytes.
const longestSaid = 120

// Code is the error code that decided, or else the first: "" if there is none that can be shown. hidden reports what
// must not be.
func (r Reading) Code(hidden func(string) bool) string {
	first := ""
	for _, s := range r.statements {
		if !s.code || !readable(s.text) || strings.ContainsAny(s.text, ":/#") || hidden(s.text) {
			continue
		}
		if s.strong || s.weak || s.foreign != Unrecognized || protective()[squeezed(s.text)] != Unrecognized {
			return s.text
		}
		if first == "" {
			first = s.text
		}
	}
	return first
}

// readable reports whether there is something to read in s: more than that something failed.
func readable(s string) bool {
	return strings.ContainsFunc(s, unicode.IsLetter) && !outcomes.has(strings.ToLower(s))
}

// outcomes are words that say that something failed, and not what.
var outcomes = set(`error fail failed failure success ok true false null`)

// Said is what the response tells people, "" if nothing that can be shown. It is the same for the same refusal: what
// changes from one response to the next, a number or an id, is left out.
func (r Reading) Said(hidden func(string) bool) string {
	for _, codes := range []bool{false, true} {
		for _, s := range r.statements {
			if s.code != codes || !readable(s.text) {
				continue
			}
			if text := showable(s.text); text != "" && !hidden(text) {
				return text
			}
		}
	}
	return ""
}

// showable is text in one line, cut to a length for people, with "..." in place of words that may be an id or a secret;
// "" if there is nothing to read in it.
func showable(text string) string {
	strange := func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }
	if !utf8.ValidString(text) || len(text) > longestText || strings.ContainsFunc(text, strange) {
		return ""
	}
	var words []string
	size := 0
	for word := range strings.FieldsSeq(text) {
		if variable(word) {
			word = "..."
		}
		if size += len(word) + 1; size > longestSaid {
			break
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// variable reports whether a word looks like an id, a time or a secret rather than like a word.
func variable(word string) bool {
	digits := 0
	for _, r := range word {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	mixed := digits > 1 && digits < len(word) && len(word) > 5
	return len(word) > 30 || mixed || digits > 3 || strings.ContainsAny(word, "@=&")
}

// HasCode reports whether code is among the codes of the response, in any spelling.
func (r Reading) HasCode(code string) bool {
	return slices.ContainsFunc(r.statements, func(s statement) bool { return s.code && squeezed(s.text) == squeezed(code) })
}
