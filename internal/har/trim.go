package har

import (
	"bytes"
	"fmt"
	"io"
)

// A trimmer passes JSON on with every string cut off after MaxText bytes, so that a recorded film does not have to fit
// into memory. It knows just enough of JSON for that: where strings begin and end.
type trimmer struct {
	r       io.Reader
	read    int64 // bytes that were read
	written int64 // bytes that were passed on
	limit   int64 // of written; 0: none

	started    bool
	inString   bool
	length     int  // of the string so far
	cut        bool // the rest of the string is not passed on
	afterSlash bool // an escape sequence has begun
	hex        int  // digits of \u that are still to come
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// Read implements io.Reader.
func (t *trimmer) Read(p []byte) (int, error) {
	if t.limit > 0 && t.written > t.limit {
		return 0, limit(fmt.Sprintf("one of its requests is longer than %d MiB, and what follows was not read", MaxEntry>>20))
	}
	for {
		n, err := t.r.Read(p)
		chunk := p[:n]
		if !t.started && n > 0 {
			t.started = true
			chunk = bytes.TrimPrefix(chunk, byteOrderMark)
		}
		kept := 0
		for _, b := range chunk {
			if t.keeps(b) {
				p[kept] = b
				kept++
			}
		}
		t.read += int64(n)
		t.written += int64(kept)
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

// keeps reports whether b is passed on. An escape sequence is passed on whole, or not at all.
func (t *trimmer) keeps(b byte) bool {
	if !t.inString {
		t.inString, t.length, t.cut = b == '"', 0, false
		return true
	}
	t.length++
	switch {
	case t.hex > 0:
		t.hex--
	case t.afterSlash:
		t.afterSlash = false
		if b == 'u' {
			t.hex = 4
		}
	case b == '"':
		t.inString = false
		return true
	default:
		t.cut = t.length > MaxText
		t.afterSlash = b == '\\'
	}
	return !t.cut
}
