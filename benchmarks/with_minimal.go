package main

import (
	"context"
	"maps"
	"net/http"
)

// minimal is the least that a correct RoundTripper does: a shallow copy of the request with a header map of its
// own and a value that was made before.
var minimal = contender{
	name:  nameMinimal,
	about: "a shallow copy of the request, a copy of the header map, a header value made before; one token for ever",
	fit: func(s setup) (fitted, error) {
		g, err := s.source.next(context.Background())
		m := &attach{base: s.base, value: []string{"Bearer " + g.token}}
		return fitted{RoundTripper: m, held: []any{m}, close: nothing}, err
	},
}

type attach struct {
	base  http.RoundTripper
	value []string
}

func (a *attach) RoundTrip(req *http.Request) (*http.Response, error) {
	clone := *req
	clone.Header = maps.Clone(req.Header)
	if clone.Header == nil {
		clone.Header = http.Header{}
	}
	clone.Header["Authorization"] = a.value
	return a.base.RoundTrip(&clone)
}
