package oauthtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A grant is what one login gave: all its tokens live and die together.
type grant struct {
	account string
	client  string
	// thumbprint is that of the key that the tokens are bound to, "" if they are not.
	thumbprint string
	request    *authorization // nil for a device
	nonce      string
	scopes     []string
	used       bool      // the code
	current    string    // the refresh token that is good
	previous   string    // the one before it
	rotated    time.Time // when it took over
	revoked    bool
	expires    map[string]time.Time // of the access tokens
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.authenticated(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if p.config.Resource != "" && r.PostFormValue("resource") != p.config.Resource {
		refuse(w, http.StatusBadRequest, "invalid_target")
		return
	}
	thumbprint, code := p.proof(w, r, "")
	if code != "" {
		refuse(w, http.StatusBadRequest, code)
		return
	}
	p.presented = thumbprint
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		p.codeGrant(w, r)
	case "refresh_token":
		p.refreshGrant(w, r)
	case "urn:ietf:params:oauth:grant-type:device_code":
		p.deviceGrant(w, r)
	case "client_credentials":
		p.issue(w, &grant{account: clientOf(r), client: clientOf(r), scopes: strings.Fields(r.PostFormValue("scope"))})
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		p.assertionGrant(w, r, r.PostFormValue("assertion"))
	case "urn:ietf:params:oauth:grant-type:token-exchange":
		p.assertionGrant(w, r, r.PostFormValue("subject_token"))
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

// authenticated checks the client, and that its secret travels in one of the advertised ways.
func (p *Provider) authenticated(r *http.Request) bool {
	if c := p.clients[clientOf(r)]; c != nil {
		return c.secret == "" || secretOf(r) == c.secret
	}
	allowed := func(method string) bool {
		return slices.Contains(p.config.AuthMethods, method) || p.config.AuthMethods == nil && method == "client_secret_basic"
	}
	if id, secret, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
		return id == ClientID && secret == p.config.Secret && p.config.Secret != "" && allowed("client_secret_basic")
	}
	secret := r.PostFormValue("client_secret")
	return r.PostFormValue("client_id") == ClientID && secret == p.config.Secret && (p.config.Secret == "" || allowed("client_secret_post"))
}

func (p *Provider) codeGrant(w http.ResponseWriter, r *http.Request) {
	g := p.codes[r.PostFormValue("code")]
	if g == nil || g.used || g.client != clientOf(r) || g.request.redirectURI != r.PostFormValue("redirect_uri") {
		if g != nil {
			g.revoked = true // RFC 6749 section 4.1.2: a code that is replayed ends what it gave
		}
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	if g.thumbprint != "" && g.thumbprint != p.presented {
		refuse(w, http.StatusBadRequest, "invalid_dpop_proof")
		return
	}
	g.used = true
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != g.request.challenge {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	p.issue(w, g)
}

func (p *Provider) refreshGrant(w http.ResponseWriter, r *http.Request) {
	token := r.PostFormValue("refresh_token")
	g, now := p.refresh[token], time.Now()
	graceful := g != nil && token == g.previous && now.Sub(g.rotated) < p.config.Grace
	if g != nil && token != g.current && !graceful {
		p.counters.Reuses++
		g.revoked = true
	}
	ended := g != nil && p.config.RefreshTTL > 0 && now.Sub(g.rotated) >= p.config.RefreshTTL
	if g == nil || g.revoked || ended || g.client != clientOf(r) || g.thumbprint != p.presented {
		p.counters.RefreshRefused++
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	p.counters.Refreshes++
	if graceful {
		p.counters.GraceUses++
		p.give(w, g, g.current)
		return
	}
	p.issue(w, g)
}

// issue gives out the next tokens of g.
func (p *Provider) issue(w http.ResponseWriter, g *grant) {
	g.thumbprint = p.presented
	first := g.current == ""
	if !p.givesRefreshToken(g) || p.config.Reusable && !first {
		p.give(w, g, "")
		return
	}
	g.previous, g.current, g.rotated = g.current, rand.Text(), time.Now()
	p.refresh[g.current] = g
	p.give(w, g, g.current)
}

func (p *Provider) givesRefreshToken(g *grant) bool {
	return !p.config.NoRefreshTokens && g.account != g.client && (p.config.Plain || slices.Contains(g.scopes, "offline_access"))
}

// give responds with a new access token of g, and with refresh, "" for none.
func (p *Provider) give(w http.ResponseWriter, g *grant, refresh string) {
	access := rand.Text()
	if g.expires == nil {
		g.expires = map[string]time.Time{}
		p.counters.Logins++
	}
	g.expires[access] = time.Now().Add(p.config.TokenTTL)
	p.access[access] = g
	response := map[string]any{
		"access_token": access,
		"token_type":   "Bearer",
		"expires_in":   int(p.config.TokenTTL / time.Second),
	}
	if g.thumbprint != "" {
		response["token_type"] = "DPoP"
	}
	if !p.config.Plain && slices.Contains(g.scopes, "openid") {
		response["id_token"] = p.idToken(g, access)
	}
	if len(g.scopes) > 0 {
		response["scope"] = strings.Join(g.scopes, " ")
	}
	if refresh != "" {
		response["refresh_token"] = refresh
	}
	writeJSON(w, http.StatusOK, response)
}

func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.authenticated(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	token := r.PostFormValue("token")
	if g := p.refresh[token]; g != nil {
		g.revoked = true
	}
	if g := p.access[token]; g != nil {
		delete(g.expires, token)
	}
	w.WriteHeader(http.StatusOK)
}
