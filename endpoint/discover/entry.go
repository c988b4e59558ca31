package discover

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/har"
)

// An exchange is one request of a recording with its response, in the form in which they are compared.
type exchange struct {
	number   int // in the recording, from 1
	at       time.Time
	method   string
	url      *url.URL
	header   http.Header // of the request, without its cookies
	cookies  []*http.Cookie
	encoding string // of the request's body: "json", "form", "multipart", "": none of these
	fields   any    // of the request's body: a JSON document, or a form
	raw      []byte // the request's body

	status     int
	respHeader http.Header
	setCookies []*http.Cookie
	media      string
	body       []byte
	document   any // of the response's body, nil if it is no JSON
	withheld   bool
}

// newExchange reads an entry; nil if it is none that could matter.
func newExchange(e *har.Entry) *exchange {
	u, err := url.Parse(e.Request.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	u.Fragment, u.RawFragment, u.User = "", "", nil
	x := &exchange{number: e.Number, method: strings.ToUpper(e.Request.Method), url: u, status: e.Response.Status}
	x.at, _ = time.Parse(time.RFC3339, e.StartedDateTime)
	x.readRequest(&e.Request)
	x.readResponse(&e.Response)
	return x
}

func (x *exchange) readRequest(r *har.Request) {
	x.header = headers(r.Headers)
	x.cookies = requestCookies(x.header.Values("Cookie"))
	x.header.Del("Cookie")
	for _, c := range r.Cookies {
		if len(x.cookies) == 0 || !hasCookie(x.cookies, c.Name) {
			x.cookies = append(x.cookies, &http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	p := r.PostData
	if p == nil {
		return
	}
	media := p.MimeType
	if media == "" {
		media = x.header.Get("Content-Type")
	}
	x.raw = p.Body()
	x.encoding, x.fields = readFields(media, x.raw, p.Params)
}

func (x *exchange) readResponse(r *har.Response) {
	x.respHeader = headers(r.Headers)
	for _, line := range x.respHeader.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(strings.TrimSpace(line)); err == nil {
			x.setCookies = append(x.setCookies, c)
		}
	}
	x.respHeader.Del("Set-Cookie")
	for _, c := range r.Cookies {
		if !hasCookie(x.setCookies, c.Name) {
			x.setCookies = append(x.setCookies, setCookie(c))
		}
	}
	if x.respHeader.Get("Location") == "" && r.RedirectURL != "" {
		x.respHeader.Set("Location", r.RedirectURL)
	}
	x.media, _, _ = mime.ParseMediaType(r.Content.MimeType)
	x.body = r.Content.Body()
	x.withheld = len(x.body) == 0 && r.Content.Size > 0
	x.document = decodeJSON(x.body)
}

// headers are header fields as net/http has them. Exports join several Set-Cookie fields with line breaks.
func headers(pairs []har.Pair) http.Header {
	h := http.Header{}
	for _, p := range pairs {
		if p.Name == "" || p.Name[0] == ':' { // a pseudo-header of HTTP/2
			continue
		}
		for value := range strings.SplitSeq(p.Value, "\n") {
			h.Add(p.Name, strings.TrimSpace(value))
		}
	}
	return h
}

// requestCookies are those of Cookie fields; HTTP/2 may split them into several.
func requestCookies(lines []string) (cookies []*http.Cookie) {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ";") {
			name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
			if ok && name != "" {
				cookies = append(cookies, &http.Cookie{Name: name, Value: value})
			}
		}
	}
	return cookies
}

func setCookie(c har.Cookie) *http.Cookie {
	set := &http.Cookie{
		Name: c.Name, Value: c.Value, Path: c.Path, Domain: c.Domain, HttpOnly: c.HTTPOnly, Secure: c.Secure,
	}
	set.Expires, _ = time.Parse(time.RFC3339, c.Expires)
	return set
}

func hasCookie(cookies []*http.Cookie, name string) bool {
	return slices.ContainsFunc(cookies, func(c *http.Cookie) bool { return c.Name == name })
}

// readFields reads the body of a request, whose parameters some exports have apart.
func readFields(contentType string, body []byte, params []har.Pair) (encoding string, fields any) {
	media, attributes, _ := mime.ParseMediaType(contentType)
	switch {
	case media == "multipart/form-data":
		if form := readMultipart(body, attributes["boundary"]); form != nil {
			return "multipart", form
		}
		return "multipart", formOf(params)
	case media == "application/x-www-form-urlencoded":
		if values, err := url.ParseQuery(string(body)); err == nil && len(values) > 0 {
			return "form", formFields(values)
		}
		return "form", formOf(params)
	}
	if document := decodeJSON(body); document != nil {
		return "json", document
	}
	return "", nil
}

func readMultipart(body []byte, boundary string) any {
	if boundary == "" || len(body) == 0 {
		return nil
	}
	values := url.Values{}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for range 100 {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		text, err := io.ReadAll(io.LimitReader(part, 64<<10))
		if err == nil && part.FileName() == "" && part.FormName() != "" {
			values.Add(part.FormName(), string(text))
		}
	}
	if len(values) == 0 {
		return nil
	}
	return formFields(values)
}

// formOf is a form by its parameters, which some exports leave encoded.
func formOf(params []har.Pair) any {
	if len(params) == 0 {
		return nil
	}
	values := url.Values{}
	for _, p := range params {
		values.Add(unescaped(p.Name), unescaped(p.Value))
	}
	return formFields(values)
}

func unescaped(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil && strings.Contains(text, "%") {
		return decoded
	}
	return text
}

// formFields is a form as a document; a name that is there twice is a list.
func formFields(values url.Values) any {
	fields := map[string]any{}
	for name, list := range values {
		if len(list) == 1 {
			fields[name] = list[0]
			continue
		}
		all := make([]any, len(list))
		for i, v := range list {
			all[i] = v
		}
		fields[name] = all
	}
	return fields
}

// decodeJSON reads one JSON object or array, its numbers as they are written; nil if body is none.
func decodeJSON(body []byte) any {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// ok reports whether the response is a success; a redirect is one to a form.
func (x *exchange) ok() bool {
	return x.status >= 200 && x.status < 400 && x.status != http.StatusNotModified
}

// safe reports whether the method only reads (RFC 9110 section 9.2.1).
func (x *exchange) safe() bool { return x.method == http.MethodGet || x.method == http.MethodHead }

// cookie is the value that the request carries in the cookie of that name.
func (x *exchange) cookie(name string) (value string, ok bool) {
	for _, c := range x.cookies {
		if c.Name == name {
			return c.Value, true
		}
	}
	return "", false
}

// deletes reports whether the response's cookie c takes back the one of that name.
func (x *exchange) deletes(c *http.Cookie) bool {
	now := x.at
	if date, err := http.ParseTime(x.respHeader.Get("Date")); err == nil {
		now = date
	}
	if c.Value == "" || c.MaxAge != 0 || c.Expires.IsZero() {
		return c.Value == "" || c.MaxAge < 0
	}
	return c.Expires.Before(now) || c.Expires.Year() < 2000
}
