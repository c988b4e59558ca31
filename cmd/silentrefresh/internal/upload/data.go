package upload

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"strings"
)

// A Kind is one of curl's flags for data.
type Kind int

// The kinds.
const (
	Data      Kind = iota // -d: text, @FILE without its line breaks, or - for stdin
	Binary                // --data-binary: the same, as it is
	Raw                   // --data-raw: text, an @ included
	URLEncode             // --data-urlencode: TEXT, NAME=TEXT, @FILE or NAME@FILE, encoded
)

// A Datum is one piece of data.
type Datum struct {
	Kind Kind
	Text string
}

// Join puts data together as curl does, with an ampersand in between.
func Join(data []Datum, stdin io.Reader) (string, error) {
	var pieces []string
	for _, d := range data {
		text, err := d.read(stdin)
		if err != nil {
			return "", err
		}
		pieces = append(pieces, text)
	}
	return strings.Join(pieces, "&"), nil
}

func (d Datum) read(stdin io.Reader) (string, error) {
	switch d.Kind {
	case Raw:
		return d.Text, nil
	case URLEncode:
		return d.encoded(stdin)
	}
	if d.Text == "-" {
		return source("-", stdin)
	}
	file, ok := strings.CutPrefix(d.Text, "@")
	if !ok {
		return d.Text, nil
	}
	text, err := source(file, stdin)
	if d.Kind == Data {
		text = strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(text)
	}
	return text, err
}

// encoded is what --data-urlencode sends.
func (d Datum) encoded(stdin io.Reader) (string, error) {
	i := strings.IndexAny(d.Text, "=@")
	if i < 0 {
		return url.QueryEscape(d.Text), nil
	}
	name, value := d.Text[:i], d.Text[i+1:]
	if d.Text[i] == '@' {
		var err error
		if value, err = source(value, stdin); err != nil {
			return "", err
		}
	}
	if name != "" {
		name += "="
	}
	return name + url.QueryEscape(value), nil
}

// source reads a file, or stdin for "-".
func source(file string, stdin io.Reader) (string, error) {
	var b []byte
	var err error
	if file == "-" {
		b, err = io.ReadAll(stdin)
	} else {
		b, err = os.ReadFile(file)
	}
	return string(b), err
}

// TypeOf is what data is sent as: JSON if it is a JSON object or list, else a form, as curl does.
func TypeOf(data string) string {
	text := bytes.TrimSpace([]byte(data))
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') && json.Valid(text) {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}
