package discover

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errQuote = errors.New("a quotation mark in it is not closed; copy the whole command")

// words splits a command line as bash does, without expanding anything: '...', "...", $'...', backslashes, and line
// continuations. A command line for cmd.exe, with its carets, is read as well.
func words(line string) ([]string, error) {
	if strings.Contains(line, `^"`) {
		line = withoutCarets(line)
	}
	var all []string
	w := &wordReader{rest: line}
	for {
		word, ok, err := w.next()
		if err != nil || !ok {
			return all, err
		}
		all = append(all, word)
	}
}

// withoutCarets undoes the escapes of cmd.exe: ^x stands for x, and ^ before the end of a line for nothing.
func withoutCarets(line string) string {
	var b strings.Builder
	line = strings.ReplaceAll(line, "\r\n", "\n")
	for i := 0; i < len(line); i++ {
		if line[i] == '^' && i+1 < len(line) {
			if i++; line[i] == '\n' {
				b.WriteByte(' ')
				continue
			}
		}
		b.WriteByte(line[i])
	}
	return b.String()
}

// A wordReader reads one word after the other.
type wordReader struct {
	rest string
	word strings.Builder
}

// next is the next word; ok is false at the end, or where another command begins.
func (w *wordReader) next() (word string, ok bool, err error) {
	w.word.Reset()
	w.rest = strings.TrimLeft(w.rest, " \t\r\n")
	for strings.HasPrefix(w.rest, "\\\n") || strings.HasPrefix(w.rest, "\\\r\n") {
		_, w.rest, _ = strings.Cut(w.rest, "\n")
		w.rest = strings.TrimLeft(w.rest, " \t\r\n")
	}
	if w.rest == "" || strings.IndexByte(";|&<>#", w.rest[0]) >= 0 {
		return "", false, nil
	}
	for w.rest != "" && strings.IndexByte(" \t\r\n;|&<>", w.rest[0]) < 0 {
		if err := w.part(); err != nil {
			return "", false, err
		}
	}
	return w.word.String(), true, nil
}

// part reads a quoted part of a word, or one character.
func (w *wordReader) part() error {
	switch {
	case w.rest[0] == '\'':
		text, rest, ok := strings.Cut(w.rest[1:], "'")
		if !ok {
			return errQuote
		}
		w.word.WriteString(text)
		w.rest = rest
	case strings.HasPrefix(w.rest, "$'"):
		w.rest = w.rest[2:]
		return w.quoted('\'', ansiEscape)
	case strings.HasPrefix(w.rest, `$"`):
		w.rest = w.rest[2:]
		return w.quoted('"', doubleEscape)
	case w.rest[0] == '"':
		w.rest = w.rest[1:]
		return w.quoted('"', doubleEscape)
	case w.rest[0] == '\\' && len(w.rest) > 1:
		if w.rest[1] != '\n' {
			w.word.WriteByte(w.rest[1])
		}
		w.rest = w.rest[2:]
	default:
		w.word.WriteByte(w.rest[0])
		w.rest = w.rest[1:]
	}
	return nil
}

// quoted reads up to the mark that ends the quotation. escape returns what an escape sequence stands for.
func (w *wordReader) quoted(mark byte, escape func(s string) (text string, length int)) error {
	for w.rest != "" {
		switch b := w.rest[0]; {
		case b == mark:
			w.rest = w.rest[1:]
			return nil
		case b == '\\' && len(w.rest) > 1:
			text, length := escape(w.rest)
			w.word.WriteString(text)
			w.rest = w.rest[length:]
		default:
			w.word.WriteByte(b)
			w.rest = w.rest[1:]
		}
	}
	return errQuote
}

func doubleEscape(s string) (text string, length int) {
	if s[1] == '\n' {
		return "", 2
	}
	if strings.IndexByte("\"\\$`!", s[1]) >= 0 {
		return s[1:2], 2
	}
	return s[:2], 2
}

// ansiEscape reads an escape sequence of $'...'.
func ansiEscape(s string) (text string, length int) {
	if simple := strings.IndexByte("abefnrtv", s[1]); simple >= 0 {
		return "\a\b\x1b\f\n\r\t\v"[simple : simple+1], 2
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	end := 2
	for end < len(s) && end < 2+digits && strings.IndexByte("0123456789abcdefABCDEF", s[end]) >= 0 {
		end++
	}
	code, err := strconv.ParseUint(s[2:end], 16, 32)
	switch {
	case digits == 0 || err != nil:
		return s[1:2], 2
	case s[1] == 'x':
		return string([]byte{byte(code)}), end
	case code > utf8.MaxRune:
		return string(utf8.RuneError), end
	}
	return string(rune(code)), end
}
