package main

import (
	"context"
	"io"
	"net/http"
	"sync"
)

var mutexOnly = contender{
	name:   "401 + mutex",
	about:  "written by hand: on a 401, lock, refresh, replay",
	renews: true, sees401: true, replays: true,
	fit: func(s setup) (fitted, error) { return fitInterceptor(s, false) },
}

var mutexRecheck = contender{
	name:   "401 + re-check",
	about:  "the same, but after locking it looks whether somebody else has refreshed already",
	renews: true, sees401: true, replays: true,
	fit: func(s setup) (fitted, error) { return fitInterceptor(s, true) },
}

func fitInterceptor(s setup, recheck bool) (fitted, error) {
	g, err := s.source.next(context.Background())
	i := &interceptor{base: s.base, source: s.source, recheck: recheck, token: g.token}
	return fitted{RoundTripper: i, held: []any{i}, close: nothing}, err
}

// interceptor is what many write by hand.
type interceptor struct {
	base    http.RoundTripper
	source  *source
	recheck bool

	mu    sync.Mutex
	token string
}

func (i *interceptor) RoundTrip(req *http.Request) (*http.Response, error) {
	i.mu.Lock()
	token := i.token
	i.mu.Unlock()
	resp, err := i.send(req, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	io.Copy(io.Discard, resp.Body) // give the connection back before waiting
	resp.Body.Close()
	if token, err = i.renew(req.Context(), token); err != nil {
		return nil, err
	}
	if req.GetBody != nil {
		req = req.Clone(req.Context())
		if req.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return i.send(req, token)
}

func (i *interceptor) send(req *http.Request, token string) (*http.Response, error) {
	clone := req.Clone(req.Context())
	clone.Header.Set("Authorization", "Bearer "+token)
	return i.base.RoundTrip(clone)
}

func (i *interceptor) renew(ctx context.Context, refused string) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.recheck && i.token != refused {
		return i.token, nil
	}
	g, err := i.source.refresh(ctx)
	if err == nil {
		i.token = g.token
	}
	return i.token, err
}
