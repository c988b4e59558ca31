package record

import (
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// Cookie is a Cookie as the store's record has it, with its value in the clear: the store encrypts it.
type Cookie struct {
	Name     string        `json:"n"`
	Value    string        `json:"v,omitempty"`
	Bytes    []byte        `json:"b,omitempty"` // in place of Value, where that is no UTF-8, which JSON could not hold
	Quoted   bool          `json:"q,omitempty"`
	Domain   string        `json:"d,omitempty"`
	HostOnly bool          `json:"h,omitempty"`
	Path     string        `json:"p,omitempty"`
	Secure   bool          `json:"s,omitempty"`
	HttpOnly bool          `json:"o,omitempty"`
	SameSite http.SameSite `json:"ss,omitempty"`
	Expires  time.Time     `json:"e,omitzero"`
	Created  time.Time     `json:"c,omitzero"`
}

// EncodeCookies is exactly reversible for all that a Jar holds.
func EncodeCookies(cookies []auth.Cookie) []Cookie {
	var records []Cookie
	for _, c := range cookies {
		r := Cookie{
			Name: c.Name, Value: c.Value.Reveal(), Quoted: c.Quoted,
			Domain: c.Domain, HostOnly: c.HostOnly, Path: c.Path,
			Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite,
			Expires: wall.Recordable(c.Expires), Created: wall.Recordable(c.Created),
		}
		if !utf8.ValidString(r.Value) {
			r.Value, r.Bytes = "", []byte(r.Value)
		}
		records = append(records, r)
	}
	return records
}

// DecodeCookies reverses encodeCookies. It checks nothing: NewJar does.
func DecodeCookies(records []Cookie) []auth.Cookie {
	var cookies []auth.Cookie
	for _, r := range records {
		cookies = append(cookies, auth.Cookie{
			Name: r.Name, Value: auth.NewSecret(r.Value + string(r.Bytes)), Quoted: r.Quoted,
			Domain: r.Domain, HostOnly: r.HostOnly, Path: r.Path,
			Secure: r.Secure, HttpOnly: r.HttpOnly, SameSite: r.SameSite,
			Expires: r.Expires, Created: r.Created,
		})
	}
	return cookies
}
