package oauthtest

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Protect lets requests through to next that carry a good token; others get a challenge. It makes an API, at whatever address,
// one that takes p's tokens.
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
	if p.config.RequireDPoP {
		want = "DPoP"
	}
	challenge := fmt.Sprintf(`%s resource_metadata="%s/.well-known/oauth-protected-resource"`, want, p.url)
	if p.config.NeedScope != "" {
		challenge += fmt.Sprintf(`, scope="%s"`, p.config.NeedScope)
	}
	deny := func(status int, code string) *grant {
		p.counters.APIUnauthorized++
		if code != "" {
			challenge += fmt.Sprintf(`, error="%s"`, code)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		refuse(w, status, code)
		return nil
	}
	g := p.access[token]
	p.counters.API++
	switch {
	case token == "":
		return deny(http.StatusUnauthorized, "")
	case g == nil || g.revoked || scheme != want || !time.Now().Before(g.expires[token]):
		return deny(http.StatusUnauthorized, "invalid_token")
	case p.config.NeedScope != "" && !slices.Contains(g.scopes, p.config.NeedScope):
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
	if p.config.Nonce != "" {
		w.Header().Set("DPoP-Nonce", p.config.Nonce)
	}
	proofs := r.Header.Values("DPoP")
	if len(proofs) != 1 {
		if p.config.RequireDPoP || len(proofs) > 1 {
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
	if err != nil || json.Unmarshal(payload, &c) != nil || c.HTM != r.Method || c.HTU != p.url+r.URL.Path || c.JTI == "" || p.proofs[c.JTI] ||
		time.Since(time.Unix(c.IAT, 0)).Abs() > time.Minute || token != "" && c.ATH != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return "", "invalid_dpop_proof"
	}
	if c.Nonce != p.config.Nonce {
		return "", "use_dpop_nonce"
	}
	p.proofs[c.JTI] = true
	of, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", "invalid_dpop_proof"
	}
	return base64.RawURLEncoding.EncodeToString(of), ""
}

// me is an API that says whose its tokens are.
func (p *Provider) me(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g := p.admitted(w, r); g != nil {
		writeJSON(w, http.StatusOK, map[string]any{"sub": g.account})
	}
}

// echo is an API that sends back what it got.
func (p *Provider) echo(w http.ResponseWriter, r *http.Request) {
	p.Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })).ServeHTTP(w, r)
}
