// Package match recognises responses by their status, their Location and their body.
package match

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
)

// MaxBody is how much of a body is looked at, in bytes.
const MaxBody = 64 << 10

// Rules recognise a response if one of them does. The zero value recognises none. Rules are safe for concurrent use.
type Rules []auth.ResponseMatch

// Check reports every mistake in the rules.
func (rs Rules) Check() error {
	var mistakes []error
	for _, r := range rs {
		if r == (auth.ResponseMatch{}) {
			mistakes = append(mistakes, errors.New("a rule without status, location and body would recognise every response; set one of them"))
		}
		if r.Status != 0 && (r.Status < 200 || r.Status > 599) {
			mistakes = append(mistakes, fmt.Errorf("%d is not the status of a response", r.Status))
		}
		if len(r.Location) > longestPart || len(r.Body) > longestPart {
			mistakes = append(mistakes, fmt.Errorf("a part of a location or a body has up to %d bytes", longestPart))
		}
	}
	return errors.Join(mistakes...)
}

// longestPart is how long a part of a location or a body may be, in bytes.
const longestPart = 1000

// heads reports whether all but the body fits.
func heads(r auth.ResponseMatch, resp *http.Response) bool {
	return (r.Status == 0 || r.Status == resp.StatusCode) && strings.Contains(resp.Header.Get("Location"), r.Location)
}

// Match reports whether a response is recognised, whose body somebody else is going to read: it is given back whole, and
// read in advance only where a rule needs it and it is no stream.
func (rs Rules) Match(resp *http.Response) bool {
	var start []byte
	read := false
	return slices.ContainsFunc(rs, func(r auth.ResponseMatch) bool {
		switch {
		case !heads(r, resp):
			return false
		case r.Body == "":
			return true
		case !read && bounded(resp):
			start = peek(resp)
		}
		read = true
		return bytes.Contains(start, []byte(r.Body))
	})
}

// bounded reports whether a body ends soon: its length is known and small, or it is a document.
func bounded(resp *http.Response) bool {
	switch {
	case resp.Body == nil || resp.StatusCode < 200:
		return false
	case resp.ContentLength >= 0:
		return resp.ContentLength <= MaxBody
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return media == "text/html" || media == "application/json" || strings.HasSuffix(media, "+json")
}

// peek reads the beginning of a body and puts it back.
func peek(resp *http.Response) []byte {
	body := resp.Body
	start, err := io.ReadAll(io.LimitReader(body, MaxBody))
	rest := io.Reader(body)
	if err != nil {
		rest = failed{err}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), rest), body}
	return start
}

// failed is the rest of a body that broke off.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
