package endpoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/bearer"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/lifetime"
)

func TestReadClaims(t *testing.T) {
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	raw := func(header, payload string) string { return encode(header) + "." + encode(payload) + ".c2ln" }
	for _, tt := range []struct {
		name, token string
		subject     string
		life        time.Duration
		isJWT       bool
	}{
		{"usual", fakes.JWT(t, "sub", "u7", "iat", 1_700_000_000, "exp", 1_700_000_900), "u7", 15 * time.Minute, true},
		{"numbers as texts", fakes.JWT(t, "sub", 7, "iat", "1700000000", "exp", "1700000900"), "7", 15 * time.Minute, true},
		{"large numeric sub", raw(`{"alg":"HS256"}`, `{"sub":12345678901234567890}`), "12345678901234567890", 0, true},
		{"fractions", fakes.JWT(t, "iat", 1_700_000_000.5, "exp", 1_700_000_060.5), "", time.Minute, true},
		{"boolean sub", fakes.JWT(t, "sub", true), "true", 0, true},
		{"object sub", fakes.JWT(t, "sub", map[string]any{"a": 1}), "", 0, true},
		{"unknown alg", raw(`{"alg":"ES256K"}`, `{"sub":"u7"}`), "u7", 0, true},
		{"no alg", raw(`{}`, `{"sub":"u7"}`), "u7", 0, true},
		{"padded", base64.URLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.URLEncoding.EncodeToString([]byte(`{"sub":"u7x"}`)) + ".c2ln", "u7x", 0, true},
		{"exp before iat", fakes.JWT(t, "iat", 1_700_000_900, "exp", 1_700_000_000), "", 0, true},
		{"exp of no sense", raw(`{"alg":"HS256"}`, `{"iat":{},"exp":[]}`), "", 0, true},
		{"exp beyond all", raw(`{"alg":"HS256"}`, `{"iat":1700000000,"exp":1e400}`), "", lifetime.Longest, true},
		{"opaque", "opaque", "", 0, false},
		{"empty", "", "", 0, false},
		{"dots", "..", "", 0, false},
		{"two parts", "a.b", "", 0, false},
		{"five parts", "a.b.c.d.e", "", 0, false},
		{"not base64", "!!!.???.***", "", 0, false},
		{"not JSON", encode("x") + "." + encode("y") + ".z", "", 0, false},
		{"list", raw(`{"alg":"HS256"}`, `[1]`), "", 0, false},
		{"too long", raw(`{"alg":"HS256"}`, `{"x":"`+strings.Repeat("x", bearer.MaxToken)+`"}`), "", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := bearer.Parse(tt.token)
			if (c != nil) != tt.isJWT || c.Subject() != tt.subject || c.Lifetime() != tt.life {
				t.Errorf("JWT %t, sub %q, life %s", c != nil, c.Subject(), c.Lifetime())
			}
		})
	}
}

func TestF52_ForeignTokensAreRefused(t *testing.T) {
	keyOf := func(key []byte) jwt.Keyfunc { return func(*jwt.Token) (any, error) { return key, nil } }
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"sub": "7", "iss": "https://as.test"}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	good := fakes.JWT(t, "sub", "7", "iss", "https://as.test", "iat", 1_500_000_000, "exp", 1_500_000_900) // long over, by any clock
	for _, tt := range []struct {
		name  string
		e     Settings
		token string
		ok    bool
	}{
		{"right key", Settings{Verify: keyOf(fakes.JWTKey)}, good, true},
		{"right key and issuer", Settings{Verify: keyOf(fakes.JWTKey), Issuer: "https://as.test"}, good, true},
		{"no key asked for", Settings{}, good, true},
		{"wrong key", Settings{Verify: keyOf([]byte("another key of no account at all"))}, good, false},
		{"key function fails", Settings{Verify: func(*jwt.Token) (any, error) { return nil, errors.New("no key " + good) }}, good, false},
		{"tampered", Settings{Verify: keyOf(fakes.JWTKey)}, good[:len(good)-4] + "AAAA", false},
		{"unsigned", Settings{Verify: keyOf(fakes.JWTKey)}, unsigned, false},
		{"opaque", Settings{Verify: keyOf(fakes.JWTKey)}, "opaque", false},
		{"wrong issuer", Settings{Issuer: "https://other.test"}, good, false},
		{"issuer of an opaque token", Settings{Issuer: "https://as.test"}, "opaque", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.e.Refresh.RefreshTokenField = "refresh_token"
			call := callerOf(t, tt.e, fakes.RespondJSON(200, fmt.Sprintf(`{"access_token":%q,"refresh_token":"r2"}`, tt.token)))
			s, err := call.refresh(auth.Session{RefreshToken: auth.NewSecret("r1")})
			if (err == nil) != tt.ok || s.AccessToken.IsZero() == tt.ok {
				t.Errorf("took %t, %v", !s.AccessToken.IsZero(), err)
			}
			if s.RefreshToken.Reveal() != "r2" {
				t.Error("the rotated refresh token is lost")
			}
			if err != nil && (strings.Contains(err.Error(), tt.token) || verdict(t, err) != "transient" || len(call.seen) != 1) {
				t.Errorf("%v after %d requests", err, len(call.seen))
			}
		})
	}
}

