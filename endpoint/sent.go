package endpoint

import (
	"maps"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/echo"
)

// hidden reports whether a text of a response must not be shown, because something that was sent is in it, or it in
// that. A server may quote what it was given.
func (x *exchange) hidden(text string) bool {
	if x.carried == nil {
		x.carried = x.secrets()
	}
	return x.carried.In(text)
}

// secrets are what the call carries that nobody may see.
func (x *exchange) secrets() *echo.Sent {
	sent := &echo.Sent{}
	old := x.grant.Old
	sent.Add(old.RefreshToken.Reveal(), old.AccessToken.Reveal(), old.CSRF.Reveal(), x.csrf.Reveal())
	sent.Add(x.taken...)
	for _, c := range old.Cookies {
		sent.Add(c.Value.Reveal())
	}
	if x.hc.Jar != nil {
		for _, c := range cookiesFor(x.hc.Jar, x.call.target) {
			sent.Add(c.Value)
		}
	}
	if x.grant.Kind == auth.KindLogin {
		credentials, _ := credentialFields(x.grant.Credentials)
		sent.AddAll(credentials)
	}
	for _, name := range slices.Sorted(maps.Keys(x.call.Headers)) {
		addFixed(sent, x.call.Headers[name])
	}
	for _, value := range x.call.Fields {
		if text, ok := value.(string); ok {
			addFixed(sent, text)
		}
	}
	for _, values := range x.url.Query() {
		for _, value := range values {
			addFixed(sent, value)
		}
	}
	return sent
}

// addFixed adds a fixed value of the settings if it may be a secret. A grant_type is none, though servers repeat it.
func addFixed(sent *echo.Sent, value string) {
	word := !strings.ContainsFunc(value, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
	if !word && !strings.ContainsAny(value, " \n{") || strings.HasPrefix(value, "Basic ") || strings.HasPrefix(value, "Bearer ") {
		sent.Add(value)
	}
}
