package main

import (
	"context"

	"golang.org/x/oauth2"
)

var oauth2Transport = contender{
	name:   "x/oauth2",
	about:  "golang.org/x/oauth2 Transport over ReuseTokenSourceWithExpiry with the lead as its expiry buffer",
	renews: true,
	fit: func(s setup) (fitted, error) {
		src := oauth2.ReuseTokenSourceWithExpiry(nil, oauth2Source{s.source}, s.lead)
		t := &oauth2.Transport{Source: src, Base: s.base}
		token, err := src.Token()
		return fitted{RoundTripper: t, held: []any{t, src, token}, close: nothing}, err
	},
}

// oauth2Source is the application's oauth2.TokenSource. Its method has no context to pass on.
type oauth2Source struct{ *source }

func (s oauth2Source) Token() (*oauth2.Token, error) {
	g, err := s.next(context.Background())
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: g.token, Expiry: g.expires}, nil
}
