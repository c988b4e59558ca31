package silentrefresh

import (
	"net/http"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
)

// This file is about the cookies of a session: which of them go to the API, what API responses change in them, and what
// is left of them after a failed exchange. Which go to the auth endpoints, the jar itself decides.

// attachCookies sets the session's cookies as a browser would. Those that the caller's own jar has put there, and that
// stand for the same, go: no server sees two. The cookie that is the token goes out wherever its Path points, and once.
func (s *shared) attachCookies(out *http.Request, st *state) {
	ours := st.jar.SentTo(out.URL)
	if s.tokenCookie != "" {
		ours = slices.DeleteFunc(ours, func(k auth.Cookie) bool {
			return k.Name == s.tokenCookie || !s.cfg.Attach.Cookies && !s.sendsCookie(k.Name)
		})
		if token, ok := st.jar.Sole(s.tokenCookie); ok {
			ours = append(ours, token)
		}
	}
	auth.SetCookieHeader(out.Header, ours)
	if s.cookies != nil && !safeMethod(out.Method) {
		s.attachCSRF(out, st)
	}
}

// sendsCookie asks the Exchanger whether the API gets a cookie beside the token.
func (s *shared) sendsCookie(name string) (yes bool) {
	_ = shielded("the Exchanger", func() error { yes = s.cookies.SendsCookie(name); return nil })
	return yes
}

// attachCSRF shows the API the token against cross-site request forgery, where there is one.
func (s *shared) attachCSRF(out *http.Request, st *state) {
	_ = shielded("the Exchanger", func() error {
		if name, value := s.cookies.CSRFHeader(st.jar, out.URL, st.session()); value != "" && out.Header.Get(name) == "" {
			out.Header.Set(name, value)
		}
		return nil
	})
}

// safeMethod reports whether a method changes nothing (RFC 9110 section 9.2.1), so that no CSRF token is asked for.
func safeMethod(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// takeCookies takes the cookies of an API response into the session's jar. A new value of the cookie that is the
// access token counts as a token that was handed out; that it is cleared counts as a rejection.
func (t *transport) takeCookies(st *state, resp *http.Response) {
	c := t.client
	if c.tokenCookie != "" && auth.ClearsCookie(resp.Header, c.tokenCookie) {
		c.mark(st.generation)
		return
	}
	c.change(st, func(s *auth.Session) bool {
		jar := auth.NewJar(s.Cookies...)
		jar.SetCookies(resp.Request.URL, auth.ReadSetCookies(resp.Header))
		renewed := c.takeToken(s, jar)
		s.Cookies = jar.All()
		return renewed
	})
}

// takeToken makes the cookie that is the access token s's token. It reports whether that is a new one.
func (s *shared) takeToken(held *auth.Session, jar *auth.Jar) bool {
	if s.tokenCookie == "" {
		return false
	}
	cookie, ok := jar.Sole(s.tokenCookie)
	if !ok || cookie.Value.IsZero() || cookie.Value.Equal(held.AccessToken) || s.checkToken(cookie.Value.Reveal()) != nil {
		return false
	}
	held.AccessToken, held.Issued, held.Expires = cookie.Value, time.Now(), cookie.Expires
	if end := bearer.Expiry(cookie.Value.Reveal(), held.Issued); !end.IsZero() {
		held.Expires = end
	}
	return true
}

// restored returns after, which is what a failed exchange made of before, with the cookies that the failed response
// deleted or emptied. Those that it added, or gave another value, stay.
func restored(before, after []auth.Cookie) []auth.Cookie {
	for _, c := range before {
		if !c.Value.IsZero() && !slices.ContainsFunc(after, func(o auth.Cookie) bool { return sameSlot(c, o) && !o.Value.IsZero() }) {
			after = append(after, c)
		}
	}
	return auth.NewJar(after...).All()
}

// sameSlot reports whether a jar has room for only one of the two (RFC 6265bis section 5.7).
func sameSlot(a, b auth.Cookie) bool {
	return a.Name == b.Name && a.Domain == b.Domain && a.HostOnly == b.HostOnly && a.Path == b.Path
}

// sameCredential reports whether a and b are renewed by the same thing.
func sameCredential(a, b auth.Session) bool {
	return a.RefreshToken.Equal(b.RefreshToken) && sameCookies(a.Cookies, b.Cookies)
}

// renewsItself reports whether the access token is the only credential that a refresh presents: what refuses the one
// refuses the other.
func (s *shared) renewsItself(held auth.Session) bool {
	if !held.RefreshToken.IsZero() || s.tokenCookie == "" && !s.renewsByToken {
		return false
	}
	return !slices.ContainsFunc(held.Cookies, func(c auth.Cookie) bool {
		return c.Name != s.tokenCookie && (s.cookies == nil || !s.sendsCookie(c.Name))
	})
}

// movedOn reports whether what an API response has changed is worth keeping: another cookie, or an end that has moved by
// more than a twentieth of what is left.
func movedOn(before, after auth.Session, now time.Time) bool {
	if !sameCookies(before.Cookies, after.Cookies) {
		return true
	}
	for i, c := range after.Cookies {
		if old := before.Cookies[i]; !c.Equal(old) && c.Expires.Sub(old.Expires).Abs() > c.Expires.Sub(now)/20 {
			return true
		}
	}
	return false
}

func sameCookies(a, b []auth.Cookie) bool {
	return slices.EqualFunc(a, b, func(a, b auth.Cookie) bool {
		return a.Name == b.Name && a.Domain == b.Domain && a.Path == b.Path && a.Value.Equal(b.Value)
	})
}
