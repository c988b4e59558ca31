package silentrefresh

import (
	"context"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// Token is a valid access token, for what is not plain HTTP.
type Token struct {
	Value      auth.Secret
	Scheme     string    // "Bearer", "" for a bare token
	Expires    time.Time // zero if unknown
	Generation uint64
}

// Token returns an access token that is valid as far as this machine knows, and waits for one as a request does.
// Its error is ErrNoSession, ErrSessionOver, ErrClosed, a *RefreshError, or the context's.
func (c *Client) Token(ctx context.Context) (Token, error) {
	st := c.state.Load()
	if !st.usable(time.Now()) {
		if err := c.waitForToken(auth.WithForeground(ctx), st.generation); err != nil {
			return Token{}, err
		}
		if st = c.state.Load(); st.err != nil { // logged out since
			return Token{}, st.err
		}
	}
	c.touch()
	return Token{Value: st.session().AccessToken, Scheme: c.cfg.Attach.SchemeName(), Expires: st.expires(), Generation: st.generation}, nil
}

// Reject says that the server refused t: the next Token waits for a newer one. To reject a token that is not the
// present one any more does nothing.
func (c *Client) Reject(t Token) {
	if c.reject(t.Generation) {
		c.mark(t.Generation)
	}
}

// PerRPC has the methods of gRPC's credentials.PerRPCCredentials, without importing gRPC.
type PerRPC struct{ c *Client }

// PerRPC returns credentials that attach the token to each call.
func (c *Client) PerRPC() *PerRPC { return &PerRPC{c} }

// GetRequestMetadata returns the header that carries the token; it waits as Client.Token does.
func (p *PerRPC) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	t, err := p.c.Token(ctx)
	if err != nil {
		return nil, err
	}
	header, value := p.c.cfg.Attach.Value(t.Value.Reveal())
	return map[string]string{strings.ToLower(header): value}, nil
}

// RequireTransportSecurity is true unless BaseURL is a plain http origin that was consented to or is loopback.
func (p *PerRPC) RequireTransportSecurity() bool { return p.c.base.Scheme == "https" }
