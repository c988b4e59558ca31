// Package page serves the HTML pages of the tool and of the test kit. Each is one document that needs nothing beside
// itself, and may do nothing but what it was written to do.
package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"strings"
)

//go:embed page.css
var style string

//go:embed page.js
var script string

// The places of a document that are filled in: in its style, in its script, and where the page's token goes.
const (
	stylePlace  = "/*page.css*/"
	scriptPlace = "/*page.js*/"
	tokenPlace  = "{{token}}"
)

// A Page is an HTML document. It may be served concurrently.
type Page struct {
	document string
	policy   string
}

// New makes a page of a document, which has one style and one script element, and nothing of another origin. What both
// pages use takes the places of /*page.css*/ and /*page.js*/.
func New(document string) *Page {
	document = strings.Replace(document, stylePlace, style, 1)
	document = strings.Replace(document, scriptPlace, script, 1)
	return &Page{document, policy(document)}
}

// policy lets a document run its own script, use its own style and ask its own server, and nothing else (CSP Level 3).
func policy(document string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src " + source(document, "script"),
		"style-src " + source(document, "style"),
		"img-src data:", // the icon
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
	}, "; ")
}

// source allows the element of that name, by the hash of what it holds.
func source(document, element string) string {
	_, text, begins := strings.Cut(document, "<"+element+">")
	text, _, ends := strings.Cut(text, "</"+element+">")
	if !begins || !ends {
		panic("page: there is no element " + element)
	}
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Serve writes the page, with token in the place of {{token}}.
func (p *Page) Serve(w http.ResponseWriter, token string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin") // no other page, not even of this origin, gets hold of the window
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	io.WriteString(w, strings.Replace(p.document, tokenPlace, html.EscapeString(token), 1))
}
