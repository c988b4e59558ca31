// Package echo keeps what was sent to a server out of what is shown of its response.
package echo

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Lengths in bytes: what is shorter says nothing of a secret, or is a word by chance.
const (
	shortest = 4  // of a secret that is looked for in a text, and of a text that is looked for in a secret
	digits   = 6  // of a piece with a digit in it that a text and a secret have in common
	letters  = 14 // of one without
)

// longestText bounds the texts that are compared, in bytes. No longer one is shown.
const longestText = 400

// Sent is what a request carried and nobody may see. The zero value is ready to use.
type Sent struct{ forms []string }

// Add adds secrets, in every form in which a server may repeat them.
func (s *Sent) Add(secrets ...string) {
	for _, secret := range secrets {
		s.add(secret)
		s.add(url.QueryEscape(secret))
		s.add(hex.EncodeToString([]byte(secret)))
		if decoded, err := url.PathUnescape(secret); err == nil {
			s.add(decoded)
		}
		for before := range min(3, len(secret)) { // a third of the places where it may begin in what is encoded
			whole := secret[before:]
			whole = whole[:len(whole)/3*3] // its end is written differently where more follows
			s.add(base64.StdEncoding.EncodeToString([]byte(whole)))
		}
	}
}

func (s *Sent) add(form string) {
	form = folded(form)
	if len(form) >= shortest && !slices.Contains(s.forms, form) {
		s.forms = append(s.forms, form)
	}
}

// AddAll adds every string and number in a document, however deep.
func (s *Sent) AddAll(document any) {
	switch v := document.(type) {
	case string:
		s.Add(v)
	case json.Number:
		s.Add(v.String())
	case map[string]any:
		for _, inner := range v {
			s.AddAll(inner)
		}
	case []any:
		for _, inner := range v {
			s.AddAll(inner)
		}
	case []string:
		s.Add(v...)
	}
}

// In reports whether text must not be shown: it contains something that was sent, or a piece of it, or is one, in
// whatever encoding.
func (s *Sent) In(text string) bool {
	if len(text) > longestText {
		return true
	}
	for _, t := range readings(text) {
		for _, form := range s.forms {
			if strings.Contains(t, form) || len(t) >= 2*shortest && strings.Contains(form, t) || sharesPiece(t, form) {
				return true
			}
		}
	}
	return false
}

// readings are text as it is and decoded.
func readings(text string) []string {
	all := []string{folded(text)}
	if decoded, err := url.QueryUnescape(text); err == nil && decoded != text {
		all = append(all, folded(decoded))
	}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return !strings.ContainsRune("+/-_=", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		word = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(word), "=")
		if decoded, err := base64.RawStdEncoding.DecodeString(word); err == nil && len(decoded) >= digits {
			all = append(all, folded(string(decoded)))
		}
	}
	return all
}

// folded is s without what servers change when they repeat something: case, and what is neither letter nor digit.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// sharesPiece reports whether text and form have a piece in common that is no accident.
func sharesPiece(text, form string) bool {
	return sharesPieceOf(digits, hasDigit, text, form) || sharesPieceOf(letters, func(string) bool { return true }, text, form)
}

func sharesPieceOf(size int, telling func(string) bool, text, form string) bool {
	pieces := map[string]bool{}
	for i := 0; i+size <= len(text); i++ {
		if piece := text[i : i+size]; telling(piece) {
			pieces[piece] = true
		}
	}
	for i := 0; i+size <= len(form) && len(pieces) > 0; i++ {
		if pieces[form[i:i+size]] {
			return true
		}
	}
	return false
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }
