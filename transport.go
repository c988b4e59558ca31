package silentrefresh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/challenge"
	"github.com/silentrefresh/silentrefresh/internal/origin"
	"github.com/silentrefresh/silentrefresh/internal/replay"
)

// Transport returns an http.RoundTripper that attaches the token to requests for the listed origins, and replays a
// request once when the API rejects the token. base carries the requests; nil: Config.Base. It is safe for
// concurrent use, may stand above and below other transports, and passes CloseIdleConnections on.
//
// A request that was sent returns the server's response; one that was not sent returns an error: ErrNoSession,
// ErrSessionOver, ErrClosed, an *auth.Error, or the context's. A request that brings its own credential in the
// token's header or in the URL, and one for another origin, passes through untouched.
func (c *Client) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = c.api
	}
	limited, ok := base.(*http.Transport)
	return &transport{client: c, base: base, queues: ok && limited.MaxConnsPerHost > 0}
}

type transport struct {
	client *Client
	base   http.RoundTripper
	queues bool // requests wait in base for a connection, with the token that they were given before
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c := t.client
	if !t.concerns(req) {
		return t.base.RoundTrip(req)
	}
	st := c.state.Load()
	header, own := c.headerWith(req.Header, st)
	if own {
		return t.base.RoundTrip(req)
	}
	c.touch()
	var b replay.Body
	var err error
	if req.Body != nil {
		if b, err = replay.NewBody(req, c.cfg.MaxReplayBody); err != nil {
			return nil, err
		}
	}
	if now := time.Now(); st != c.state.Load() || !st.usable(now) || b.Once && st.due(now) { // to read a body takes its time
		if st, err = t.ready(req.Context(), st, b.Once); err != nil {
			b.Unsent()
			return nil, err
		}
		header, _ = c.headerWith(req.Header, st)
	}
	resp, st, err := t.send(req, header, st, &b)
	if err != nil || !c.rejects(resp) {
		b.Settle()
		if err == nil && c.takes {
			t.takeFrom(resp, st)
		}
		return resp, err
	}
	resp, err = t.rejected(req, st, &b, resp)
	b.Settle()
	return resp, err
}

// concerns reports whether req is to carry the token: it goes to a listed origin, and brings no credential in its URL or, as
// far as that is seen here, in its header.
func (t *transport) concerns(req *http.Request) bool {
	c := t.client
	if req.URL == nil || req.URL.User != nil || c.spelledOtherwise(req.Header) {
		return false
	}
	if c.lists(req) {
		return true
	}
	if _, own := req.Header[c.header]; !own {
		t.passesBare(req)
	}
	return false
}

// headerWith returns a copy of h with st's token in it. own reports whether the caller has set that header: to find out this
// way costs no lookup.
func (s *shared) headerWith(h http.Header, st *state) (out http.Header, own bool) {
	out = maps.Clone(h)
	if out == nil {
		out = http.Header{}
	}
	others := len(out)
	out[s.header] = st.header
	own = len(out) == others
	if st.jar != nil && s.tokenCookie != "" {
		delete(out, s.header)
	}
	return out, own
}

// spelledOtherwise reports whether a caller has set the header that carries the token, in another spelling than net/http's.
// It looks for the usual ones: reading every name of every header would take a fifth of what a request costs here.
func (s *shared) spelledOtherwise(h http.Header) bool {
	for _, name := range s.spellings {
		if _, own := h[name]; own {
			return true
		}
	}
	return false
}

// lists reports whether req goes to a listed origin. As BaseURL spells it is the usual case.
func (s *shared) lists(req *http.Request) bool {
	first := &s.origins[0]
	return (first.Host == req.URL.Host && first.Scheme == req.URL.Scheme || s.origins.Has(req.URL)) &&
		(req.URL.Opaque == "" && (req.Host == "" || req.Host == req.URL.Host) || s.listsWritten(req))
}

// listsWritten reports whether what net/http will write as the request's host is a listed origin, too: a reverse proxy
// passes on a Host, and an opaque URL, that its visitors have chosen.
func (s *shared) listsWritten(req *http.Request) bool {
	written := url.URL{Scheme: req.URL.Scheme, Host: cmp.Or(req.Host, req.URL.Host)}
	if !s.origins.Has(&written) {
		return false
	}
	if req.URL.Opaque == "" {
		return true
	}
	opaque, err := url.Parse(req.URL.Scheme + ":" + req.URL.Opaque)
	return err == nil && s.origins.Has(opaque)
}

// passesBare warns once about each origin that requests go to without the token.
func (t *transport) passesBare(req *http.Request) {
	c := t.client
	if c.origins.Has(req.URL) {
		err := errors.New("token not sent with a Host, or an opaque URL, that is not among the origins that get it")
		if c.warned.first(err.Error()) {
			c.warn(err)
		}
		return
	}
	o, err := origin.Of(req.URL)
	if err != nil || !c.warned.first(o.String()) {
		return
	}
	secure := origin.Origin{Scheme: "https", Host: o.Host}
	if o.Scheme == "http" && (slices.Contains(c.origins, secure) || !origin.Loopback(req.URL.Hostname())) {
		c.warn(origin.PlainHTTP(o))
		return
	}
	c.warn(fmt.Errorf("token not sent to %s: it is not among the origins that get it; if it should be, list %q in Origins", o, o))
}

// toBeSent is what a request needs of its token's life.
const toBeSent = 2 * time.Second

