package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"
)

// minimal is the least that a correct RoundTripper does with a token that ends: it looks at the clock, and sends a
// shallow copy of the request with a header map of its own and a value that was made before.
var minimal = contender{
	name:  nameMinimal,
	about: "a look at the clock, a shallow copy of the request, a copy of the header map, a header value made before; renews nothing",
	fit: func(s setup) (fitted, error) {
		g, err := s.source.next(context.Background())
		m := &attach{base: s.base, value: []string{"Bearer " + g.token}, expires: g.expires}
		return fitted{RoundTripper: m, held: []any{m}, close: nothing}, err
	},
}

type attach struct {
	base    http.RoundTripper
	value   []string
	expires time.Time
}

var errEnded = errors.New("the token has ended")

func (a *attach) RoundTrip(req *http.Request) (*http.Response, error) {
	if !time.Now().Before(a.expires) {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, errEnded
	}
	clone := *req
	clone.Header = maps.Clone(req.Header)
	if clone.Header == nil {
		clone.Header = http.Header{}
	}
	clone.Header["Authorization"] = a.value
	return a.base.RoundTrip(&clone)
}
