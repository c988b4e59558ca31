package oauthtest

import (
	"net/http"
	"slices"
)

func (p *Provider) openIDDiscovery(w http.ResponseWriter, r *http.Request) { p.metadata(w, r, false) }

func (p *Provider) oauthMetadata(w http.ResponseWriter, r *http.Request) { p.metadata(w, r, true) }

// metadata is what the provider says of itself, in the place where a server of its kind does (RFC 8414, OpenID Connect
// Discovery).
func (p *Provider) metadata(w http.ResponseWriter, r *http.Request, plain bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.config.Plain != plain {
		http.NotFound(w, r)
		return
	}
	doc := map[string]any{
		"issuer":                                p.url,
		"authorization_endpoint":                p.url + string(Authorize),
		"token_endpoint":                        p.url + string(Token),
		"jwks_uri":                              p.url + string(Keys),
		"device_authorization_endpoint":         p.url + string(DeviceAuthorize),
		"revocation_endpoint":                   p.url + string(Revoke),
		"end_session_endpoint":                  p.url + string(Logout),
		"id_token_signing_alg_values_supported": []string{"ES256", "none"},
		"scopes_supported":                      []string{"openid", "offline_access"},
		"authorization_response_iss_parameter_supported": true,
	}
	p.describe(doc)
	if p.config.AuthMethods != nil {
		doc["token_endpoint_auth_methods_supported"] = p.config.AuthMethods
	}
	if p.config.Metadata != nil {
		p.config.Metadata(doc)
	}
	writeJSON(w, http.StatusOK, doc)
}

// describe adds to the metadata what the settings make of it.
func (p *Provider) describe(doc map[string]any) {
	if len(p.config.Scopes) > 0 {
		doc["scopes_supported"] = append(slices.Clone(p.config.Scopes), "openid", "offline_access")
	}
	if p.config.Plain {
		for _, name := range []string{"jwks_uri", "id_token_signing_alg_values_supported", "end_session_endpoint", "scopes_supported"} {
			delete(doc, name)
		}
	}
	if p.config.Registers {
		doc["registration_endpoint"] = p.url + string(Register)
		doc["token_endpoint_auth_methods_supported"] = []string{"client_secret_basic", "none"}
	}
	if p.config.RequirePush {
		doc["pushed_authorization_request_endpoint"], doc["require_pushed_authorization_requests"] = p.url+string(Push), true
	}
	if p.config.RequireDPoP {
		doc["dpop_signing_alg_values_supported"] = []string{"ES256"}
	}
}

// resourceMetadata is what the API says of itself (RFC 9728).
func (p *Provider) resourceMetadata(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{
		"resource": p.url, "authorization_servers": []string{p.url}, "dpop_bound_access_tokens_required": p.config.RequireDPoP,
	})
}
