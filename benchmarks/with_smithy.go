package main

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/smithy-go/auth/bearer"
)

var smithyCache = contender{
	name:   "smithy-go",
	about:  "aws smithy-go bearer.TokenCache, asynchronous, RefreshBeforeExpires set to the lead, 30 s timeout, 1 s between failed attempts; its token goes onto a copy of the request",
	renews: true,
	fit: func(s setup) (fitted, error) {
		cache := bearer.NewTokenCache(smithyProvider(s.source), func(o *bearer.TokenCacheOptions) {
			o.RefreshBeforeExpires = s.lead
			o.RetrieveBearerTokenTimeout = 30 * time.Second
			o.AsyncRefreshMinimumDelay = time.Second
		})
		send := s.below()
		sign := func(req *http.Request) (*http.Response, error) {
			token, err := cache.RetrieveBearerToken(req.Context())
			if err != nil {
				return nil, err
			}
			clone := req.Clone(req.Context())
			clone.Header.Set("Authorization", "Bearer "+token.Value)
			return send(clone)
		}
		token, err := cache.RetrieveBearerToken(context.Background())
		return fitted{RoundTripper: roundTripper(sign), held: []any{cache, token}, close: nothing}, err
	},
}

// smithyProvider is the application's bearer.TokenProvider.
func smithyProvider(src *source) bearer.TokenProvider {
	return bearer.TokenProviderFunc(func(ctx context.Context) (bearer.Token, error) {
		g, err := src.next(ctx)
		if err != nil {
			return bearer.Token{}, err
		}
		return bearer.Token{Value: g.token, CanExpire: true, Expires: g.expires}, nil
	})
}
