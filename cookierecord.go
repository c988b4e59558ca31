package silentrefresh

import (
	"net/http"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// cookieRecord is a Cookie as the store's record has it, with its value in the clear: the store encrypts it.
type cookieRecord struct {
	Name     string        `json:"n"`
	Value    string        `json:"v,omitempty"`
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

// encodeCookies is exactly reversible for all that a Jar holds.
func encodeCookies(cookies []Cookie) []cookieRecord {
	var records []cookieRecord
	for _, c := range cookies {
		records = append(records, cookieRecord{
			Name: c.Name, Value: c.Value.Reveal(), Quoted: c.Quoted,
			Domain: c.Domain, HostOnly: c.HostOnly, Path: c.Path,
			Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite,
			Expires: wall.Recordable(c.Expires), Created: wall.Recordable(c.Created),
		})
	}
	return records
}

// decodeCookies reverses encodeCookies. It checks nothing: NewJar does.
func decodeCookies(records []cookieRecord) []Cookie {
	var cookies []Cookie
	for _, r := range records {
		cookies = append(cookies, Cookie{
			Name: r.Name, Value: NewSecret(r.Value), Quoted: r.Quoted,
			Domain: r.Domain, HostOnly: r.HostOnly, Path: r.Path,
			Secure: r.Secure, HttpOnly: r.HttpOnly, SameSite: r.SameSite,
			Expires: r.Expires, Created: r.Created,
		})
	}
	return cookies
}
