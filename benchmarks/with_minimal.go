package main

import (
	"context"
	"maps"
	"net/http"
)

// minimal is the least that a correct RoundTripper does: it sends a shallow copy of the request with a copy of the
// header map, and a value that was made before. The token is one for ever: nobody looks at a clock.
var minimal = contender{
	name:  nameMinimal,
	about: "a shallow copy of the request, the header map copied in a loop, a header value made before; one token for ever",
	fit: func(s setup) (fitted, error) {
		return fitAttach(s, func(h http.Header) http.Header {
			out := make(http.Header, len(h)+1)
			for name, values := range h {
				out[name] = values
			}
			return out
		})
	},
}

// cloning is minimal with the faster copy that the standard library has since Go 1.21, and that silentrefresh uses.
var cloning = contender{
	name:  nameMinimal + ", maps.Clone",
	about: "the same with maps.Clone",
	fit: func(s setup) (fitted, error) {
		return fitAttach(s, func(h http.Header) http.Header {
			if h == nil {
				return http.Header{}
			}
			return maps.Clone(h)
		})
	},
}

func fitAttach(s setup, copied func(http.Header) http.Header) (fitted, error) {
	g, err := s.source.next(context.Background())
	m := &attach{base: s.base, value: []string{"Bearer " + g.token}, copied: copied}
	return fitted{RoundTripper: m, held: []any{m}, close: nothing}, err
}

type attach struct {
	base   http.RoundTripper
	value  []string
	copied func(http.Header) http.Header
}

func (a *attach) RoundTrip(req *http.Request) (*http.Response, error) {
	clone := *req
	clone.Header = a.copied(req.Header)
	clone.Header["Authorization"] = a.value
	return a.base.RoundTrip(&clone)
}
