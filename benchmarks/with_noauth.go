package main

// noAuth is the limit: what the network and the server take.
var noAuth = contender{
	name:  nameLimit,
	about: "the base RoundTripper alone",
	fit: func(s setup) (fitted, error) {
		return fitted{RoundTripper: s.base, close: nothing}, nil
	},
}
