// Package upload makes the bodies of requests as curl's -d and -F do.
package upload

import (
	"bytes"
	"io"
	"net/http"
	"os"
)

// A Body is what a request sends. It can be sent again, and files in it are not held in memory. Nil is none.
type Body struct {
	Type  string // of the content
	parts []part
}

// A part is a text, or else a file.
type part struct {
	text string
	file string
	size int64
}

// Text is a body of that text.
func Text(contentType, text string) *Body {
	return &Body{Type: contentType, parts: []part{{text: text, size: int64(len(text))}}}
}

// Len is the number of bytes.
func (b *Body) Len() (n int64) {
	if b == nil {
		return 0
	}
	for _, p := range b.parts {
		n += p.size
	}
	return n
}

// Attach makes b the body of req, as often as req is sent.
func (b *Body) Attach(req *http.Request) error {
	if b == nil {
		return nil
	}
	req.GetBody = b.open
	req.ContentLength = b.Len()
	req.Header.Set("Content-Type", b.Type)
	body, err := b.open()
	req.Body = body
	return err
}

// open opens all files at once, so that what cannot be read is known before anything is sent.
func (b *Body) open() (io.ReadCloser, error) {
	r := &reader{}
	for _, p := range b.parts {
		if p.file == "" {
			r.rest = append(r.rest, bytes.NewReader([]byte(p.text)))
			continue
		}
		f, err := os.Open(p.file)
		if err != nil {
			r.Close()
			return nil, err
		}
		r.files = append(r.files, f)
		r.rest = append(r.rest, io.LimitReader(f, p.size)) // as long as was announced, if it grows meanwhile
	}
	r.Reader = io.MultiReader(r.rest...)
	return r, nil
}

// A reader reads parts one after the other.
type reader struct {
	io.Reader
	rest  []io.Reader
	files []*os.File
}

// Close implements io.Closer.
func (r *reader) Close() error {
	for _, f := range r.files {
		f.Close()
	}
	return nil
}
