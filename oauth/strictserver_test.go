package oauth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A strict is an authorization server and an API, at two origins, that insist on everything: pushed requests, registered
// clients with a secret, the resource in each request, and proofs in which every nonce is good for one time (RFC 9449
// section 8). Its issuer has a path, and its metadata is in one place.
type strict struct {
	as, api *httptest.Server

	mu        sync.Mutex
	nonces    map[string]bool
	clients   map[string]string     // secrets
	pushed    map[string]url.Values // by request_uri
	codes     map[string]url.Values
	access    map[string]string // thumbprint of the key
	refresh   string
	registers int
	refreshes int
	refused   []string // codes
	asked     string   // scope
}

func startStrict(t *testing.T) *strict {
	t.Helper()
	s := &strict{nonces: map[string]bool{}, clients: map[string]string{}, pushed: map[string]url.Values{}, codes: map[string]url.Values{},
		access: map[string]string{}}
	as := http.NewServeMux()
	as.HandleFunc("GET /.well-known/oauth-authorization-server/tenant", s.metadata)
	as.HandleFunc("POST /register", s.register)
	as.HandleFunc("POST /par", s.authenticated(s.push))
	as.HandleFunc("POST /token", s.authenticated(s.token))
	as.HandleFunc("GET /authorize", s.authorize)
	api := http.NewServeMux()
	api.HandleFunc("GET /.well-known/oauth-protected-resource/v1/things", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"resource": s.resource(), "authorization_servers": []string{s.issuer()}, "scopes_supported": []string{"things"}})
	})
	api.HandleFunc("/v1/things", s.things)
	s.as, s.api = httptest.NewServer(as), httptest.NewServer(api)
	t.Cleanup(s.as.Close)
	t.Cleanup(s.api.Close)
	return s
}

func (s *strict) issuer() string { return s.as.URL + "/tenant" }

func (s *strict) resource() string { return s.api.URL + "/v1/things" }

func (s *strict) metadata(w http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(w).Encode(map[string]any{
		"issuer": s.issuer(), "authorization_endpoint": s.as.URL + "/authorize", "token_endpoint": s.as.URL + "/token",
		"registration_endpoint": s.as.URL + "/register", "pushed_authorization_request_endpoint": s.as.URL + "/par",
		"require_pushed_authorization_requests": true, "token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
		"dpop_signing_alg_values_supported": []string{"EdDSA"}, "authorization_response_iss_parameter_supported": true,
		"code_challenge_methods_supported": []string{"S256"}, "response_types_supported": []string{"code"},
	})
}

func (s *strict) register(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registers++
	id, secret := rand.Text(), rand.Text()
	s.clients[id] = secret
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(map[string]any{"client_id": id, "client_secret": secret, "client_secret_expires_at": 0, "token_endpoint_auth_method": "client_secret_basic"})
}

// authenticated lets requests through that say who they are, which resource they mean, and prove possession; next gets the
// thumbprint of the key.
func (s *strict) authenticated(next func(w http.ResponseWriter, r *http.Request, key string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		id, secret, _ := r.BasicAuth()
		if known, ok := s.clients[id]; !ok || known != secret {
			s.refuse(w, http.StatusUnauthorized, "invalid_client")
			return
		}
		key, code := s.proof(w, r, s.as.URL, "")
		switch {
		case code != "":
			s.refuse(w, http.StatusBadRequest, code)
		case r.PostFormValue("resource") != s.resource():
			s.refuse(w, http.StatusBadRequest, "invalid_target")
		default:
			next(w, r, key)
		}
	}
}

func (s *strict) refuse(w http.ResponseWriter, status int, code string) {
	s.refused = append(s.refused, code)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": code})
}

func (s *strict) push(w http.ResponseWriter, r *http.Request, key string) {
	uri := "urn:ietf:params:oauth:request_uri:" + rand.Text()
	r.PostForm.Set("dpop_jkt", key)
	s.pushed[uri], s.asked = r.PostForm, r.PostFormValue("scope")
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(map[string]any{"request_uri": uri, "expires_in": 60})
}

func (s *strict) authorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	request := s.pushed[r.URL.Query().Get("request_uri")]
	if request == nil || len(r.URL.Query()) != 2 {
		http.Error(w, "push your request", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	s.codes[code] = request
	response := url.Values{"code": {code}, "state": {request.Get("state")}, "iss": {s.issuer()}}
	http.Redirect(w, r, request.Get("redirect_uri")+"?"+response.Encode(), http.StatusSeeOther)
}

func (s *strict) token(w http.ResponseWriter, r *http.Request, key string) {
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		request := s.codes[r.PostFormValue("code")]
		delete(s.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if request == nil || request.Get("dpop_jkt") != key || request.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
			s.refuse(w, http.StatusBadRequest, "invalid_grant")
			return
		}
	case "refresh_token":
		s.refreshes++
		if r.PostFormValue("refresh_token") != s.refresh {
			s.refuse(w, http.StatusBadRequest, "invalid_grant")
			return
		}
	}
	token := rand.Text()
	s.refresh, s.access[token] = rand.Text(), key
	json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "DPoP", "expires_in": 900, "refresh_token": s.refresh})
}

func (s *strict) things(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, isDPoP := strings.CutPrefix(r.Header.Get("Authorization"), "DPoP ")
	bound, known := s.access[token]
	deny := func(more string) {
		w.Header().Set("WWW-Authenticate", `DPoP algs="EdDSA"`+more)
		w.WriteHeader(http.StatusUnauthorized)
	}
	if !isDPoP || !known {
		deny("")
		return
	}
	key, code := s.proof(w, r, s.api.URL, token)
	if code != "" || key != bound {
		deny(`, error="` + code + `"`)
	}
}

// proof checks a proof (RFC 9449 section 4.3). Each response has a nonce that is new.
func (s *strict) proof(w http.ResponseWriter, r *http.Request, origin, token string) (key, code string) {
	fresh := rand.Text()
	s.nonces[origin+fresh] = true
	w.Header().Set("DPoP-Nonce", fresh)
	jws, err := jose.ParseSigned(r.Header.Get("DPoP"), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(jws.Signatures) != 1 || jws.Signatures[0].Protected.JSONWebKey == nil {
		return "", "invalid_dpop_proof"
	}
	public := jws.Signatures[0].Protected.JSONWebKey
	payload, err := jws.Verify(public)
	var c struct{ HTM, HTU, ATH, Nonce string }
	sum := sha256.Sum256([]byte(token))
	if err != nil || json.Unmarshal(payload, &c) != nil || c.HTM != r.Method || c.HTU != origin+r.URL.Path ||
		token != "" && c.ATH != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return "", "invalid_dpop_proof"
	}
	if !s.nonces[origin+c.Nonce] {
		return "", "use_dpop_nonce"
	}
	delete(s.nonces, origin+c.Nonce)
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", "invalid_dpop_proof"
	}
	return base64.RawURLEncoding.EncodeToString(thumbprint), ""
}

// state is what the server has seen: refreshes, registrations, and what it refused beside proofs without its nonce.
func (s *strict) state() (refreshes, registers int, refused []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshes, s.registers, slices.DeleteFunc(slices.Clone(s.refused), func(code string) bool {
		return code == "use_dpop_nonce" || code == "invalid_dpop_proof"
	})
}
