package silentrefresh

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// Token is a valid access token, for what is not plain HTTP.
type Token struct {
	Value      auth.Secret
	Scheme     string    // "Bearer", "" for a bare token
	Expires    time.Time // zero if unknown
	Generation uint64    // counts the tokens of this process; Client.Reject goes by it
}

// Token returns an access token that is valid as far as this machine knows, and waits for one as a request does.
// Its error is ErrNoSession, ErrSessionOver, ErrClosed, an *auth.Error, or the context's.
func (c *Client) Token(ctx context.Context) (Token, error) {
	st, err := c.usableState(ctx, c.state.Load())
	if err != nil {
		return Token{}, err
	}
	c.touch()
	return c.token(st), nil
}

func (s *shared) token(st *state) Token {
	return Token{Value: st.session().AccessToken, Scheme: s.cfg.Attach.SchemeName(), Expires: st.expires(), Generation: st.generation}
}

// Attach says how requests carry the token: it is Config.Attach.
func (c *Client) Attach() auth.Attach { return c.cfg.Attach }

// GetsToken reports whether the token may be sent to u: it belongs to the origin of BaseURL, or to one of Origins.
func (c *Client) GetsToken(u *url.URL) bool { return u != nil && c.origins.Has(u) }

// Reject says that the API rejected t, which Token returned: the next Token waits for a newer one. Rejecting a token
// that is no longer the present one does nothing. Client.Call does that, and the rest of what a rejection calls for.
func (c *Client) Reject(t Token) {
	if c.reject(t.Generation, auth.Session{AccessToken: t.Value, Expires: t.Expires}, "") {
		c.mark(t.Generation)
	}
}

// PerRPC has the methods of gRPC's credentials.PerRPCCredentials, without importing gRPC.
type PerRPC struct{ c *Client }

// PerRPC returns credentials that attach the token to each call to a listed origin. That is all they do: gRPC shows
// them no response, so a call that the API rejects as Unauthenticated fails, and so does every other until its caller has
// called Client.Reject, or the token ends. The interceptors of the module grpcrefresh renew and repeat such calls; they
// take the place of these credentials.
func (c *Client) PerRPC() *PerRPC { return &PerRPC{c} }

// GetRequestMetadata returns the header that carries the token; it waits as Client.Token does. gRPC passes the URI of
// the service, without its scheme's default port; a URI of an origin that is not listed is an error.
func (p *PerRPC) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	for _, s := range uri {
		if u, err := url.Parse(s); err != nil || !p.lists(u) {
			return nil, fmt.Errorf("silentrefresh: the token is not sent to %q, which is not among the origins that get it; "+
				"if it should be, list it in Origins", withoutSecrets(s))
		}
	}
	t, err := p.c.Token(ctx)
	if err != nil {
		return nil, err
	}
	header, value := p.c.cfg.Attach.Value(t.Value.Reveal())
	return map[string]string{strings.ToLower(header): value}, nil
}

// lists reports whether u, in which gRPC writes https whatever the transport is, belongs to a listed origin.
func (p *PerRPC) lists(u *url.URL) bool {
	if !p.RequireTransportSecurity() {
		u.Scheme = "http"
	}
	return p.c.origins.Has(u)
}

// RequireTransportSecurity is true unless BaseURL is a plain http origin that was consented to or is loopback.
func (p *PerRPC) RequireTransportSecurity() bool { return p.c.base.Scheme == "https" }
