package endpoint

import (
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// The usual names, as response.Plain writes them, in the order in which they are believed.
var (
	accessNames  = []string{"accesstoken", "token", "access", "jwt", "jwttoken", "authtoken", "bearertoken", "idtoken"}
	refreshNames = []string{"refreshtoken", "refresh"}
	expiryNames  = []string{"expiresin", "accesstokenexpiresin", "tokenexpiresin", "accessexpiresin", "expiresat",
		"accesstokenexpiresat", "tokenexpiresat", "accessexpiresat", "accesstokenexpiration", "accessexpiration",
		"accesstokenexpires", "tokenexpires", "accesstokenexpiry", "tokenexpiry", "expires", "expire", "exp", "expiry",
		"expiration", "expirationtime", "expirydate", "validuntil", "accesstokenlifetime", "tokenlifetime",
		"accesstokenttl", "tokenttl"}
	endNames = []string{"refreshexpiresin", "refreshtokenexpiresin", "refreshexpiresat", "refreshtokenexpiresat",
		"refreshtokenexpiration", "refreshexpiration", "refreshtokenexpires", "refreshexpires", "refreshtokenexpiry",
		"refreshtokenlifetime", "refreshtokenttl"}
)

// textOf finds the first of the named fields that is a text with something in it, or else the first empty one.
func textOf(names []string) func(*response.Object) (value string, ok bool) {
	return func(o *response.Object) (value string, ok bool) {
		for _, name := range names {
			v := o.Get(name)
			if s, isText := v.(string); isText && name == "access" && !plausible(o, s) {
				continue
			} else if isText && s != "" {
				return s, true
			} else if isText {
				ok = true
			}
		}
		return "", ok
	}
}

// plausible guards against an "access" that is a user's role: nested, it is a token if it looks like one or if a
// refresh token is beside it.
func plausible(o *response.Object, access string) bool {
	paired := o.Get("refresh") != nil
	return o.Around == nil || paired || bearer.Parse(access) != nil
}

// aside are objects that never hold the access token.
func aside(name string) bool {
	return strings.Contains(name, "refresh") || strings.Contains(name, "csrf") || strings.Contains(name, "xsrf")
}

// notTheToken are objects whose ends are not the access token's.
func notTheToken(name string) bool {
	return aside(name) || slices.Contains([]string{"user", "account", "profile", "record", "session", "subscription"}, name)
}
