package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A grant is an access token and when it ends, zero if nobody said.
type grant struct {
	token   string
	expires time.Time
}

// A source is what a peer asks for tokens: the login's token first, then one refresh for each call. It is the part
// that an application writes, the same for every peer, so it does nothing that would be the peer's to do: it does
// not cache, it does not keep two refreshes apart, and it uses the context that it is given.
type source struct {
	url  string
	auth http.RoundTripper

	first atomic.Pointer[grant]

	mu         sync.Mutex
	credential string
}

func newSource(n network, first grant, credential string) *source {
	s := &source{url: n.url, auth: n.auth, credential: credential}
	s.first.Store(&first)
	return s
}

// next returns the token that the login gave, once, and refreshes after that.
func (s *source) next(ctx context.Context) (grant, error) {
	if g := s.first.Swap(nil); g != nil {
		return *g, nil
	}
	return s.refresh(ctx)
}

// refresh counts the lifetime from when the request was sent, so that no token is used too long.
func (s *source) refresh(ctx context.Context) (grant, error) {
	s.mu.Lock()
	credential := s.credential
	s.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/auth/refresh", nil)
	if err != nil {
		return grant{}, err
	}
	req.AddCookie(&http.Cookie{Name: "refresh_token", Value: credential})
	sent := time.Now()
	resp, err := s.auth.RoundTrip(req)
	if err != nil {
		return grant{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return grant{}, fmt.Errorf("the refresh returned %s", resp.Status)
	}
	s.mu.Lock()
	for _, c := range resp.Cookies() {
		s.credential = c.Value
	}
	s.mu.Unlock()
	return readGrant(resp, sent)
}

// readGrant takes the lifetime from expires_in, or else from the exp claim and the server's own clock.
func readGrant(resp *http.Response, sent time.Time) (grant, error) {
	var doc struct {
		Token string `json:"access_token"`
		Life  int    `json:"expires_in"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		return grant{}, err
	}
	if doc.Life > 0 {
		return grant{doc.Token, sent.Add(time.Duration(doc.Life) * time.Second)}, nil
	}
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(doc.Token, &claims); err != nil {
		return grant{}, err
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		date = sent
	}
	return grant{doc.Token, sent.Add(claims.ExpiresAt.Sub(date))}, nil
}
