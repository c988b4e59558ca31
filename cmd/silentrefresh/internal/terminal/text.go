package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Printable is text without what a terminal would obey or not show: what a server wrote may be meant to deceive.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
}

// Columns is how many columns text takes on a terminal, control sequences of Paint aside.
func Columns(text string) int {
	n := 0
	for _, piece := range pieces(text) {
		n += piece.columns
	}
	return n
}

// Cut is text in at most so many columns. What does not fit is replaced by an ellipsis; styles end where they did.
func (s Screen) Cut(text string, columns int) string {
	ellipsis := "~"
	if s.Unicode {
		ellipsis = "…"
	}
	if Columns(text) <= columns {
		return text
	}
	var b strings.Builder
	n, full := 0, false
	for _, piece := range pieces(text) {
		switch {
		case piece.columns == 0:
			b.WriteString(piece.text)
		case full:
		case n+piece.columns >= columns:
			b.WriteString(ellipsis)
			full = true
		default:
			b.WriteString(piece.text)
			n += piece.columns
		}
	}
	return b.String()
}

// Wrap breaks the lines of text at spaces, so that each fits, where that is possible. The second line and those after
// it begin with indent, which counts.
func Wrap(text string, columns int, indent string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, wrapped(strings.TrimSuffix(line, "\n"), columns, indent, len(lines) == 0)...)
	}
	return strings.Join(lines, "\n")
}

func wrapped(line string, columns int, indent string, first bool) (lines []string) {
	text, empty := indent, true
	if first {
		text = ""
	}
	for word := range strings.SplitSeq(line, " ") {
		if !empty && Columns(text)+1+Columns(word) > columns {
			lines = append(lines, text)
			text, empty = indent, true
		}
		if !empty {
			text += " "
		}
		text, empty = text+word, false
	}
	return append(lines, text)
}

// A piece is a character, or a control sequence, which takes no column.
type piece struct {
	text    string
	columns int
}

func pieces(text string) (all []piece) {
	for len(text) > 0 {
		if strings.HasPrefix(text, "\x1b[") {
			if end := strings.IndexByte(text, 'm'); end >= 0 {
				all, text = append(all, piece{text: text[:end+1]}), text[end+1:]
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(text)
		all, text = append(all, piece{text[:size], columnsOf(r)}), text[size:]
	}
	return all
}

// columnsOf is how wide a character is: 2 for most of East Asia's (UAX #11), 0 for what joins the one before.
func columnsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
