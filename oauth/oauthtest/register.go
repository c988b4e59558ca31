package oauthtest

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
)

// registered is a client that introduced itself.
type registered struct {
	secret       string
	redirectURIs []string
}

func (p *Provider) register(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var doc struct {
		RedirectURIs []string `json:"redirect_uris"`
		Method       string   `json:"token_endpoint_auth_method"`
		Name         string   `json:"client_name"`
	}
	if !p.config.Registers {
		http.NotFound(w, r)
		return
	}
	if json.NewDecoder(r.Body).Decode(&doc) != nil || doc.Name == "" {
		refuse(w, http.StatusBadRequest, "invalid_client_metadata")
		return
	}
	c := &registered{redirectURIs: doc.RedirectURIs}
	if doc.Method != "none" {
		c.secret = rand.Text()
	}
	id := "registered-" + rand.Text()
	p.clients[id] = c
	response := map[string]any{"client_id": id, "redirect_uris": c.redirectURIs, "token_endpoint_auth_method": doc.Method}
	if c.secret != "" {
		response["client_secret"] = c.secret
	}
	writeJSON(w, http.StatusCreated, response)
}

// knows reports whether a client may be sent back to redirectURI. The one that was always there takes any.
func (p *Provider) knows(id, redirectURI string) bool {
	if id == ClientID {
		return redirectURI != ""
	}
	c := p.clients[id]
	return c != nil && slices.Contains(c.redirectURIs, redirectURI)
}

// push takes an authorization request over the back channel (RFC 9126).
func (p *Provider) push(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.authenticated(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	uri := "urn:ietf:params:oauth:request_uri:" + rand.Text()
	p.pushed[uri] = r.PostForm
	writeJSON(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": 60})
}

// requested is the request that q brings or refers to.
func (p *Provider) requested(q url.Values) url.Values {
	if pushed := p.pushed[q.Get("request_uri")]; pushed != nil {
		delete(p.pushed, q.Get("request_uri"))
		return pushed
	}
	if p.config.RequirePush {
		return nil
	}
	return q
}

func clientOf(r *http.Request) string {
	if id, _, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(id)
		return id
	}
	return r.PostFormValue("client_id")
}

func secretOf(r *http.Request) string {
	if _, secret, ok := r.BasicAuth(); ok {
		secret, _ = url.QueryUnescape(secret)
		return secret
	}
	return r.PostFormValue("client_secret")
}

func (p *Provider) assertionGrant(w http.ResponseWriter, r *http.Request, assertion string) {
	if assertion != Assertion {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	id := clientOf(r)
	p.issue(w, &grant{account: id, client: id})
}
