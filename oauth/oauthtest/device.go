package oauthtest

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"
)

// device is a device login under way.
type device struct {
	code, userCode string
	grant          *grant // nil until a person has decided
	denied         bool
	expires        time.Time
}

func (p *Provider) deviceAuthorization(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.authenticated(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	d := &device{code: rand.Text(), userCode: rand.Text()[:8], expires: time.Now().Add(10 * time.Minute)}
	d.grant = &grant{client: clientOf(r), scopes: strings.Fields(r.PostFormValue("scope"))}
	p.devices[d.code] = d
	response := map[string]any{
		"device_code":               d.code,
		"user_code":                 d.userCode,
		"verification_uri":          p.url + "/device",
		"verification_uri_complete": p.url + "/device?user_code=" + d.userCode,
		"expires_in":                600,
	}
	if p.config.Interval > 0 {
		response["interval"] = p.config.Interval
	}
	writeJSON(w, http.StatusOK, response)
}

// Decide lets account log in the device that shows userCode, and "" decline it. It reports whether there is one.
func (p *Provider) Decide(userCode, account string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.devices {
		if d.userCode == userCode && time.Now().Before(d.expires) {
			d.grant.account, d.denied = account, account == ""
			return true
		}
	}
	return false
}

func (p *Provider) deviceGrant(w http.ResponseWriter, r *http.Request) {
	d := p.devices[r.PostFormValue("device_code")]
	switch {
	case d == nil || d.grant.used || d.grant.client != clientOf(r):
		refuse(w, http.StatusBadRequest, "invalid_grant")
	case d.denied:
		refuse(w, http.StatusBadRequest, "access_denied")
	case !time.Now().Before(d.expires):
		refuse(w, http.StatusBadRequest, "expired_token")
	case d.grant.account == "":
		refuse(w, http.StatusBadRequest, "authorization_pending")
	default:
		d.grant.used = true
		p.issue(w, d.grant)
	}
}
