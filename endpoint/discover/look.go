package discover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// What URL sends and reads at most.
const (
	maxGets    = 24
	maxHops    = 4
	maxBody    = 8 << 20
	getTimeout = 5 * time.Second
	urlTimeout = 30 * time.Second
)

var errTooMany = errors.New("too many requests")

// A looker looks at a server: with GET, without credentials, and within bounds.
type looker struct {
	ctx    context.Context
	hc     *http.Client
	start  *url.URL
	named  map[origin.Origin]bool // the start's origin, and those that documents name
	gets   int
	result *Result
}

// A view is what a GET found.
type view struct {
	at     *url.URL // after redirects within the origin
	status int
	header http.Header
	media  string
	body   []byte
	away   *url.URL // a redirect to another origin, which was not followed
	first  *view    // the redirect that led here, the first of them; nil: none did
}

func newLooker(ctx context.Context, client *http.Client, start *url.URL) *looker {
	if client == nil {
		client = http.DefaultClient
	}
	hc := &http.Client{Transport: client.Transport, Timeout: getTimeout, CheckRedirect: stay}
	from, _ := origin.Of(start)
	return &looker{ctx: ctx, hc: hc, start: start, named: map[origin.Origin]bool{from: true}, result: &Result{}}
}

// name allows requests to u's origin, because a document names it; an error says why not. A document of a public
// server does not send us into a private network, and none to a place without TLS that is not this machine.
func (l *looker) name(u *url.URL) error {
	o, err := origin.Of(u)
	switch {
	case err != nil:
		return err
	case l.named[o]:
		return nil
	case u.Scheme == "http" && !origin.Loopback(u.Hostname()):
		return fmt.Errorf("%s is plain http", o)
	case private(u.Hostname()) && !private(l.start.Hostname()):
		return fmt.Errorf("%s is in a private network", o)
	}
	l.named[o] = true
	return nil
}

// private reports whether a host is this machine, or in a private network, as far as its name says.
func private(host string) bool {
	if origin.Loopback(host) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast())
}

// get asks for u and follows redirects within its origin.
func (l *looker) get(u *url.URL) (*view, error) {
	var first *view
	for range maxHops {
		o, err := origin.Of(u)
		if err != nil || !l.named[o] {
			return nil, fmt.Errorf("nothing names %s", u.Host)
		}
		v, err := l.getOnce(u)
		if err != nil {
			return nil, err
		}
		v.first = first
		to, err := u.Parse(v.header.Get("Location"))
		if v.status < 300 || v.status > 399 || err != nil || v.header.Get("Location") == "" {
			return v, nil
		}
		if next, err := origin.Of(to); err != nil || next != o {
			v.away = to
			return v, nil
		}
		if u = to; first == nil {
			first = v
		}
	}
	return nil, errors.New("too many redirects")
}

func (l *looker) getOnce(u *url.URL) (*view, error) {
	if l.gets++; l.gets > maxGets {
		return nil, errTooMany
	}
	req, err := http.NewRequestWithContext(l.ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the URL cannot be requested")
	}
	req.Header.Set("Accept", "text/html, application/json;q=0.9, */*;q=0.1")
	req.Header.Set("User-Agent", "silentrefresh/1")
	resp, err := l.hc.Do(req)
	if err != nil {
		return nil, reason(err)
	}
	defer resp.Body.Close()
	v := &view{at: u, status: resp.StatusCode, header: resp.Header}
	v.media, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	v.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil || len(v.body) > maxBody {
		v.body = nil // a document that breaks off, or is too large, says nothing
	}
	return v, nil
}

// reason is err without the URL, whose query is nobody else's business.
func reason(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("no address is known for %q", dns.Name)
	}
	return err
}

// json is the document at u, nil if there is none.
func (l *looker) json(u *url.URL) (map[string]any, *view) {
	v, err := l.get(u)
	if err != nil || v.status != http.StatusOK {
		return nil, v
	}
	document, _ := decodeJSON(v.body).(map[string]any)
	return document, v
}

// at is a path of the start's origin.
func (l *looker) at(path string) *url.URL {
	return &url.URL{Scheme: l.start.Scheme, Host: l.start.Host, Path: path}
}

// from names what was found where.
func (l *looker) from(u *url.URL) []Entry {
	path := u.Path
	if u.Host != l.start.Host {
		path = u.Scheme + "://" + u.Host + u.Path
	}
	return []Entry{{Method: http.MethodGet, Path: path}}
}

// parseHTTP is a whole URL for http or https, nil if text is none. url.Parse writes the scheme in lower case.
func parseHTTP(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}
