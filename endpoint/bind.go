package endpoint

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"golang.org/x/net/http/httpguts"
)

// Bind returns the Exchanger for the server at base, whose API requests carry the token as attach says. Its error names
// every mistake in s.
func (s Settings) Bind(base *url.URL, attach auth.Attach) (*Exchanger, error) {
	b := &Exchanger{Settings: s, base: base, attach: attach}
	m := &mistakes{}
	b.Login = b.Login.bind(auth.KindLogin, base, m)
	b.Refresh = b.Refresh.bind(auth.KindRefresh, base, m)
	b.Logout = b.Logout.bind(auth.KindLogout, base, m)
	b.CSRF = b.CSRF.bind(base, m)
	b.AccessToken.check(m)
	b.Session.check(m)
	if b.RefreshToken.Header != "" && !httpguts.ValidHeaderFieldName(b.RefreshToken.Header) {
		m.add("refresh_token.header: %q is not a header name", b.RefreshToken.Header)
	}
	if err := errors.Join(m.found...); err != nil {
		return nil, err
	}
	return b, nil
}

// mistakes collects what is wrong with settings, so that all of it can be said at once.
type mistakes struct{ found []error }

func (m *mistakes) add(format string, args ...any) {
	m.found = append(m.found, fmt.Errorf(format, args...))
}

// methods are those that a Call may have.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func (c Call) bind(kind auth.Kind, base *url.URL, m *mistakes) Call {
	c.kind, c.setting = kind, kind.String()
	c.Method = cmp.Or(c.Method, http.MethodPost)
	c.URL = cmp.Or(c.URL, "/auth/"+kind.String())
	if c.Touch && kind != auth.KindRefresh {
		m.add("%s.touch: only a refresh can be a touch; leave it out", kind)
	}
	if len(c.Take) > 0 {
		m.add("%s.take: it is for the call before; put it into %s.first", kind, kind)
	}
	return c.complete(base, m)
}

// bindFirst is bind for the call before c.
func (c Call) bindFirst(kind auth.Kind, setting string, base *url.URL, m *mistakes) Call {
	c.kind, c.setting = kind, setting
	c.Method = cmp.Or(c.Method, http.MethodGet)
	if c.URL == "" || c.URL == "-" {
		m.add("%s.url: it is missing; name what is to be called first", setting)
		c.URL = "-"
	}
	if c.Touch {
		m.add("%s.touch: only a refresh can be a touch; leave it out", setting)
	}
	return c.complete(base, m)
}

// complete is what bind does for every call.
func (c Call) complete(base *url.URL, m *mistakes) Call {
	c.Method = strings.ToUpper(c.Method)
	if !slices.Contains(methods, c.Method) {
		m.add("%s.method: %q is none of %s", c.setting, c.Method, strings.Join(methods, ", "))
	}
	c.Encoding = strings.ToLower(cmp.Or(c.Encoding, "json"))
	if c.Encoding != "json" && c.Encoding != "form" {
		m.add("%s.encoding: %q is neither json nor form", c.setting, c.Encoding)
	}
	if c.URL != "-" {
		c.target = resolve(c.setting+".url", base, placeholder.ReplaceAllString(c.URL, "x"), m)
	}
	if c.First != nil {
		first := c.First.bindFirst(c.kind, c.setting+".first", base, m)
		c.First = &first
	}
	c.checkHeaders(m)
	c.checkFields(m)
	c.checkRefused(m)
	c.checkAccepted(m)
	c.uses = c.checkPlaceholders(m)
	return c
}

func (c Call) checkHeaders(m *mistakes) {
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) {
			m.add("%s.headers: %q is not a header name", c.setting, name)
		} else if !httpguts.ValidHeaderFieldValue(c.Headers[name]) {
			m.add("%s.headers: the value of %s holds control characters; take them out", c.setting, name)
		}
	}
	for setting, name := range map[string]string{"refresh_token_header": c.RefreshTokenHeader, "access_token_header": c.AccessTokenHeader} {
		if name != "" && !httpguts.ValidHeaderFieldName(name) {
			m.add("%s.%s: %q is not a header name", c.setting, setting, name)
		}
	}
}

func (c Call) checkAccepted(m *mistakes) {
	for _, status := range c.AcceptedStatus {
		switch {
		case status < 200 || status > 599:
			m.add("%s.accepted_status: %d is not the status of a response", c.setting, status)
		case c.refusedByStatus(status):
			m.add("%s: %d is in accepted_status and in refused; leave one of the two out", c.setting, status)
		}
	}
}

