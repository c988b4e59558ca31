package oauth

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/silentrefresh/silentrefresh/internal/metadata"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// enquire asks the protected resource of the settings who gives tokens for it (RFC 9728), and keeps what it says for
// the request that follows.
func (x *exchange) enquire(ctx context.Context, c Challenge) (*server, error) {
	if c.IsZero() {
		found, err := x.provoke(ctx)
		if err != nil {
			return nil, err
		}
		c = found
	}
	x.challenge = c
	doc, err := metadata.FetchResource(ctx, x.get, x.c.Resource, c.ResourceMetadata)
	switch {
	case errors.Is(err, metadata.ErrNotFound) && c.ResourceMetadata == "" && c.denied:
		return x.serverAt(ctx, place{Issuer: originOf(x.c.Resource), Assumed: true}, nil)
	case err != nil:
		return nil, x.unprotected(err, c)
	case len(doc.AuthorizationServers) == 0:
		return nil, x.mistake("the metadata of %s names no authorization server; give its issuer", shown(x.c.Resource))
	}
	x.resource = doc
	return x.firstOf(ctx, doc.AuthorizationServers)
}

// unprotected is a failure to find the metadata of the resource.
func (x *exchange) unprotected(err error, c Challenge) error {
	if !errors.Is(err, metadata.ErrNotFound) {
		return x.undiscovered(err)
	}
	if !c.denied {
		e := x.mistake("%s asks for no token, and has no metadata that says where to get one", shown(x.c.Resource))
		e.Hint = "is resource the URL of the API? If it is, give the issuer"
		return e
	}
	return x.mistake("%s names a metadata document that does not exist; give the issuer", shown(x.c.Resource))
}

// firstOf returns the first of the servers that can be used.
func (x *exchange) firstOf(ctx context.Context, issuers []string) (*server, error) {
	var failures []error
	for _, issuer := range issuers[:min(len(issuers), maxServers)] {
		s, err := x.named(ctx, issuer)
		if err == nil {
			return s, nil
		}
		failures = append(failures, err)
	}
	return nil, failures[0]
}

// maxServers is how many of the servers that a resource names are tried.
const maxServers = 5

// named is the server that the metadata of the resource calls issuer.
func (x *exchange) named(ctx context.Context, issuer string) (*server, error) {
	if err := checkEndpoint(issuer, x.c.plain()); err != nil {
		return nil, x.mistake("the metadata of %s names an authorization server that %w", shown(x.c.Resource), err)
	}
	return x.serverAt(ctx, place{Issuer: issuer, Named: true}, nil)
}

// provoke asks the resource for its challenge. Some resources, MCP servers among them, take POST only: they get an
// empty object, which is nothing that could be done without a token.
func (x *exchange) provoke(ctx context.Context) (Challenge, error) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		req, err := http.NewRequestWithContext(ctx, method, x.c.Resource, nil)
		if err != nil {
			return Challenge{}, x.mistake("resource is not a URL")
		}
		if method == http.MethodPost {
			req, _ = http.NewRequestWithContext(ctx, method, x.c.Resource, bytes.NewReader([]byte("{}")))
			req.Header.Set("Content-Type", "application/json")
		}
		req.Header.Set("Accept", "application/json, text/event-stream")
		resp, err := x.hc.Do(req)
		if err != nil {
			return Challenge{}, harmless(x.failed(err))
		}
		resp.Body.Close() // perhaps an endless stream
		if c, ok := ReadChallenge(resp); ok {
			return c, nil
		}
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusNotAcceptable {
			break
		}
	}
	return Challenge{}, nil
}

func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	o, err := origin.Of(u)
	if err != nil {
		return ""
	}
	return o.String()
}
