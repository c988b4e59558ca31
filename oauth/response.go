package oauth

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// A response is one of the server's, its body read. What is not there is empty.
type response struct {
	status int
	header http.Header
	body   []byte
	fields map[string]any // of a JSON object or a form, nil if it is neither
}

func readResponse(resp *http.Response, body []byte) *response {
	r := &response{status: resp.StatusCode, header: resp.Header, body: body}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&r.fields) == nil {
		return r
	}
	r.fields = nil
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if media == "application/x-www-form-urlencoded" || media == "text/plain" && bytes.Contains(body, []byte("access_token=")) {
		r.readForm(string(body))
	}
	return r
}

// readForm reads what servers send that are older than RFC 6749.
func (r *response) readForm(body string) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return
	}
	r.fields = map[string]any{}
	for name := range form {
		r.fields[name] = form.Get(name)
	}
}

// good reports whether the status is one of success, and nothing in the body says otherwise.
func (r *response) good() bool {
	return r.status/100 == 2 && r.text("error") == "" && r.fields["ok"] != false && r.fields["success"] != false
}

// text is a field that is a string, "" if it is not.
func (r *response) text(name string) string {
	s, _ := r.fields[name].(string)
	return s
}

// after is a field that says how long something lives, whatever it is written as; 0 if it does not.
func (r *response) after(now time.Time, names ...string) time.Duration {
	for _, name := range names {
		m, ok := lifetime.Read(r.fields[name])
		if ok && strings.HasSuffix(name, "_ms") {
			m.After /= 1000
		}
		if ok {
			return m.Left(now)
		}
	}
	return 0
}

// Tokens are what a token endpoint gives (RFC 6749 section 5.1).
type tokens struct {
	access, refresh, id auth.Secret
	kind                string // token_type
	issued              time.Time
	expires, ends       time.Time // zero if unknown
	scopes              []string  // nil if they are those that were asked for
}

// tokens reads r, the response to a request that was sent at issued; now is what the server's clock showed.
func (r *response) tokens(issued, now time.Time) *tokens {
	t := &tokens{
		access: auth.NewSecret(r.text("access_token")), refresh: auth.NewSecret(r.text("refresh_token")),
		id: auth.NewSecret(r.text("id_token")), kind: r.text("token_type"), issued: issued,
	}
	life := r.after(now, "expires_in", "expires_in_ms", "expires_at", "expires", "expires_on")
	t.expires = lifetime.End(issued, life)
	// No standard has these, but they are widespread.
	ends := r.after(now, "refresh_expires_in", "refresh_token_expires_in", "refresh_token_expires_at")
	t.ends = lifetime.End(issued, ends)
	if scope := r.text("scope"); scope != "" {
		t.scopes = strings.FieldsFunc(scope, func(c rune) bool { return c == ' ' || c == ',' })
	}
	return t
}