func (c Call) checkFields(m *mistakes) {
	if _, err := json.Marshal(c.Fields); err != nil {
		m.add("%s.fields: they cannot be written as JSON; give strings, numbers, arrays and objects", c.setting)
	}
	if c.RefreshTokenField != "" && c.RefreshTokenField == c.AccessTokenField {
		m.add("%s: refresh_token_field and access_token_field are both %q; one field cannot carry both tokens",
			c.setting, c.AccessTokenField)
	}
	if c.RefreshTokenField != "" && c.RefreshTokenHeader != "" {
		m.add("%s: refresh_token_field and refresh_token_header are both set; leave one of the two out", c.setting)
	}
}

func (f CSRF) bind(base *url.URL, m *mistakes) CSRF {
	sources := 0
	for _, s := range []string{f.Cookie, f.ResponseHeader, f.ResponseJSON, f.ResponseField, f.ResponseMeta} {
		if s != "" {
			sources++
		}
	}
	if sources > 1 {
		m.add("csrf: cookie, response_header, response_json, response_field and response_meta exclude each other; " +
			"set the one that has the token")
	}
	if sources == 0 && (f.Header != "" || f.Field != "" || f.URL != "" || f.APICookie != "") {
		m.add("csrf: nothing says where the token is; set cookie, response_header, response_json, response_field or response_meta " +
			"(a token that never changes belongs in headers)")
	}
	if (f.Header != "" && !httpguts.ValidHeaderFieldName(f.Header)) || f.ResponseHeader != "" && !httpguts.ValidHeaderFieldName(f.ResponseHeader) {
		m.add("csrf: header (%q) or response_header (%q) is not a header name", f.Header, f.ResponseHeader)
	}
	f.Header = cmp.Or(f.Header, "X-CSRF-Token")
	if f.URL != "" {
		f.target = resolve("csrf.url", base, f.URL, m)
	}
	return f
}

func (a AccessTokenAt) check(m *mistakes) {
	if a.Header != "" && !httpguts.ValidHeaderFieldName(a.Header) {
		m.add("access_token.header: %q is not a header name", a.Header)
	}
	if a.Cookie != "" && !httpguts.ValidHeaderFieldName(a.Cookie) {
		m.add("access_token.cookie: %q is not a cookie name", a.Cookie)
	}
	if _, ok := expiresUnits[a.ExpiresUnit]; !ok {
		m.add("access_token.expires_unit: %q is none of ms, s, m, h and d", a.ExpiresUnit)
	}
	if a.Cookie != "" && (a.JSON != "" || a.Header != "") {
		m.add("access_token: a token is either a cookie or attached to requests; set cookie, or json and header")
	}
	a.Lifetime.check("access_token.lifetime", m)
}

func (s SessionTimeouts) check(m *mistakes) {
	s.IdleTimeout.check("session.idle_timeout", m)
	s.AbsoluteTimeout.check("session.absolute_timeout", m)
}

// expiresUnits are what access_token.expires_unit may be.
var expiresUnits = map[string]time.Duration{"": 0, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

func (a AccessTokenAt) unit() time.Duration { return expiresUnits[a.ExpiresUnit] }

// resolve reads the setting's URL ref. Without a leading slash it counts from the whole of base.
func resolve(setting string, base *url.URL, ref string, m *mistakes) *url.URL {
	u, err := url.Parse(ref)
	if err != nil {
		m.add("%s: it cannot be parsed; write a path such as /auth/login, or a whole URL", setting)
		return nil
	}
	if u.User != nil {
		m.add("%s: take user and password out of the URL; give an Authorization header in headers", setting)
		return nil
	}
	from := *base
	if !strings.HasSuffix(from.Path, "/") {
		from = *from.JoinPath("/")
	}
	u = from.ResolveReference(u)
	u.Fragment, u.RawFragment = "", ""
	if err := safe(u, base); err != nil {
		m.add("%s: %w", setting, err)
		return nil
	}
	return u
}

// safe reports why a credential must not travel to u. Whether it may travel to base is checked by New.
func safe(u, base *url.URL) error {
	to, err := origin.Of(u)
	if err != nil {
		return err
	}
	if from, _ := origin.Of(base); to == from || to.Scheme == "https" || origin.Loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("plain http to %s would expose the credential; use https", to)
}
