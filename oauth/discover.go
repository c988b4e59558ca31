package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/metadata"

	goidc "github.com/coreos/go-oidc/v3/oidc"
)

const (
	discoverAgain = 24 * time.Hour  // how long metadata is good for
	discoverRetry = 5 * time.Minute // until the next try where it could not be renewed
)

// A directory remembers the servers that were found. It is safe for concurrent use.
type directory struct {
	mu      sync.Mutex
	servers map[place]*server
	asked   map[place]time.Time // when a renewal of the metadata began
}

// get returns the server at p, nil if it is not known, and whether its metadata is due for renewal by whoever asks.
func (d *directory) get(p place, now time.Time) (s *server, renew bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s = d.servers[p]
	if s == nil || now.Sub(s.fetched) < discoverAgain || now.Sub(d.asked[p]) < discoverRetry {
		return s, false
	}
	d.asked[p] = now
	return s, true
}

func (d *directory) put(s *server) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.servers == nil {
		d.servers, d.asked = map[place]*server{}, map[place]time.Time{}
	}
	if s.replaces(d.servers[s.place]) {
		d.servers[s.place] = s
	}
}

// locate returns the server that a session came from; for a login, and for a session that does not say, the one that the
// settings lead to.
func (x *exchange) locate(ctx context.Context, e extra) (*server, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout) // for all documents together
	defer cancel()
	switch {
	case e.Server != place{}:
		return x.serverAt(ctx, e.Server, e.Digest)
	case x.c.Issuer == "" && x.c.Endpoints == Endpoints{}:
		return x.enquire(ctx, x.challenge)
	default:
		return x.serverAt(ctx, place{Issuer: x.c.Issuer}, nil)
	}
}

// serverAt returns the server at p. Metadata that is old is better than none, and better than waiting: it is renewed
// beside. d is what a session knows of the server, nil if there is none.
func (x *exchange) serverAt(ctx context.Context, p place, d *metadata.Server) (*server, error) {
	s, renew := x.known.get(p, time.Now())
	switch {
	case s == nil && d != nil:
		return x.fetchOrRecall(ctx, p, d)
	case s == nil || !s.enough(x.op):
		return x.fetchServer(ctx, p)
	case renew:
		beside := &exchange{Exchanger: x.Exchanger, op: x.op, wire: &wire{base: x.wire.base}}
		beside.hc = lasting(x.hc, beside.wire)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			beside.fetchServer(ctx, p) // a failure leaves the old one
		}()
	}
	return s, nil
}

// fetchServer fetches the metadata of the server at p.
func (x *exchange) fetchServer(ctx context.Context, p place) (*server, error) {
	s, err := x.describe(ctx, p)
	if err != nil {
		return nil, err
	}
	if s, err = s.ready(x, p); err != nil {
		return nil, err
	}
	x.known.put(s)
	return s, nil
}

// replaces reports whether s may take the place of old: metadata that lacks what sessions were begun with is broken.
func (s *server) replaces(old *server) bool {
	return old == nil || (s.JWKSURI != "" || old.JWKSURI == "") &&
		(s.AuthorizationEndpoint != "" || old.AuthorizationEndpoint == "") && (s.DeviceEndpoint != "" || old.DeviceEndpoint == "")
}

// describe is what the server at p says of itself, or what is said of it by hand.
func (x *exchange) describe(ctx context.Context, p place) (*server, error) {
	if p.Issuer == "" {
		return x.c.byHand(), nil
	}
	o := metadata.ServerOptions{RootSlash: p.Named || p.Assumed}
	if p.Issuer == x.c.Issuer {
		o = metadata.ServerOptions{Says: x.c.MetadataIssuer, OpenIDFirst: x.c.Scopes == nil || slices.Contains(x.c.Scopes, goidc.ScopeOpenID)}
	}
	doc, err := metadata.FetchServer(ctx, x.get, p.Issuer, o)
	switch {
	case err == nil:
		return &server{Server: *doc}, nil
	case p.Assumed && errors.Is(err, metadata.ErrNotFound):
		return assumed(p.Issuer), nil
	default:
		return nil, x.undiscovered(err)
	}
}

// get is a metadata.Getter.
func (x *exchange) get(ctx context.Context, at string) (int, []byte, error) {
	if err := checkEndpoint(at, x.c.plain()); err != nil {
		return 0, nil, x.mistake("the URL of a metadata document %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return 0, nil, x.mistake("the URL of a metadata document is none")
	}
	req.Header.Set("Accept", "application/json")
	resp, err := x.hc.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	x.clock.learn(requestOrigin(req), resp.Header, x.wire.last.began, time.Time{})
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// undiscovered is a failure to find metadata. Nothing was spent.
func (x *exchange) undiscovered(err error) error {
	if e, ok := errors.AsType[*auth.Error](err); ok {
		return e
	}
	mismatch, lie := errors.AsType[*metadata.MismatchError](err)
	unavailable, away := errors.AsType[*metadata.UnavailableError](err)
	switch {
	case lie && mismatch.What == "issuer":
		e := x.mistake("the discovery document of %s is wrong: it calls its issuer %q", shown(mismatch.Asked), printable(mismatch.Says))
		e.Hint = "if this server is known to, say so with metadata_issuer"
		return e
	case lie:
		return x.mistake("the metadata of the protected resource %s is wrong: it calls its resource %q", shown(mismatch.Asked), printable(mismatch.Says))
	case away:
		e := x.mistake("the metadata is not to be had for now")
		e.Path, e.Status, e.Until = pathOf(unavailable.URL), unavailable.Status, x.wire.last.until
		return e
	case errors.Is(err, metadata.ErrNotFound):
		e := x.mistake("%w", err)
		e.Path, e.Status = x.wire.last.path, x.wire.last.status
		e.Hint = "is issuer the server's identifier, to the letter? A server without metadata needs endpoints"
		return e
	}
	return harmless(x.failed(err))
}

// shown is a URL as messages show it, without its query.
func shown(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "a URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Path
}
