// Package har reads HTTP Archive 1.2, the format in which browsers and proxies export what they recorded.
package har

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What is read of a recording at most.
const (
	MaxFile    = 1 << 30  // bytes of the file
	MaxEntries = 20_000   // requests
	MaxText    = 1 << 20  // bytes of one string, as it is in the file: what is longer is cut off
	MaxEntry   = 16 << 20 // bytes of one entry, after its strings are cut off
	MaxKept    = 64 << 20 // bytes of all entries that are kept
)

// An Entry is a request and its response.
type Entry struct {
	StartedDateTime string   `json:"startedDateTime"`
	Request         Request  `json:"request"`
	Response        Response `json:"response"`

	Number int `json:"-"` // its place in the file, from 1
}

// A Request is what was sent.
type Request struct {
	Method      string    `json:"method"`
	URL         string    `json:"url"`
	HTTPVersion string    `json:"httpVersion,omitempty"`
	Headers     []Pair    `json:"headers"`
	Cookies     []Cookie  `json:"cookies"`
	PostData    *PostData `json:"postData,omitempty"`
}

// A Response is what came back. A status of 0 stands for none.
type Response struct {
	Status      int      `json:"status"`
	HTTPVersion string   `json:"httpVersion,omitempty"`
	Headers     []Pair   `json:"headers"`
	Cookies     []Cookie `json:"cookies"`
	Content     Content  `json:"content"`
	RedirectURL string   `json:"redirectURL,omitempty"`
}

// A Pair is a header field, or a parameter of a form.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Cookie is one that was sent or set; those that were sent have no attributes.
type Cookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Path     string `json:"path,omitempty"`
	Domain   string `json:"domain,omitempty"`
	Expires  string `json:"expires,omitempty"`
	HTTPOnly bool   `json:"httpOnly,omitempty"`
	Secure   bool   `json:"secure,omitempty"`
}

// PostData is the body of a request: its text, its parameters, or both.
type PostData struct {
	MimeType string `json:"mimeType"`
	Text     string `json:"text"`
	Params   []Pair `json:"params"`
	Encoding string `json:"encoding,omitempty"` // not in the standard, but written by some
}

// Content is the body of a response.
type Content struct {
	Size     int64  `json:"size"`
	MimeType string `json:"mimeType"`
	Text     string `json:"text,omitempty"`
	Encoding string `json:"encoding,omitempty"`
}

// Body is the content as it was before it was written down; nil where it is not there, or cannot be decoded.
func (c *Content) Body() []byte { return decoded(c.Text, c.Encoding) }

// Body is the text as it was before it was written down.
func (p *PostData) Body() []byte { return decoded(p.Text, p.Encoding) }

func decoded(text, encoding string) []byte {
	if !strings.EqualFold(encoding, "base64") {
		return []byte(text)
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return body
}

// A Recording is what was read of a file.
type Recording struct {
	Entries []Entry
	Creator string // the program that wrote it
	Cut     error  // why the rest was not read, nil if all was
}

// Read reads a recording. What comes before a mistake in the file counts: only a file without a single entry is an
// error. Of a file that is too large, Cut says so. keep reports whether an entry is worth keeping.
func Read(r io.Reader, keep func(*Entry) bool) (*Recording, error) {
	in := &trimmer{r: io.LimitReader(r, MaxFile+1)}
	d := json.NewDecoder(in)
	rec := &Recording{}
	err := rec.read(d, in, keep)
	switch {
	case err == nil && len(rec.Entries) == 0:
		return nil, errors.New("there is no request in it")
	case err != nil && len(rec.Entries) == 0:
		return nil, err
	}
	rec.Cut = err
	return rec, nil
}

func (rec *Recording) read(d *json.Decoder, in *trimmer, keep func(*Entry) bool) error {
	found := false
	err := members(d, func(name string) error {
		if name != "log" {
			return skip(d)
		}
		return members(d, func(name string) error {
			switch name {
			case "entries":
				found = true
				return rec.readEntries(d, in, keep)
			case "creator":
				return rec.readCreator(d)
			}
			return skip(d)
		})
	})
	switch {
	case in.read > MaxFile:
		return fmt.Errorf("it is longer than %d MiB, and what follows was not read", MaxFile>>20)
	case err != nil:
		return damage(err)
	case !found:
		return errors.New("it is JSON, but not a recording in HAR format: it has no log.entries")
	}
	return nil
}

func (rec *Recording) readCreator(d *json.Decoder) error {
	var creator struct{ Name string }
	err := d.Decode(&creator)
	rec.Creator = creator.Name
	return err
}

func (rec *Recording) readEntries(d *json.Decoder, in *trimmer, keep func(*Entry) bool) error {
	if err := open(d, '['); err != nil {
		return err
	}
	kept := int64(0)
	for n := 1; d.More(); n++ {
		if n > MaxEntries || kept > MaxKept {
			return limit(fmt.Sprintf("it is large, and nothing after request %d was looked at", n-1))
		}
		before := in.written
		in.limit = before + MaxEntry
		e := Entry{Number: n}
		if err := d.Decode(&e); err != nil {
			if _, odd := errors.AsType[*json.UnmarshalTypeError](err); !odd {
				return err
			} // what is of another type than the format says is as if it were not there
		}
		e.Number = n
		if keep(&e) {
			kept += in.written - before
			rec.Entries = append(rec.Entries, e)
		}
	}
	_, err := d.Token()
	return err
}

// limit is an error that stands for itself.
type limit string

func (l limit) Error() string { return string(l) }

// damage says what is wrong with the file, without what is in it.
func damage(err error) error {
	if known, ok := errors.AsType[limit](err); ok {
		return known
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is not JSON from byte %d on", syntax.Offset)
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends too early")
	case errors.Is(err, errShape):
		return err
	}
	return fmt.Errorf("it cannot be read: %w", err)
}

var errShape = errors.New("it is JSON, but not a recording in HAR format")

// members calls fn for each member of the object that comes next, to read its value.
func members(d *json.Decoder, fn func(name string) error) error {
	if err := open(d, '{'); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if err := fn(name.(string)); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func open(d *json.Decoder, delim json.Delim) error {
	t, err := d.Token()
	if err == nil && t != delim {
		return errShape
	}
	return err
}

// skip passes over the value that comes next, in small steps.
func skip(d *json.Decoder) error {
	for depth := 0; ; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
