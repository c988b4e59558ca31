package fakeop

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// describe adds to the metadata what the settings make of it.
func (p *Provider) describe(doc map[string]any) {
	if len(p.Scopes) > 0 {
		doc["scopes_supported"] = append(slices.Clone(p.Scopes), "openid", "offline_access")
	}
	if p.Plain {
		for _, name := range []string{"jwks_uri", "id_token_signing_alg_values_supported", "end_session_endpoint", "scopes_supported"} {
			delete(doc, name)
		}
	}
	if p.Registers {
		doc["registration_endpoint"] = p.URL + "/register"
		doc["token_endpoint_auth_methods_supported"] = []string{"client_secret_basic", "none"}
	}
	if p.RequirePush {
		doc["pushed_authorization_request_endpoint"], doc["require_pushed_authorization_requests"] = p.URL+"/par", true
	}
	if p.RequireDPoP {
		doc["dpop_signing_alg_values_supported"] = []string{"ES256"}
	}
}

func (p *Provider) openIDDiscovery(w http.ResponseWriter, r *http.Request) {
	if p.Plain {
		http.NotFound(w, r)
		return
	}
	p.discovery(w, r)
}

func (p *Provider) oauthMetadata(w http.ResponseWriter, r *http.Request) {
	if !p.Plain {
		http.NotFound(w, r)
		return
	}
	p.discovery(w, r)
}

// resourceMetadata is what the API says of itself (RFC 9728).
func (p *Provider) resourceMetadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"resource": p.URL, "authorization_servers": []string{p.URL}, "dpop_bound_access_tokens_required": p.RequireDPoP,
	})
}

// Protect lets requests through to next that carry a good token; others get a challenge.
func (p *Provider) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		g := p.admitted(w, r)
		p.mu.Unlock()
		if g != nil {
			next.ServeHTTP(w, r)
		}
	})
}

// admitted is whom the token of r is for; nil if it was denied, and w has its challenge.
func (p *Provider) admitted(w http.ResponseWriter, r *http.Request) *grant {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	want := "Bearer"
	if p.RequireDPoP {
		want = "DPoP"
	}
	challenge := fmt.Sprintf(`%s resource_metadata="%s/.well-known/oauth-protected-resource"`, want, p.URL)
	if p.NeedScope != "" {
		challenge += fmt.Sprintf(`, scope="%s"`, p.NeedScope)
	}
	deny := func(status int, code string) *grant {
		if code != "" {
			challenge += fmt.Sprintf(`, error="%s"`, code)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		refuse(w, status, code)
		return nil
	}
	g := p.access[token]
	switch {
	case token == "":
		return deny(http.StatusUnauthorized, "")
	case g == nil || g.revoked || scheme != want || time.Now().After(g.expires[token]):
		return deny(http.StatusUnauthorized, "invalid_token")
	case p.NeedScope != "" && !slices.Contains(g.scopes, p.NeedScope):
		return deny(http.StatusForbidden, "insufficient_scope")
	}
	if thumbprint, code := p.proof(w, r, token); code != "" {
		return deny(http.StatusUnauthorized, code)
	} else if thumbprint != g.thumbprint {
		return deny(http.StatusUnauthorized, "invalid_token")
	}
	return g
}

// proof checks r's proof (RFC 9449 section 4.3), and returns the thumbprint of its key; code says what is wrong with it.
func (p *Provider) proof(w http.ResponseWriter, r *http.Request, token string) (thumbprint, code string) {
	if p.Nonce != "" {
		w.Header().Set("DPoP-Nonce", p.Nonce)
	}
	proofs := r.Header.Values("DPoP")
	if len(proofs) != 1 {
		if p.RequireDPoP || len(proofs) > 1 {
			return "", "invalid_dpop_proof"
		}
		return "", ""
	}
	jws, err := jose.ParseSigned(proofs[0], []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(jws.Signatures) != 1 || jws.Signatures[0].Protected.JSONWebKey == nil ||
		jws.Signatures[0].Protected.ExtraHeaders["typ"] != "dpop+jwt" {
		return "", "invalid_dpop_proof"
	}
	key := jws.Signatures[0].Protected.JSONWebKey
	payload, err := jws.Verify(key)
	var c struct {
		JTI, HTM, HTU, ATH, Nonce string
		IAT                       int64
	}
	sum := sha256.Sum256([]byte(token))
	if err != nil || json.Unmarshal(payload, &c) != nil || c.HTM != r.Method || c.HTU != p.URL+r.URL.Path || c.JTI == "" || p.proofs[c.JTI] ||
		time.Since(time.Unix(c.IAT, 0)).Abs() > time.Minute || token != "" && c.ATH != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return "", "invalid_dpop_proof"
	}
	if c.Nonce != p.Nonce {
		return "", "use_dpop_nonce"
	}
	p.proofs[c.JTI] = true
	of, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", "invalid_dpop_proof"
	}
	return base64.RawURLEncoding.EncodeToString(of), ""
}
