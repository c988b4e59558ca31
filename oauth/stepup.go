package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/replay"
)

// A Client is what StepUp needs of a *silentrefresh.Client.
type Client interface {
	Login(ctx context.Context, credentials any) error
	Renew(ctx context.Context) error
	Transport(base http.RoundTripper) http.RoundTripper
}

// StepUp returns a RoundTripper for programs with a person before them. It is client's Transport, which e logs in again
// where only a person helps: the session is over, or the API denies a request because the token lacks a scope (RFC 6750
// section 3.1, insufficient_scope). The login asks for the scopes of the present session and those that the API names, or
// else its metadata, once for each set that is new, and the request is sent again; whatever else the API says is the
// caller's. base is as for Client.Transport.
//
// What was asked for is kept with the session: after a restart, too, the login asks for the union, and nobody is asked
// again for what was not granted, nor by another process with the same Store. A call of Client.Login begins anew.
// The present session is the one that e has seen last: Clients of different people that share e would be asked for each
// other's scopes, so give each an Exchanger of its own.
//
// With a flow that needs no person, StepUp does nothing beyond client's Transport. Where a login fails, its error is the
// request's. It is safe for concurrent use: requests that are denied together wait for one login.
func (e *Exchanger) StepUp(client Client, base http.RoundTripper) http.RoundTripper {
	return &stepUp{e: e, client: client, next: client.Transport(base), turn: make(chan struct{}, 1), asked: map[string]bool{}}
}

type stepUp struct {
	e      *Exchanger
	client Client
	next   http.RoundTripper
	turn   chan struct{} // holds one: only one person can be asked at a time

	mu     sync.Mutex
	logins int             // that have succeeded
	asking bool            // a person is being asked
	asked  map[string]bool // sets of scopes that a login was for; over is one
}

// Logins that no named scope was missing for: the session was over, or the API did not say which.
const (
	over    = ""
	unnamed = "?"
)

// maxSteps is how many logins one request may take: the session is over, and then a scope is missing, and perhaps another.
// An API that names something new each time is not to keep a person busy.
const maxSteps = 3

// maxReplay is the size up to which a body without GetBody is kept for the second sending.
const maxReplay = 64 << 10

// RoundTrip implements http.RoundTripper.
func (t *stepUp) RoundTrip(req *http.Request) (*http.Response, error) {
	_, own := req.Header["Authorization"]
	if own || !t.e.Interactive() {
		return t.next.RoundTrip(req)
	}
	var b replay.Body
	if req.Body != nil {
		var err error
		if b, err = replay.NewBody(req, maxReplay); err != nil {
			return nil, err
		}
	}
	defer func() { b.Settle() }()
	for step := 0; ; step++ {
		seen := t.count()
		resp, err := t.send(req, &b)
		c, ok := t.needs(resp, err)
		if !ok || step == maxSteps || !t.fresh(c, seen) || !b.Rewind() {
			return resp, err
		}
		if resp != nil {
			replay.Free(resp)
		}
		if err := t.login(req.Context(), c, seen); err != nil {
			b.Unsent()
			return nil, err
		}
	}
}

// send sends a copy of req; the response points to req itself.
func (t *stepUp) send(req *http.Request, b *replay.Body) (*http.Response, error) {
	out := new(http.Request)
	*out = *req
	if b.First != nil {
		out.Body, out.GetBody = b.First, b.Again
	}
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Request = req
	if resp.StatusCode/100 == 2 {
		t.mu.Lock()
		delete(t.asked, over)
		t.mu.Unlock()
	}
	return resp, nil
}

// needs is the challenge that a login might meet.
func (t *stepUp) needs(resp *http.Response, err error) (Challenge, bool) {
	if err != nil {
		return Challenge{}, errors.Is(err, auth.ErrSessionOver)
	}
	c, ok := ReadChallenge(resp)
	return c, ok && (c.Error == insufficientScope || resp.StatusCode == http.StatusUnauthorized && c.named())
}

// named reports whether the challenge is about a token at all.
func (c Challenge) named() bool {
	return c.ResourceMetadata != "" || c.Error == "invalid_token" || c.DPoP || len(c.Scopes) > 0
}

// fresh reports whether a login for c may change something: another request has had one since, or nobody was asked for
// this set before, and it is none of what the session has.
func (t *stepUp) fresh(c Challenge, seen int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.logins > seen || t.asking {
		return true
	}
	if c.Error != insufficientScope {
		return !t.asked[over]
	}
	return !t.asked[key(c)] && (len(c.Scopes) == 0 || t.e.more(c.Scopes))
}

func key(c Challenge) string {
	switch {
	case c.Error != insufficientScope:
		return over
	case len(c.Scopes) == 0:
		return unnamed
	}
	return strings.Join(slices.Sorted(slices.Values(c.Scopes)), " ")
}

// login asks the person, unless somebody else's request has had that done in the meantime.
func (t *stepUp) login(ctx context.Context, c Challenge, seen int) error {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if t.count() > seen || !t.fresh(c, seen) {
		return nil
	}
	if c.Error == insufficientScope && t.client.Renew(ctx) == nil && !t.fresh(c, seen) {
		return nil // another process with the same Store has asked
	}
	t.begin(c)
	var credentials any
	if !c.IsZero() {
		credentials = c
	}
	err := t.client.Login(ctx, credentials)
	t.end(err == nil)
	if errors.Is(err, errNoMoreScopes) {
		return nil // the API's response says it all
	}
	return err
}

func (t *stepUp) begin(c Challenge) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked[key(c)], t.asking = true, true
}

func (t *stepUp) end(loggedIn bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asking = false
	if loggedIn {
		t.logins++
	}
}

func (t *stepUp) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.logins
}

// CloseIdleConnections passes the call on.
func (t *stepUp) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
