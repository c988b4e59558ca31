package auth

import (
	"net/http"
	"slices"
	"strings"
)

// SetCookieHeader makes the Cookie field of h carry cookies, byte for byte as they came in: http.Request.AddCookie
// would leave out some bytes of a value, and put others into quotation marks. Other cookies that are in h already stay,
// unless one of cookies has their name: no server is to see two of a name because two jars have it.
func SetCookieHeader(h http.Header, cookies []Cookie) {
	var pairs []string
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(trimBlanks(pair), "=")
			taken := slices.ContainsFunc(cookies, func(c Cookie) bool { return c.Name == name })
			if name != "" && !taken {
				pairs = append(pairs, trimBlanks(pair))
			}
		}
	}
	for _, c := range cookies {
		pairs = append(pairs, c.pair())
	}
	if len(pairs) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = []string{strings.Join(pairs, "; ")}
}

// pair is c as a Cookie field has it.
func (c *Cookie) pair() string {
	if c.Quoted {
		return c.Name + `="` + c.Value.Reveal() + `"`
	}
	return c.Name + "=" + c.Value.Reveal()
}
