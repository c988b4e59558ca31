package main

import (
	"context"
	"net/http"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/httptransport"
)

var cloudAuth = contender{
	name:   "cloud auth",
	about:  "cloud.google.com/go/auth: AddAuthorizationMiddleware over NewCachedTokenProvider, refreshing asynchronously, ExpireEarly set to the lead",
	renews: true,
	fit: func(s setup) (fitted, error) {
		cached := auth.NewCachedTokenProvider(cloudProvider{s.source}, &auth.CachedTokenProviderOptions{ExpireEarly: s.lead})
		creds := auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: cached})
		hc := &http.Client{Transport: s.base}
		if err := httptransport.AddAuthorizationMiddleware(hc, creds); err != nil {
			return fitted{}, err
		}
		token, err := creds.Token(context.Background())
		return fitted{RoundTripper: hc.Transport, held: []any{hc.Transport, creds, token}, close: nothing}, err
	},
}

// cloudProvider is the application's auth.TokenProvider.
type cloudProvider struct{ *source }

func (p cloudProvider) Token(ctx context.Context) (*auth.Token, error) {
	g, err := p.next(ctx)
	if err != nil {
		return nil, err
	}
	return &auth.Token{Value: g.token, Expiry: g.expires}, nil
}
