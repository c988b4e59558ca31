package auth

import (
	"fmt"
	"net/http"
	"strings"
)

// Transport returns a RoundTripper that does for j what an http.Client whose Jar it is cannot: its cookies go out byte
// for byte as they came in, and what a response sets is read by ReadSetCookies, so that ends count by the server's
// clock. It stands between that client and base, which carries the requests; nil: http.DefaultTransport.
func (j *Jar) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &jarTransport{jar: j, base: base}
}

type jarTransport struct {
	jar  *Jar
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *jarTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	out := new(http.Request)
	*out = *req
	out.Header = req.Header.Clone()
	if out.Header == nil {
		out.Header = http.Header{}
	}
	SetCookieHeader(out.Header, t.jar.SentTo(req.URL))
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Request = req
	cookies := ReadSetCookies(resp.Header)
	t.jar.SetCookies(req.URL, cookies)
	if len(cookies) > 0 {
		resp.Header["Set-Cookie"] = dated(resp.Header)
	}
	return resp, nil
}

// dated are the Set-Cookie fields of h with a Max-Age where the Date gives one: the client above takes them once more,
// and would count them by this machine's clock.
func dated(h http.Header) []string {
	lines := make([]string, len(h["Set-Cookie"]))
	for i, line := range h["Set-Cookie"] {
		lines[i] = line
		c := ReadSetCookies(http.Header{"Set-Cookie": {line}, "Date": h["Date"]})
		if len(c) == 1 && c[0].MaxAge != 0 && !strings.Contains(strings.ToLower(line), "max-age") {
			lines[i] = fmt.Sprintf("%s; Max-Age=%d", line, max(c[0].MaxAge, 0))
		}
	}
	return lines
}

// CloseIdleConnections passes the call on to base.
func (t *jarTransport) CloseIdleConnections() {
	if b, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		b.CloseIdleConnections()
	}
}
