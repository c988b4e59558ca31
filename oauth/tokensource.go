package oauth

import (
	"context"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"golang.org/x/oauth2"
)

// TokenSource makes client, a *silentrefresh.Client, the TokenSource of a library that takes one from
// golang.org/x/oauth2. Its tokens are the session's: renewed ahead of their end, by one refresh for all processes. It is
// safe for concurrent use. A TokenSource cannot sign requests, so that tokens bound to a key (DPoP) are of no use with
// it.
func TokenSource[T token](client interface {
	Token(context.Context) (T, error)
}) oauth2.TokenSource {
	return source[T]{client}
}

// token is silentrefresh.Token. This package does not import the engine.
type token interface {
	~struct {
		Value      auth.Secret
		Scheme     string
		Expires    time.Time
		Generation uint64
	}
}

type source[T token] struct {
	client interface {
		Token(context.Context) (T, error)
	}
}

// Token implements oauth2.TokenSource. It waits as Client.Token does, whose errors are its own.
func (s source[T]) Token() (*oauth2.Token, error) {
	got, err := s.client.Token(context.Background())
	if err != nil {
		return nil, err
	}
	t := struct {
		Value      auth.Secret
		Scheme     string
		Expires    time.Time
		Generation uint64
	}(got)
	return &oauth2.Token{AccessToken: t.Value.Reveal(), TokenType: t.Scheme, Expiry: t.Expires}, nil
}
