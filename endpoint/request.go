package endpoint

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

const userAgent = "silentrefresh/1"

// client is hc for this exchange: it looks at redirects, and its cookies keep their bytes and their server's clock.
func (x *exchange) client(hc *http.Client) *http.Client {
	client := *hc
	client.CheckRedirect = x.checkRedirect(hc.CheckRedirect)
	if jar, ok := hc.Jar.(*auth.Jar); ok {
		client.Transport = jar.Transport(hc.Transport)
	}
	return &client
}

// cookies are those that the call's URL gets, apart from what only protects against CSRF.
func (x *exchange) cookies() []*http.Cookie {
	if x.hc.Jar == nil {
		return nil
	}
	var credentials []*http.Cookie
	for _, c := range cookiesFor(x.hc.Jar, x.call.target) {
		if !x.e.CSRF.isCookie(c.Name) {
			credentials = append(credentials, c)
		}
	}
	return credentials
}

// cookiesFor are the cookies that a request for u gets, those among them that only auth.Jar's Transport can send.
func cookiesFor(jar http.CookieJar, u *url.URL) (sent []*http.Cookie) {
	whole, ok := jar.(*auth.Jar)
	if !ok {
		return jar.Cookies(u)
	}
	for _, c := range whole.SentTo(u) {
		sent = append(sent, &http.Cookie{Name: c.Name, Value: c.Value.Reveal(), Quoted: c.Quoted})
	}
	return sent
}

// dress gives req its headers, anew for each attempt: the jar's cookies are added to them while it is sent, and
// must not be there twice.
func (x *exchange) dress(req *http.Request) error {
	req.Header = http.Header{"Accept": {x.call.accept()}, "User-Agent": {userAgent}}
	if x.contentType != "" {
		req.Header.Set("Content-Type", x.contentType)
	}
	if name, value := x.e.csrfFor(x.hc.Jar, x.url, x.csrf, x.e.CSRF.Cookie); name != "" {
		req.Header.Set(name, value)
	}
	if page := x.e.CSRF.referer(x.url); page != "" {
		req.Header.Set("Referer", page)
	}
	if token := x.grant.Old.AccessToken; x.call.AccessTokenHeader != "" && !token.IsZero() {
		req.Header.Set(x.e.carrier(x.call.AccessTokenHeader).Value(token.Reveal()))
	}
	if token := x.grant.Old.RefreshToken; x.call.RefreshTokenHeader != "" && !token.IsZero() {
		req.Header.Set(auth.Attach{Header: x.call.RefreshTokenHeader}.Value(token.Reveal()))
	}
	x.call.fixedHeaders(req)
	x.noteSent()
	x.wire.reset()
	x.issued = time.Now()
	return nil
}

// noteSent notes which cookies the attempt carries.
func (x *exchange) noteSent() {
	x.sent = map[string]bool{}
	for _, c := range x.cookies() {
		x.sent[c.Name] = true
	}
	x.credentials, x.carried = x.e.likeliest(x.hc.Jar, x.sent), nil
}

// carrier is how the header of that name carries an access token.
func (e *Exchanger) carrier(header string) auth.Attach {
	if name, _ := e.attach.Value(""); strings.EqualFold(name, header) {
		return e.attach
	}
	return auth.Attach{Header: header}
}

// fixedHeaders sets the headers of the settings, over all others. Those that a value is missing in stay out.
func (c *Call) fixedHeaders(req *http.Request) {
	for name, value := range c.Headers {
		if !c.filled && placeholder.MatchString(value) {
			continue
		}
		if http.CanonicalHeaderKey(name) == "Host" {
			req.Host = value
		} else {
			req.Header.Set(name, value)
		}
	}
}
