package discover

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

// check plays the recorded responses to the settings, as a server would, and sees whether they find the tokens in them
// that were found here. Only where they do not, settings say where these are: what needs no setting gets none.
func (l *learner) check() {
	base, err := url.Parse(l.result.BaseURL)
	if err != nil || l.result.BaseURL == "" {
		return
	}
	s := &l.result.Settings
	given, token := s.RefreshToken, l.givesRefreshToken()
	s.RefreshToken = endpoint.RefreshTokenAt{}
	if token != "" && l.replayed(base).RefreshToken.Reveal() != token {
		s.RefreshToken = given
	}
	l.checkAccessToken(base)
	l.checkExpiry(base)
	if _, err := s.Bind(base, l.result.Attach); err != nil {
		l.result.missing("the settings have mistakes: %v", err)
	}
}

// exemplar is the call whose response shows where tokens are.
func (l *learner) exemplar() (*exchange, auth.Kind) {
	if l.login != nil && (l.refresh == nil || l.tokenIn(l.login) != "") {
		return l.login, auth.KindLogin
	}
	return l.refresh, auth.KindRefresh
}

// givesRefreshToken is the value that the exemplar's response gave and that a refresh showed.
func (l *learner) givesRefreshToken() string {
	x, _ := l.exemplar()
	if x == nil || l.refresh == nil {
		return ""
	}
	shown := l.shows(l.refresh).refresh
	for _, s := range l.sources[shown] {
		if s.x == x {
			return s.value
		}
	}
	return ""
}

// tokenIn is the access token in a call's response, "" if it has none.
func (l *learner) tokenIn(x *exchange) string {
	s, _ := l.tokenSource(x)
	return s.value
}

func (l *learner) tokenSource(x *exchange) (source, bool) {
	all := x.sources()
	for _, s := range all {
		if l.isToken(s.value) && (l.carrier.place != inCookie || s.spot == l.carrier.spot) {
			return s, true
		}
	}
	for _, s := range all {
		if slices.Contains(l.spots, s.spot) && opaque(s.value) {
			return s, true
		}
	}
	return source{}, false
}

// checkAccessToken sets where responses have the access token.
func (l *learner) checkAccessToken(base *url.URL) {
	x, _ := l.exemplar()
	if x == nil || l.carrier == nil || l.carrier.place == inCookie {
		return
	}
	at, ok := l.tokenSource(x)
	if !ok || normal(l.replayed(base).AccessToken.Reveal()) == at.value {
		return
	}
	token := &l.result.Settings.AccessToken
	switch at.place {
	case inBody:
		token.JSON = at.name
	case inHeader:
		token.Header = at.name
	case inCookie:
		l.result.missing("the token of the header is the value of the cookie %s, which settings cannot say", at.name)
		return
	}
	l.result.found(Certain, l.from(x), "the access token is in %s %s", at.place, at.name)
}

// checkExpiry sets where the token's end is said, where neither the token nor a usual name does.
func (l *learner) checkExpiry(base *url.URL) {
	x, _ := l.exemplar()
	if x == nil || l.tokenIn(x) == "" || !l.replayed(base).Expires.IsZero() {
		return
	}
	found, sure := l.expiry(x)
	if found == "" && l.result.Settings.Refresh.Touch {
		l.result.missing(noIdleTimeout)
		return
	}
	if found == "" {
		l.result.missing("nothing says when an access token ends; it is renewed when the API rejects it " +
			"(max_age sets a time)")
		return
	}
	l.result.Settings.AccessToken.ExpiresJSON = found
	l.result.found(sure, l.from(x), "the access token ends as %s says", found)
}

// expiry is the path to what may be the token's end: a time that was to come, whatever it is called, or a number that is
// called a lifetime.
func (l *learner) expiry(x *exchange) (path string, sure Sure) {
	const longest = 400 * 24 * time.Hour
	eachLeaf(x.document, func(at string, v any) {
		m, ok := lifetime.Read(v)
		life := m.Left(x.at)
		if !ok || life <= 0 || life > longest || refreshName.MatchString(at) || x.at.IsZero() {
			return
		}
		switch {
		case path == "" && !m.At.IsZero():
			path, sure = at, Likely
		case path == "" && lifetimeName.MatchString(at):
			path, sure = at, Guess
		}
	})
	return path, sure
}

var lifetimeName = regexp.MustCompile(`(?i)exp|ttl|valid|life|until`)

// replayed is the session that the settings make of the exemplar's recorded response; zero if they make none.
func (l *learner) replayed(base *url.URL) auth.Session {
	x, kind := l.exemplar()
	if x == nil {
		return auth.Session{}
	}
	s := l.result.Settings
	s.CSRF = endpoint.CSRF{} // there is one response, and none to fetch a token from
	bound, err := s.Bind(base, l.result.Attach)
	if err != nil {
		return auth.Session{}
	}
	old := auth.Session{AccessToken: auth.NewSecret("old"), RefreshToken: auth.NewSecret("old")}
	jar := auth.NewJar()
	for _, c := range x.cookies {
		jar.SetCookies(x.url, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
	}
	hc := &http.Client{Transport: replay{x}, Jar: jar, CheckRedirect: stay}
	grant := auth.Grant{Kind: kind, Credentials: map[string]string{"x": "y"}, Old: old}
	session, _ := bound.Exchange(context.Background(), hc, grant)
	return session
}

// stay is the CheckRedirect of one who does not follow redirects.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// replay responds to every request as it was responded to in the recording.
type replay struct{ x *exchange }

// RoundTrip implements http.RoundTripper.
func (r replay) RoundTrip(req *http.Request) (*http.Response, error) { return r.response(req), nil }

// response is the recorded response, to req.
func (r replay) response(req *http.Request) *http.Response {
	h := r.x.respHeader.Clone()
	h.Del("Content-Encoding")
	h.Del("Content-Length")
	if h.Get("Date") == "" && !r.x.at.IsZero() {
		h.Set("Date", r.x.at.UTC().Format(http.TimeFormat))
	}
	for _, c := range r.x.setCookies {
		h.Add("Set-Cookie", c.String())
	}
	return &http.Response{
		StatusCode: r.x.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Request: req,
		Body: io.NopCloser(bytes.NewReader(r.x.body)), ContentLength: int64(len(r.x.body)),
	}
}
