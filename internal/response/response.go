// Package response reads the responses of auth servers: their bodies, bounded and in every encoding that servers use,
// the fields in them by their plain names at any depth, and the times that they state.
//
// What a response means that refuses something is package refusal's part.
package response

import (
	"net/http"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// A Response is one response of an auth server, its body read. It is not safe for concurrent use.
type Response struct {
	Status  int
	Header  http.Header
	Cookies []*http.Cookie
	Issued  time.Time // when the request was sent
	Date    time.Time // what the server's clock showed; Issued if it did not say
	Body    []byte
	// Document is what the body holds: JSON or a form; a string is a bare token; nil if there is none.
	Document any
	// JSON reports whether Document was JSON.
	JSON bool
	// Err is why the body cannot be read, nil if it can.
	Err error

	objects []*Object // of Document, those nearest to the top first; nil until they are asked for
}

// Read reads resp, which is the response to a request sent at issued, and closes its body.
func Read(resp *http.Response, issued time.Time) *Response {
	body, err := readBody(resp)
	r := New(resp.StatusCode, resp.Header, body, issued)
	if err != nil {
		r.Document, r.JSON, r.Err = nil, false, err
	}
	return r
}

// New is Read for a response whose body was read already.
func New(status int, header http.Header, body []byte, issued time.Time) *Response {
	r := &Response{Status: status, Header: header, Issued: issued, Date: issued, Body: body}
	r.Cookies = auth.ReadSetCookies(header)
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		r.Date = date
	}
	r.Document, r.JSON, r.Err = parseBody(header.Get("Content-Type"), body)
	return r
}

// Cookie is the cookie of that name as the response sets it, nil if it does not.
func (r *Response) Cookie(name string) (c *http.Cookie) {
	for _, candidate := range r.Cookies {
		if candidate.Name == name {
			c = candidate // the last one counts, as in a jar
		}
	}
	return c
}

// Deletes reports whether setting c, a cookie of r, deletes the cookie or empties it.
func (r *Response) Deletes(c *http.Cookie) bool {
	return c.Value == "" || c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && !c.Expires.After(r.Date)
}

// Drops reports whether r deletes the cookie of that name, and does not set it anew, for another path say.
func (r *Response) Drops(name string) bool {
	dropped := false
	for _, c := range r.Cookies {
		if c.Name != name {
			continue
		}
		if !r.Deletes(c) {
			return false
		}
		dropped = true
	}
	return dropped
}
