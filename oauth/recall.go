package oauth

import (
	"context"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/metadata"
)

// briefly is how long a process without metadata waits for it where the session knows enough of the server.
const briefly = 5 * time.Second

// digest is what a session keeps of the server's metadata, so that it can be renewed and ended: a process that has only just
// started is not to be held up by a server whose tokens can be had and whose metadata cannot. It is nil for a server whose
// endpoints were given by hand.
func (s *server) digest() *metadata.Server {
	if s.place.Issuer == "" {
		return nil
	}
	return &metadata.Server{
		Issuer: s.Issuer, AuthorizationEndpoint: s.AuthorizationEndpoint, TokenEndpoint: s.TokenEndpoint,
		RevocationEndpoint: s.RevocationEndpoint, EndSessionEndpoint: s.EndSessionEndpoint, JWKSURI: s.JWKSURI,
		PushedRequestEndpoint: s.PushedRequestEndpoint, RequiresPushedRequests: s.RequiresPushedRequests,
		AuthMethods: s.AuthMethods, IDTokenAlgorithms: s.IDTokenAlgorithms, SendsIssuer: s.SendsIssuer,
	}
}

// fetchOrRecall fetches the metadata of the server at p. If that fails, what the session knows has to do.
func (x *exchange) fetchOrRecall(ctx context.Context, p place, d *metadata.Server) (*server, error) {
	brief, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	s, err := x.fetchServer(brief, p)
	if err == nil || ctx.Err() != nil {
		return s, err
	}
	if recalled, bad := (&server{Server: *d, digested: true}).ready(x, p); bad == nil {
		x.known.put(recalled)
		return recalled, nil
	}
	return nil, err
}

// enough reports whether what is known of s will do for op: a login needs the whole of it.
func (s *server) enough(op auth.Kind) bool { return !s.digested || op != auth.KindLogin }
