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

const portion = 64 << 10 // read at once

var byteOrderMark = []byte("\xef\xbb\xbf")

// Read implements io.Reader.
func (t *trimmer) Read(p []byte) (int, error) {
	if t.limit > 0 && t.written > t.limit {
		return 0, limit(fmt.Sprintf("one of its requests is longer than %d MiB, and what follows was not read", MaxEntry>>20))
	}
	p = p[:min(len(p), portion)]
	for {
		n, err := t.r.Read(p)
		chunk := p[:n]
		if !t.started && n > 0 {
			t.started = true
			chunk = bytes.TrimPrefix(chunk, byteOrderMark)
		}
		kept := 0
		for len(chunk) > 0 {
			length, keep := t.next(chunk)
			if keep {
				kept += copy(p[kept:], chunk[:length])
			}
			chunk = chunk[length:]
		}
		t.read += int64(n)
		t.written += int64(kept)
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

// next says how many of the bytes are passed on, or not, together. An escape sequence is passed on whole or not at all.
func (t *trimmer) next(b []byte) (n int, keep bool) {
	if !t.inString {
		return t.upToString(b), true
	}
	switch {
	case t.hex > 0:
		n = min(t.hex, len(b))
		t.hex -= n
	case t.afterSlash:
		n, t.afterSlash = 1, false
		if b[0] == 'u' {
			t.hex = 4
		}
	case b[0] == '"':
		t.inString = false
		return 1, true
	case b[0] == '\\':
		n, t.afterSlash, t.cut = 1, true, t.length >= MaxText
	default:
		t.cut = t.length >= MaxText
		if n = bytes.IndexAny(b, `"\`); n < 0 {
			n = len(b)
		}
		if !t.cut {
			n = min(n, MaxText-t.length)
		}
	}
	t.length += n
	return n, !t.cut
}

// upToString is the number of bytes up to the beginning of a string.
func (t *trimmer) upToString(b []byte) int {
	n := bytes.IndexByte(b, '"') + 1
	if n == 0 {
		return len(b)
	}
	t.inString, t.length, t.cut = true, 0, false
	return n
}
