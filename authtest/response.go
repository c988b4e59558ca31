package authtest

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

const (
	csrfCookie = "csrf_token"
	csrfHeader = "X-CSRF-Token"
)

// A response is what an auth endpoint says, before it is written down.
type response struct {
	status                    int
	header                    http.Header
	doc                       map[string]any // nil: no body
	grant                     *grant         // nil: nothing is given
	clearRefresh, clearAccess bool
}

// granted responds to a login or a refresh. The caller holds s.mu.
func (s *Server) granted(c *Config, g grant) *response {
	account := g.family.account
	doc := map[string]any{"user": map[string]any{"id": subject(account), "email": account}}
	if g.access != "" && c.TokenIn == InJSON {
		doc[c.TokenName] = g.access
		doc["tokenType"] = "Bearer"
	}
	if g.access != "" && !c.NoExpiresIn {
		doc["expiresIn"] = c.AccessTTL.Seconds()
	}
	if g.refresh != "" && c.RefreshIn == InJSON {
		doc[c.RefreshName] = g.refresh
	}
	return &response{status: http.StatusOK, doc: doc, grant: &g}
}

// refuse responds with an error as RFC 6749 section 5.2 writes it.
func refuse(status int, code, description string) *response {
	return &response{status: status, doc: map[string]any{"error": code, "error_description": description}}
}

func rateLimited(wait time.Duration) *response {
	a := refuse(http.StatusTooManyRequests, "rate_limited", "too many refreshes")
	seconds := int(math.Ceil(wait.Seconds()))
	a.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return a
}

// csrf refuses a request without a double submit, where one is asked for; nil: it may go on.
func (s *Server) csrf(c *Config, r *http.Request) *response {
	if !c.CSRF {
		return nil
	}
	cookie, err := r.Cookie(csrfCookie)
	if err == nil && cookie.Value != "" && same(cookie.Value, r.Header.Get(csrfHeader)) {
		return nil
	}
	s.count(func(n *Counters) { n.CSRFRefused++ })
	return refuse(http.StatusForbidden, "csrf_failed", "the header "+csrfHeader+" has to repeat the cookie "+csrfCookie)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// write sends the response.
func (a *response) write(w http.ResponseWriter, c *Config) {
	for _, cookie := range a.cookies(c) {
		http.SetCookie(w, cookie)
	}
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if g := a.grant; g != nil && g.access != "" && c.TokenIn == InHeader {
		h.Set(c.TokenName, g.access)
	}
	h.Set("Cache-Control", "no-store")
	if a.doc == nil {
		w.WriteHeader(a.status)
		return
	}
	writeJSON(w, a.status, a.document(c))
}

func (a *response) document(c *Config) any {
	if a.grant != nil && c.Reshape != nil {
		return c.Reshape(a.doc)
	}
	return a.doc
}

func (a *response) cookies(c *Config) []*http.Cookie {
	var cookies []*http.Cookie
	add := func(name, value, path string, httpOnly bool, ttl time.Duration) {
		maxAge := int(math.Ceil(ttl.Seconds()))
		if value == "" {
			maxAge = -1
		}
		cookies = append(cookies, &http.Cookie{
			Name: name, Value: value, Path: path, MaxAge: maxAge,
			HttpOnly: httpOnly, Secure: c.Secure || c.TLS, SameSite: http.SameSiteStrictMode,
		})
	}
	if g := a.grant; g != nil {
		if g.refresh != "" && c.RefreshIn == InCookie {
			add(c.RefreshName, g.refresh, "/auth", true, c.RefreshTTL)
		}
		if g.access != "" && c.TokenIn == InCookie {
			add(c.TokenName, g.access, "/", true, c.AccessTTL)
		}
		if c.CSRF {
			add(csrfCookie, rand.Text(), "/", false, c.RefreshTTL)
		}
	}
	if a.clearRefresh {
		add(c.RefreshName, "", "/auth", true, 0)
	}
	if a.clearAccess {
		add(c.TokenName, "", "/", true, 0)
	}
	return cookies
}

func writeJSON(w http.ResponseWriter, status int, doc any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		http.Error(w, "the response cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	w.Write(b.Bytes())
}
