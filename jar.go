package silentrefresh

import (
	"net/http"
	"time"
)

// A Cookie is one cookie of a Jar, with all that RFC 6265bis section 5.6 keeps of it.
type Cookie struct {
	Name     string
	Value    Secret
	Quoted   bool // the value was sent in quotation marks
	Domain   string
	HostOnly bool // Domain is the one host that gets it, not its subdomains
	Path     string
	Secure   bool
	HttpOnly bool
	SameSite http.SameSite
	Expires  time.Time // zero: with the session, for as long as the session is kept
	Created  time.Time
}
