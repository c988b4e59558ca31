package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/silentrefresh/silentrefresh/internal/bearer"
)

// maxResponse is how much of a response's body is read.
const maxResponse = 1 << 20

// What can be wrong with the body of a response.
var (
	errHTML      = errors.New("the response is an HTML page, not JSON")
	errTooLong   = errors.New("the response is longer than 1 MiB")
	errCutOff    = errors.New("the response is cut off")
	errNotJSON   = errors.New("the response is not valid JSON")
	errNotForm   = errors.New("the response is not a valid form")
	errMalformed = errors.New("the response is not valid HTTP")
)

// response is one response of the auth server, its body read.
type response struct {
	status   int
	header   http.Header
	cookies  []*http.Cookie
	issued   time.Time // when the request was sent
	date     time.Time // what the server's clock showed; issued if it did not say
	body     []byte
	document any   // JSON or a form; a text is a bare token; nil if there is none
	err      error // why the body cannot be read, nil if it can
}

// readResponse reads resp and closes its body.
func readResponse(resp *http.Response, issued time.Time) *response {
	a := &response{status: resp.StatusCode, header: resp.Header, cookies: resp.Cookies(), issued: issued, date: issued}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.date = date
	}
	a.body, a.err = bodyOf(resp)
	if a.err == nil {
		a.document, a.err = parseBody(resp.Header.Get("Content-Type"), a.body)
	}
	return a
}

func bodyOf(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, errors.New("the response has a Content-Encoding that was not asked for")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errCutOff
	case err != nil:
		return nil, fmt.Errorf("the response broke off: %w", cause(err))
	case len(body) > maxResponse:
		return nil, errTooLong
	}
	return body, nil
}

// parseBody reads a body as its Content-Type and its first byte say, in this order of trust: JSON sent as text or
// as HTML is JSON all the same, and HTML without any markup is text, which frameworks send as HTML unless told
// otherwise. A plain text is no document, unless it is a token.
func parseBody(contentType string, body []byte) (any, error) {
	body = trimmed(body)
	media, _, _ := mime.ParseMediaType(contentType)
	switch {
	case len(body) == 0:
		return nil, nil
	case body[0] == '<':
		return nil, notXML(media)
	case strings.IndexByte(`{["`, body[0]) >= 0 || isJSON(media):
		return parseJSON(body)
	case media == "text/html" && bytes.IndexByte(body, '<') >= 0:
		return nil, errHTML
	case media == "application/x-www-form-urlencoded":
		return parseForm(body)
	case (strings.HasPrefix(media, "text/") || media == "") && printable(body):
		return parseText(string(body)), nil
	default:
		return nil, fmt.Errorf("the response is neither JSON nor a form but %q", media)
	}
}

// trimmed is body without a byte order mark and the space around it.
func trimmed(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
}

// notXML says what a body is that begins with markup.
func notXML(media string) error {
	if strings.HasSuffix(media, "xml") && media != "application/xhtml+xml" {
		return errors.New("the response is XML, not JSON")
	}
	return errHTML
}

func isJSON(media string) bool {
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// parseJSON never says what the JSON is that cannot be read.
func parseJSON(body []byte) (any, error) {
	if v := decodeJSON(body); v != nil || string(body) == "null" {
		return v, nil
	}
	if body[0] == '{' && body[len(body)-1] != '}' || body[0] == '[' && body[len(body)-1] != ']' {
		return nil, errCutOff
	}
	return nil, errNotJSON
}

func parseForm(body []byte) (any, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errNotForm
	}
	return listFields(values), nil
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

// cookie is the value that the response sets the cookie name to; ok reports whether it sets it at all.
func (a *response) cookie(name string) (c *http.Cookie, ok bool) {
	for _, candidate := range a.cookies {
		if candidate.Name == name {
			c, ok = candidate, true // the last one counts, as in a jar
		}
	}
	return c, ok
}

// deletes reports whether setting c deletes the cookie, or empties it.
func (a *response) deletes(c *http.Cookie) bool {
	return c.Value == "" || c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && !c.Expires.After(a.date)
}
