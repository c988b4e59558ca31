package discover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// URL looks at a server for how it logs people in: for a challenge that names its authorization servers (RFC 9728),
// the metadata of one (RFC 8414, OpenID Connect Discovery), an OpenAPI document, a login form, and the usual paths. What
// it finds first, in this order, is the Result; where it finds nothing, Missing says how to go on.
//
// It sends at most 24 GET requests, without cookies and credentials, and takes at most 30 seconds. It asks another
// origin only where a document names it, and says so; redirects to another origin are not followed but reported. Of
// client, which may be nil, only the Transport is used. An error says that the server could not be asked at all.
func URL(ctx context.Context, client *http.Client, rawURL string) (Result, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return Result{}, errors.New("discover: the URL cannot be parsed; write it as https://api.example.com")
	}
	if _, err := origin.Of(u); err != nil {
		return Result{}, fmt.Errorf("discover: the URL: %w", err)
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	ctx, cancel := context.WithTimeout(ctx, urlTimeout)
	defer cancel()
	l := newLooker(ctx, client, u)
	first, err := l.get(u)
	if err != nil {
		return Result{}, fmt.Errorf("discover: asking %s failed: %w", u.Host, err)
	}
	l.look(first)
	return *l.result, ctx.Err()
}

// look tries one thing after the other.
func (l *looker) look(first *view) {
	r := l.result
	r.BaseURL = l.start.Scheme + "://" + l.start.Host
	r.Settings.Login.URL, r.Settings.Refresh.URL, r.Settings.Logout.URL = "-", "-", "-"
	switch {
	case l.redirected(first), l.challenged(first), l.authorizationServer(),
		l.openAPI(first), l.loginForm(first), l.usualPaths():
	default:
		r.missing("nothing at %s says how to log in. %s; or take the settings of your kind of server from docs/SERVERS.md",
			r.BaseURL, learnIt)
	}
}

// redirected reports whether the server sends people elsewhere: to log in with a client that it names, or for good.
func (l *looker) redirected(v *view) bool {
	if v.away == nil {
		return false
	}
	q := v.away.Query()
	if q.Get("client_id") != "" && q.Get("response_type") != "" && l.name(v.away) == nil {
		l.result.found(Certain, l.from(v.at), "it sends people to log in at %s", v.away.Host)
		if l.metadata(&url.URL{Scheme: v.away.Scheme, Host: v.away.Host, Path: issuerPath(v.away.Path)}) {
			l.result.OAuth.ClientID, l.result.OAuth.Scopes = q.Get("client_id"), strings.Fields(q.Get("scope"))
			l.result.found(Certain, l.from(v.at), "the page's own client is %s", q.Get("client_id"))
			return true
		}
	}
	l.result.missing("%s redirects to %s, which was not followed; if that is right, give that URL",
		l.start.Host, v.away.Scheme+"://"+v.away.Host)
	return false
}

// authorizePaths are where authorization endpoints are, below their issuer; the longer ones first.
var authorizePaths = []string{"/protocol/openid-connect/auth", "/oauth2/v2.0/authorize", "/v1/authorize",
	"/oauth2/authorize", "/oauth/authorize", "/authorize"}

// issuerPath is what may be the issuer's path, where the authorization endpoint has this one.
func issuerPath(path string) string {
	for _, end := range authorizePaths {
		if before, ok := strings.CutSuffix(path, end); ok {
			return before
		}
	}
	return ""
}

// usualPaths reports whether the usual login is there: something that wants a POST.
func (l *looker) usualPaths() bool {
	for _, path := range []string{"/auth/login", "/api/auth/login", "/login", "/api/login"} {
		v, err := l.get(l.at(path))
		if err != nil || v.status != http.StatusMethodNotAllowed {
			continue
		}
		if !strings.Contains(v.header.Get("Allow"), http.MethodPost) {
			continue
		}
		prefix := strings.TrimSuffix(path, "login")
		s := &l.result.Settings
		s.Login.URL, s.Refresh.URL, s.Logout.URL = path, prefix+"refresh", prefix+"logout"
		l.result.found(Guess, l.from(v.at), "%s wants a POST: that may be the usual login, with email and password", path)
		l.result.Ask = []string{"email", "password"}
		return true
	}
	return false
}