func TestF52_AnotherSubjectIsRefused(t *testing.T) {
	response := fmt.Sprintf(`{"token":%q,"refreshToken":"r2"}`, fakes.JWT(t, "sub", 8))
	call := callerOf(t, Settings{Refresh: Call{RefreshTokenField: "refreshToken"}}, fakes.RespondJSON(200, response))
	old := auth.Session{RefreshToken: auth.NewSecret("r1"), Subject: "7"}
	s, err := call.refresh(old)
	if err == nil || !s.AccessToken.IsZero() || s.RefreshToken.Reveal() != "r2" || s.Subject == "8" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, subject := range []string{"8", ""} {
		old.Subject = subject
		if s, err := call.refresh(old); err != nil || s.Subject != "8" {
			t.Errorf("from %q: %q, %v", subject, s.Subject, err)
		}
	}
	call.e.Login.Fields = nil
	if s, err := call.login(nil); err != nil || s.Subject != "8" {
		t.Errorf("login: %q, %v", s.Subject, err)
	}
}

func TestAccountForPeople(t *testing.T) {
	token := fakes.JWT(t, "sub", "7", "email", "claim@x", "name", "Claim")
	plain := fakes.JWT(t, "sub", "7")
	for _, tt := range []struct{ body, want string }{
		{`{"token":"t","user":{"email":"ada@x","name":"Ada"},"email":"no@x"}`, "ada@x"},
		{`{"token":"t","email":"ada@x","user":{"username":"ada"}}`, "ada@x"},
		{`{"token":"t","user":{"username":"ada","name":"Ada"}}`, "ada"},
		{`{"token":"t","record":{"email":"ada@x"}}`, "ada@x"},
		{`{"data":{"token":"t","user":{"email":"ada@x"}}}`, "ada@x"},
		{`{"session":{"accessToken":"t","user":{"email":"ada@x"}}}`, "ada@x"},
		{`{"token":"t","user_email":"ada@x"}`, "ada@x"},
		{`{"token":"t","user":{"name":"Ada"}}`, "Ada"},
		{`{"token":"` + token + `"}`, "claim@x"},
		{`{"token":"` + plain + `"}`, "given@x"},
		{`{"token":"t","user":{"email":"\u001b[31mred"}}`, "given@x"},
		{`{"token":"t","user":{"email":42}}`, "given@x"},
		{`{}`, "given@x"},
	} {
		s, err := callerOf(t, Settings{}, fakes.RespondJSON(200, tt.body)).login(map[string]any{"email": "given@x", "password": "p"})
		if err != nil || s.Account != tt.want {
			t.Errorf("%.80s: %q, %v; want %q", tt.body, s.Account, err, tt.want)
		}
	}
	for want, credentials := range map[string]any{
		"7": nil, "ada": map[string]string{"username": "ada"}, "lin": map[string]any{"user": map[string]string{"login": "lin"}},
	} {
		s, err := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"token":"`+plain+`"}`)).login(credentials)
		if err != nil || s.Account != want {
			t.Errorf("%v: %q, %v; want %q", credentials, s.Account, err, want)
		}
	}
}

func FuzzClaims(f *testing.F) {
	f.Add("")
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.eyJzdWIiOjEsImlhdCI6MSwiZXhwIjoxZTMwMH0.")
	f.Add("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOiItMSIsInN1YiI6W119.c2ln")
	f.Add("eyJhbGciOiJIUzI1NiJ9.bnVsbA.c2ln")
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, token string) {
		c := bearer.Parse(token)
		if c != nil && strings.Count(token, ".") != 2 {
			t.Errorf("%q was read", token)
		}
		for _, life := range []time.Duration{c.Lifetime(), c.End().Left(now), accessLife(lifetime.Moment{}, c, now)} {
			if life < 0 || life > lifetime.Longest {
				t.Errorf("a life of %s", life)
			}
		}
		if end := bearer.Expiry(token, now); !end.IsZero() && end.Sub(now).Abs() > lifetime.Longest {
			t.Errorf("ends %s", end)
		}
		c.Subject()
	})
}