// ready waits for a usable token of the account that first had. One that is due is renewed first where soon says so; a
// failure of that does not keep the request from being sent, while there is time for that.
func (t *transport) ready(ctx context.Context, first *state, soon bool) (*state, error) {
	c := t.client
	if st, now := c.state.Load(), time.Now(); soon && st.usable(now) && st.due(now) {
		most := max(c.cfg.MaxWait, 0) + c.cfg.Timeout
		if st.wall != never {
			left := st.mono.Sub(now)
			most = min(most, left-min(left/2, toBeSent))
		}
		bounded, cancel := context.WithTimeout(ctx, most)
		c.wait(bounded, st.generation, TriggerExpired) // without waiting through a backoff
		cancel()
	}
	return c.usableState(ctx, first)
}

// send sends a copy of req with header, which has st's token, or a later one, and returns the state whose token that was.
// The caller's request is left as it is (net/http: RoundTripper), and the response points to it, not to the copy.
func (t *transport) send(req *http.Request, header http.Header, st *state, b *replay.Body) (*http.Response, *state, error) {
	out := new(http.Request)
	*out = *req
	out.Header = header
	if st.jar != nil {
		t.client.attachCookies(out, st)
	}
	if b.First != nil {
		out.Body, out.GetBody = b.First, b.Again // GetBody stays: HTTP/2 resends what the server has not looked at (RFC 9113 section 8.7)
	}
	var resp *http.Response
	var err error
	switch {
	case st.signs:
		resp, err = t.sendSigned(out, st, b)
	case t.queues && st.jar == nil:
		resp, st, err = t.sendQueued(out, st)
	default:
		resp, err = t.base.RoundTrip(out)
	}
	switch {
	case err != nil:
		return nil, st, err
	case resp == nil:
		return nil, st, fmt.Errorf("silentrefresh: the base RoundTripper %T returned neither a response nor an error", t.base)
	}
	resp.Request = req
	return resp, st, nil
}

// sendSigned signs out and sends it, and sends it once more where it was denied for its signature alone (RFC 9449
// section 9).
func (t *transport) sendSigned(out *http.Request, st *state, b *replay.Body) (*http.Response, error) {
	signer := t.client.signer
	for again := false; ; again = true {
		err := shielded("the Exchanger", func() error { return signer.SignRequest(out, st.session()) })
		if err != nil {
			b.Unsent()
			return nil, fmt.Errorf("silentrefresh: the request was not sent, because it could not be signed: %w", err)
		}
		resp, err := t.base.RoundTrip(out)
		if err != nil || resp == nil {
			return resp, err
		}
		denied := false
		_ = shielded("the Exchanger", func() error { denied = signer.ReadSigned(resp, st.session()); return nil })
		if !denied || again || !b.Rewind() {
			return resp, nil
		}
		replay.Free(resp)
		out.Header = maps.Clone(out.Header)
		if b.First != nil {
			out.Body, out.GetBody = b.First, b.Again
		}
	}
}

// sendQueued sends out through a base that limits its connections. While it queues for one, its token may be rejected;
// then it is given the next token when it has a connection, before anything is written, instead of being sent in vain.
func (t *transport) sendQueued(out *http.Request, st *state) (*http.Response, *state, error) {
	first, ctx := true, out.Context()
	gotConn := func(httptrace.GotConnInfo) { // on this goroutine
		again := !first
		first = false
		if again || t.client.state.Load() == st {
			return
		}
		next, err := t.client.usableState(ctx, st)
		if err == nil && next.generation != st.generation {
			out.Header[t.client.header], st = next.header, next
		}
	}
	out = out.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: gotConn}))
	resp, err := t.base.RoundTrip(out)
	return resp, st, err
}

// rejected renews and replays. The response that rejected the token is returned where that does not help.
func (t *transport) rejected(req *http.Request, st *state, b *replay.Body, resp *http.Response) (*http.Response, error) {
	c, endpoint := t.client, endpointOf(req)
	for repeats := 1; ; repeats++ {
		if !c.reject(st.generation, st.session(), endpoint) {
			return resp, nil
		}
		if !b.Rewind() {
			go c.renew(context.Background(), st.generation, TriggerRejected) // nobody waits for it
			return resp, nil
		}
		replay.Free(resp)
		next := c.successor(req.Context(), st)
		if next == nil {
			b.Unsent()
			return resp, nil
		}
		header, _ := c.headerWith(req.Header, next)
		replayed, next, err := t.send(req, header, next, b)
		if err != nil {
			return nil, err
		}
		if !c.rejects(replayed) {
			c.exonerate(next.generation, endpoint)
			if c.takes {
				t.takeFrom(replayed, next)
			}
			return replayed, nil
		}
		if !next.worthAnother(repeats) {
			c.rejectedAgain(next.generation, endpoint)
			return replayed, nil
		}
		st, resp = next, replayed
	}
}

// rejects reports whether resp says that the token is not valid (any more).
func (s *shared) rejects(resp *http.Response) bool {
	switch {
	case s.cfg.Rejected != nil:
		return s.rejectedBySetting(resp)
	case len(s.rejectedIf) > 0 && s.rejectedIf.Match(resp):
		return true
	case resp.StatusCode < http.StatusBadRequest:
		return false
	case s.statuses != nil: // what somebody wrote down counts, but no newer token has more scopes
		return slices.Contains(s.statuses, resp.StatusCode) && !challenge.LacksScope(resp.Header)
	}
	return resp.StatusCode == http.StatusUnauthorized && challenge.RejectsToken(resp.Header)
}

// rejectedBySetting asks Config.Rejected. Where that panics, the response is taken for none that rejects.
func (s *shared) rejectedBySetting(resp *http.Response) (yes bool) {
	if err := shielded("Config.Rejected", func() error { yes = s.cfg.Rejected(resp); return nil }); err != nil {
		s.log(err)
		return false
	}
	return yes
}

// CloseIdleConnections passes the call on to base.
func (t *transport) CloseIdleConnections() {
	if b, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		b.CloseIdleConnections()
	}
}
