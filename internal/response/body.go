package response

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/silentrefresh/silentrefresh/internal/bearer"
)

// MaxBody is how much of a response's body is read, in bytes.
const MaxBody = 1 << 20

// What can be wrong with the body of a response.
var (
	ErrHTML    = errors.New("the response is an HTML page, not JSON")
	ErrXML     = errors.New("the response is XML, not JSON")
	errTooLong = errors.New("the response is longer than 1 MiB")
	errCutOff  = errors.New("the response is cut off")
	errNotJSON = errors.New("the response is not valid JSON")
	errNotForm = errors.New("the response is not a valid form")
)

func readBody(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, errors.New("the response has a Content-Encoding that was not asked for")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errCutOff
	case err != nil:
		return nil, fmt.Errorf("the response broke off: %w", Cause(err))
	case len(body) > MaxBody:
		return nil, errTooLong
	}
	return body, nil
}

// parseBody reads a body as its Content-Type and its first byte say, in this order of trust: JSON sent as text or
// as HTML is JSON all the same, and HTML without any markup is text, which frameworks send as HTML unless told
// otherwise. A plain text is no document, unless it is a token.
func parseBody(contentType string, body []byte) (document any, isJSON bool, err error) {
	body = trimmed(body)
	media, _, _ := mime.ParseMediaType(contentType)
	switch {
	case len(body) == 0:
		return nil, false, nil
	case body[0] == '<':
		return nil, false, markup(media, body)
	case strings.IndexByte(`{["`, body[0]) >= 0 || isJSONType(media):
		document, err = parseJSON(body)
		return document, err == nil, err
	case media == "text/html" && bytes.IndexByte(body, '<') >= 0:
		return nil, false, ErrHTML
	case media == "application/x-www-form-urlencoded":
		document, err = parseForm(body)
		return document, false, err
	case (strings.HasPrefix(media, "text/") || media == "") && printable(body):
		return parseText(string(body)), false, nil
	default:
		return nil, false, fmt.Errorf("the response is neither JSON nor a form but %q", knownType(media))
	}
}

// knownType is a media type that can be shown: a server may write anything there.
func knownType(media string) string {
	kind, name, _ := strings.Cut(media, "/")
	switch kind {
	case "application", "audio", "font", "image", "message", "model", "multipart", "text", "video":
		strange := func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '.' && r != '+' }
		if len(name) <= 40 && !strings.ContainsFunc(name, strange) {
			return media
		}
		return kind + "/..."
	}
	return "something else"
}

// trimmed is body without a byte order mark and the space around it.
func trimmed(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
}

// markup says what a body is that begins with a tag.
func markup(media string, body []byte) error {
	xml := strings.HasSuffix(media, "xml") && media != "application/xhtml+xml"
	head := bytes.ToLower(body[:min(len(body), 512)])
	if (xml || bytes.HasPrefix(head, []byte("<?xml"))) && !bytes.Contains(head, []byte("<html")) {
		return ErrXML
	}
	return ErrHTML
}

func isJSONType(media string) bool {
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// parseJSON never says what the JSON is that cannot be read.
func parseJSON(body []byte) (any, error) {
	if v, ok := DecodeJSON(body); ok {
		return v, nil
	}
	if body[0] == '{' && body[len(body)-1] != '}' || body[0] == '[' && body[len(body)-1] != ']' {
		return nil, errCutOff
	}
	return nil, errNotJSON
}

// DecodeJSON reads exactly one JSON value, its numbers kept as they are written.
func DecodeJSON(document []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	return v, true
}

func parseForm(body []byte) (any, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errNotForm
	}
	return ListFields(values), nil
}

// ListFields are form values as fields: a name that is there once stands for its value.
func ListFields(values map[string][]string) map[string]any {
	fields := map[string]any{}
	for name, list := range values {
		if len(list) == 1 {
			fields[name] = list[0]
		} else {
			fields[name] = list
		}
	}
	return fields
}

// parseText reads what some servers send as plain text: a form, or nothing but the token.
func parseText(text string) any {
	if bearer.Parse(text) != nil {
		return text
	}
	if strings.Contains(text, "access_token=") && !strings.ContainsAny(text, " \n") {
		if form, err := parseForm([]byte(text)); err == nil {
			return form
		}
	}
	return nil
}

func printable(text []byte) bool {
	return utf8.Valid(text) && bytes.IndexFunc(text, func(r rune) bool {
		return !unicode.IsPrint(r) && !unicode.IsSpace(r)
	}) < 0
}
