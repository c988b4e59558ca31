package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// CheckRenewable implements auth.RenewalChecker. A mistake in the settings, or a cookie that does not fit the refresh
// endpoint's URL, would otherwise go unnoticed until the access token ends.
func (e *Exchanger) CheckRenewable(s auth.Session) error {
	if e.Refresh.target == nil {
		return fmt.Errorf(`%w: the server has no refresh endpoint (refresh.url is "-")`, auth.ErrNotRenewable)
	}
	fitting := e.fitting(s.Cookies)
	if err := e.presents(s, fitting); err != nil {
		return err
	}
	if e.needsLiveToken(s, fitting) && s.Expires.IsZero() && s.Ends.IsZero() && e.Timeouts() == (auth.Timeouts{}) {
		return fmt.Errorf("%w in time: only the access token renews itself, and nothing says when it ends; "+
			"set access_token.expires_json, access_token.lifetime or session.idle_timeout", auth.ErrNotRenewable)
	}
	return nil
}

// presents reports why a refresh with s has nothing to present. cookies are those that the refresh URL gets.
func (e *Exchanger) presents(s auth.Session, cookies []*http.Cookie) error {
	call := &e.Refresh
	switch {
	case !s.RefreshToken.IsZero() && call.sendsRefreshToken(),
		!s.AccessToken.IsZero() && call.sendsAccessToken(),
		len(cookies) > 0:
		return nil
	}
	return fmt.Errorf("%w: %w", auth.ErrNotRenewable, e.missing(s))
}

// needsLiveToken reports whether the access token is the only thing that a refresh presents.
func (e *Exchanger) needsLiveToken(s auth.Session, cookies []*http.Cookie) bool {
	if s.AccessToken.IsZero() || !s.RefreshToken.IsZero() && e.Refresh.sendsRefreshToken() {
		return false
	}
	for _, c := range cookies {
		if c.Name != e.AccessToken.Cookie {
			return false
		}
	}
	return e.Refresh.sendsAccessToken() || len(cookies) > 0
}

// missing says what stands in the way of a refresh that has nothing to present.
func (e *Exchanger) missing(s auth.Session) error {
	if !s.RefreshToken.IsZero() {
		return errors.New("there is a refresh token, which is no cookie; set refresh.refresh_token_field to the name of the " +
			"field that takes it, or refresh.refresh_token_header")
	}
	if c, ok := e.mostLikely(s.Cookies); ok {
		return e.misfit(c)
	}
	if note := s.Extra.Reveal(); note != "" {
		return errors.New(note)
	}
	if e.Refresh.sendsRefreshToken() {
		return errors.New("no refresh token was found in the response; set refresh_token.json to its path")
	}
	return errors.New("the login brought neither a cookie nor a refresh token")
}

// mostLikely is the cookie that is the refresh token, as far as one can tell.
func (e *Exchanger) mostLikely(cookies []auth.Cookie) (best auth.Cookie, ok bool) {
	score := -1
	for _, c := range cookies {
		if e.CSRF.isCookie(c.Name) {
			continue
		}
		points := 0
		if c.HttpOnly {
			points++
		}
		if strings.Contains(response.Plain(c.Name), "refresh") {
			points += 2
		}
		if points > score {
			best, score = c, points
		}
	}
	return best, score >= 0
}

// fitting are the cookies that the refresh URL gets and that may be a credential.
func (e *Exchanger) fitting(cookies []auth.Cookie) []*http.Cookie {
	var fit []*http.Cookie
	jar := auth.NewJar(e.placed(cookies)...)
	jar.Revive(e.Refresh.target) // a refresh would present them
	for _, c := range cookiesFor(jar, e.Refresh.target) {
		if !e.CSRF.isCookie(c.Name) {
			fit = append(fit, c)
		}
	}
	return fit
}

// placed are cookies with the Domain and Path that are meant where a caller has left them empty.
func (e *Exchanger) placed(cookies []auth.Cookie) []auth.Cookie {
	placed := make([]auth.Cookie, len(cookies))
	for i, c := range cookies {
		placed[i] = c.At(e.base)
	}
	return placed
}

// misfit says which attribute of c keeps it from the refresh URL: the one without which it would go there.
func (e *Exchanger) misfit(c auth.Cookie) error {
	u := e.Refresh.target
	c = c.At(e.base)
	what := fmt.Sprintf("the cookie %s does not go to %s", c.Name, u.Path)
	switch {
	case e.goes(c, func(c *auth.Cookie) { c.Path = "/" }):
		return fmt.Errorf("%s: its Path is %s; set refresh.url to a path below that", what, c.Path)
	case e.goes(c, func(c *auth.Cookie) { c.Secure = false }):
		return fmt.Errorf("%s: it is Secure, and the URL is plain http; use https", what)
	case e.goes(c, func(c *auth.Cookie) { c.Domain, c.HostOnly = u.Hostname(), true }):
		return fmt.Errorf("%s: its Domain is %s, and the URL's host is %s; set refresh.url to that host", what, c.Domain, u.Hostname())
	}
	return fmt.Errorf("%s: its attributes (Domain %s, Path %s, Secure %t) do not fit", what, c.Domain, c.Path, c.Secure)
}

// goes reports whether c would go to the refresh URL after change.
func (e *Exchanger) goes(c auth.Cookie, change func(*auth.Cookie)) bool {
	change(&c)
	return len(auth.NewJar(c).SentTo(e.Refresh.target)) > 0
}

// untaken says why the jar did not take a cookie of a login's response that may be the refresh token; "" if it took
// all. A session has only what the jar took, so this is the last chance to notice; it becomes Session.Extra.
func (x *exchange) untaken(a *response.Response) string {
	jar, ok := x.hc.Jar.(*auth.Jar)
	if !ok {
		return ""
	}
	taken := map[string]bool{}
	for _, c := range jar.All() {
		taken[c.Name] = true
	}
	for _, c := range a.Cookies {
		if x.e.mayRefresh(c) && !taken[c.Name] && !a.Deletes(c) {
			return x.refusedCookie(c)
		}
	}
	return ""
}

// refusedCookie says which attribute of c a jar does not accept from the call's URL (RFC 6265bis section 5.7).
func (x *exchange) refusedCookie(c *http.Cookie) string {
	host, domain := x.url.Hostname(), strings.TrimPrefix(strings.ToLower(c.Domain), ".")
	what := fmt.Sprintf("the cookie %.100q of the login was not taken: ", c.Name)
	switch {
	case c.Secure && x.url.Scheme == "http" && !origin.Loopback(host):
		return what + "it is Secure, and the URL is plain http; use https"
	case domain != "" && domain != host && !strings.HasSuffix(host, "."+domain):
		return fmt.Sprintf("%sits Domain is %.100q, and the URL's host is %s; set login.url to that host", what, domain, host)
	default:
		return what + "its attributes contradict each other or the URL"
	}
}
