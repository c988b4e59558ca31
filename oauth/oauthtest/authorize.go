package oauthtest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const sessionCookie = "op_session"

// authorization is an authorization request under way.
type authorization struct {
	redirectURI, state, nonce, challenge, prompt, hint string
	client, thumbprint                                 string
	scopes                                             []string
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.requested(r.URL.Query())
	if !p.knows(q.Get("client_id"), q.Get("redirect_uri")) {
		http.Error(w, "unknown client or redirect URI", http.StatusBadRequest)
		return
	}
	a := &authorization{
		redirectURI: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"),
		challenge: q.Get("code_challenge"), prompt: q.Get("prompt"), hint: q.Get("id_token_hint"),
		scopes: slices.DeleteFunc(strings.Fields(q.Get("scope")), func(s string) bool { return s == p.config.Deny }),
	}
	a.client, a.thumbprint = q.Get("client_id"), q.Get("dpop_jkt")
	if p.config.Resource != "" && q.Get("resource") != p.config.Resource {
		p.response(w, r, a, map[string]string{"error": "invalid_target"})
		return
	}
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || a.challenge == "" {
		p.response(w, r, a, map[string]string{"error": "invalid_request"})
		return
	}
	id := rand.Text()
	p.requests[id] = a
	http.Redirect(w, r, "/authorize/resume?id="+id, http.StatusFound)
}

func (p *Provider) resume(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := r.URL.Query().Get("id")
	a := p.requests[id]
	if a == nil {
		http.Error(w, "no such request", http.StatusBadRequest)
		return
	}
	account := p.account(r)
	switch {
	case account == "" && a.prompt != "none":
		http.Redirect(w, r, "/login?id="+id, http.StatusFound)
	case account == "", a.hint != "" && p.subject(a.hint) != account:
		p.response(w, r, a, map[string]string{"error": "login_required"})
	default:
		code := rand.Text()
		p.codes[code] = &grant{account: account, client: a.client, request: a, scopes: a.scopes, nonce: a.nonce, thumbprint: a.thumbprint}
		p.response(w, r, a, map[string]string{"code": code})
	}
}

func (p *Provider) response(w http.ResponseWriter, r *http.Request, a *authorization, params map[string]string) {
	params["state"], params["iss"] = a.state, p.url
	if p.config.Response != nil {
		p.config.Response(params)
	}
	q := url.Values{}
	for k, v := range params {
		q.Set(k, v)
	}
	http.Redirect(w, r, a.redirectURI+"?"+q.Encode(), http.StatusSeeOther)
}

func (p *Provider) account(r *http.Request) string {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return p.sessions[c.Value]
}

func (p *Provider) newSession(account string) *http.Cookie {
	value := rand.Text()
	p.sessions[value] = account
	return &http.Cookie{Name: sessionCookie, Value: value, Path: "/", HttpOnly: true}
}

func (p *Provider) loginPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintln(w, `<form method="post"><input name="account"></form>`)
}

func (p *Provider) login(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, account := r.URL.Query().Get("id"), r.PostFormValue("account")
	if p.requests[id] == nil {
		http.Error(w, "no such request", http.StatusBadRequest)
		return
	}
	if account == "" { // the person changed their mind
		p.response(w, r, p.requests[id], map[string]string{"error": "access_denied"})
		return
	}
	http.SetCookie(w, p.newSession(account))
	http.Redirect(w, r, "/authorize/resume?id="+url.QueryEscape(id), http.StatusSeeOther)
}

func (p *Provider) logout(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, err := r.Cookie(sessionCookie); err == nil {
		delete(p.sessions, c.Value)
	}
	writeJSON(w, http.StatusOK, map[string]any{})
}
