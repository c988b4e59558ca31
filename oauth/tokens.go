package oauth

import (
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
	"github.com/silentrefresh/silentrefresh/internal/refusal"
	"github.com/silentrefresh/silentrefresh/internal/response"
)

// tokens are what a token endpoint gives (RFC 6749 section 5.1). What is not there is zero.
type tokens struct {
	access, refresh, id auth.Secret
	kind                string // token_type
	issued              time.Time
	expires, ends       time.Time // zero if unknown
	scopes              []string  // nil if they are those that were asked for
}

// The names of lifetimes, as response.Plain writes them. No standard has those of the second list, but they are
// widespread.
var (
	expiryNames = []string{"expiresin", "expiresat", "expireson", "expires"}
	endNames    = []string{"refreshexpiresin", "refreshtokenexpiresin", "refreshtokenexpiresat"}
)

// tokensOf reads a response. The tokens may be in an object of their own, as Slack's user tokens are.
func tokensOf(r *response.Response) *tokens {
	access, in, _ := r.Find(response.Nowhere, func(o *response.Object) (string, bool) {
		s, ok := o.Get("accesstoken").(string)
		return s, ok
	})
	t := &tokens{
		access: auth.NewSecret(access), refresh: auth.NewSecret(text(in, "refreshtoken")), id: auth.NewSecret(text(in, "idtoken")),
		kind: text(in, "tokentype"), issued: r.Issued,
	}
	t.expires = lifetime.End(r.Issued, after(r, in, expiryNames))
	t.ends = lifetime.End(r.Issued, after(r, in, endNames))
	if scope := text(in, "scope"); scope != "" {
		t.scopes = strings.FieldsFunc(scope, func(c rune) bool { return c == ' ' || c == ',' })
	}
	return t
}

// text is a field of o, or of an object around it, that is a string.
func text(o *response.Object, name string) string {
	for ; o != nil; o = o.Around {
		if s, ok := o.Get(name).(string); ok {
			return s
		}
	}
	return ""
}

// field is a field at the top of r that is a string, "" if it is not.
func field(r *response.Response, name string) string {
	fields, _ := r.Document.(map[string]any)
	s, _ := fields[name].(string)
	return s
}

// after is how long something lives, by the first of the named fields that says so; 0 if none does.
func after(r *response.Response, in *response.Object, names []string) time.Duration {
	for ; in != nil; in = in.Around {
		if m, ok := in.Moment(names, 0); ok {
			return m.Left(r.Date)
		}
	}
	return 0
}

// seconds is the field of that name at the top of r, a time in seconds; 0 if there is none that makes sense.
func seconds(r *response.Response, name string) time.Duration {
	fields, _ := r.Document.(map[string]any)
	m, ok := lifetime.Read(fields[name])
	if !ok {
		return 0
	}
	return m.Left(r.Date)
}

// good reports whether the status is one of success, and nothing in the body says otherwise.
func good(r *response.Response) bool {
	return r.Status/100 == 2 && field(r, "error") == "" && !refusal.Complains(r)
}
