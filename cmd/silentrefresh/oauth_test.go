package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// provider is the least that an identity provider can be, and an API that believes it. Its one user is ada; who has
// the cookie op_session=ada need not be asked, and is given a token of a second and no refresh token.
func provider(t *testing.T) *httptest.Server {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	say := func(path string, document func(r *http.Request) any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(document(r))
		})
	}
	say("/.well-known/openid-configuration", func(*http.Request) any {
		return map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
			"device_authorization_endpoint": s.URL + "/device", "jwks_uri": s.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"}}
	})
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	say("/keys", func(*http.Request) any {
		return map[string]any{"keys": []any{map[string]string{"kty": "EC", "crv": "P-256", "kid": "k", "x": encode(point[1:33]), "y": encode(point[33:])}}}
	})
	say("/device", func(*http.Request) any {
		return map[string]any{"device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": s.URL + "/enter", "expires_in": 60, "interval": 1}
	})
	var requests sync.Map // authorization code -> the query of the request that it responds
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		response := url.Values{"state": {q.Get("state")}}
		if known, err := r.Cookie("op_session"); q.Get("prompt") == "none" && (err != nil || known.Value != "ada") {
			response.Set("error", "login_required")
		} else {
			code := rand.Text()
			requests.Store(code, q)
			response.Set("code", code)
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+response.Encode(), http.StatusFound)
	})
	say("/token", func(r *http.Request) any {
		now := time.Now().Unix()
		claims := jwt.MapClaims{"iss": s.URL, "sub": "ada", "aud": "tool", "iat": now, "exp": now + 60, "email": "ada@example.com"}
		refresh, life := "r", 900
		if r.FormValue("grant_type") == "authorization_code" {
			found, ok := requests.LoadAndDelete(r.FormValue("code"))
			if !ok {
				return map[string]string{"error": "invalid_grant"}
			}
			q := found.(url.Values)
			if sum := sha256.Sum256([]byte(r.FormValue("code_verifier"))); q.Get("code_challenge") != encode(sum[:]) {
				t.Error("the code was redeemed with another verifier")
			}
			claims["nonce"] = q.Get("nonce")
			if q.Get("prompt") == "none" {
				refresh, life = "", 1
			}
		}
		token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
		token.Header["kid"] = "k"
		signed, err := token.SignedString(key)
		if err != nil {
			t.Error(err)
		}
		return map[string]any{"access_token": "token-of-ada", "token_type": "Bearer", "expires_in": life, "refresh_token": refresh, "id_token": signed}
	})
	say("/me", func(r *http.Request) any { return r.Header.Get("Authorization") == "Bearer token-of-ada" })
	return s
}

// TestLoginWithAProvider: the code is shown, and the other commands work as ever.
func TestLoginWithAProvider(t *testing.T) {
	s := provider(t)
	b := newBox(t)
	file := b.file("config.json", `{"base_url": "`+s.URL+`", "oauth": {"issuer": "`+s.URL+`", "client_id": "tool", "flow": "device"}}`)
	r := b.run("login", "--config", file)
	if r.code != 0 || !strings.Contains(r.err, "ABCD-EFGH") || !strings.Contains(r.out, " as ada@example.com\n  token    15 min, ") {
		t.Fatalf("%+v", r)
	}
	if got := b.ok("request", "/me"); got != "true\n" {
		t.Errorf("responded %q", got)
	}
	b.ok("status")
	b.fails(exitUsage, []string{"leave -d out"}, "login", "-d", "{}")
}

// TestLoginInABrowser: where none opens, the page is shown. The response that the browser brings ends the login.
func TestLoginInABrowser(t *testing.T) {
	s := provider(t)
	b := newBox(t)
	maps.Copy(b.env, map[string]string{"DISPLAY": "", "WAYLAND_DISPLAY": "", "PATH": ""})
	file := b.file("config.json", `{"base_url": "`+s.URL+`", "oauth": {"issuer": "`+s.URL+`", "client_id": "tool"}}`)
	cmd := b.command("login", "--config", file)
	shown, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(shown); lines.Scan(); {
		if page := strings.TrimSpace(lines.Text()); strings.HasPrefix(page, s.URL+"/authorize?") {
			visit(t, page)
		}
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), " as ada@example.com\n") {
		t.Fatalf("%v: %s", err, out.String())
	}
	if got := b.ok("request", "/me"); got != "true\n" {
		t.Errorf("responded %q", got)
	}
}

// visit is what a browser does that is logged in at the provider.
func visit(t *testing.T, page string) {
	resp, err := http.Get(page)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); !strings.Contains(string(text), "close this window") {
		t.Errorf("the browser shows %q", text)
	}
}

// TestSilentLogin: the provider's cookie is brought from a browser, and is all that later renewals need. When the
// provider does not know it any more, a person is.
func TestSilentLogin(t *testing.T) {
	s := provider(t)
	b := newBox(t)
	file := b.file("config.json", `{"base_url": "`+s.URL+`", "oauth": {"issuer": "`+s.URL+`", "client_id": "tool", "flow": "silent", "redirect_uri": "https://app.example/callback"}}`)
	cookies := func(value string) string {
		return b.file("cookies.txt", "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\top_session\t"+value+"\n")
	}
	b.fails(exitFailed, []string{"login_required", "bring the cookies"}, "login", "--config", file, "--cookie-file", cookies("mallory"))
	b.ok("login", "--config", file, "--cookie-file", cookies("ada"))
	time.Sleep(time.Until(expiry(t, b)) + 10*time.Millisecond)
	if got := b.ok("request", "/me"); got != "true\n" {
		t.Errorf("responded %q", got)
	}
	var st struct{ Version, Account any }
	if err := json.Unmarshal([]byte(b.ok("status", "--json")), &st); err != nil || st.Version != 2.0 || st.Account != "ada@example.com" {
		t.Errorf("%+v, %v", st, err)
	}
}
