package endpoint

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF89_NothingThatWasSentIsShown(t *testing.T) {
	const cookie, password = "s%3Aqk3-8fj2.Zm9vYmFy+x9", "correct horse 7 battery"
	forms := map[string]string{
		"as it is":             secret,
		"upper case":           strings.ToUpper(secret),
		"a piece":              secret[9:19],
		"percent":              strings.ReplaceAll(secret, "-", "%2D"),
		"base64":               base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64, trimmed":      strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
		"base64, of more":      base64.RawURLEncoding.EncodeToString([]byte(secret + "!and more")),
		"base64, behind more":  base64.RawURLEncoding.EncodeToString([]byte("x=" + secret)),
		"hex":                  hex.EncodeToString([]byte(secret)),
		"with other joints":    strings.ReplaceAll(secret, "-", "_"),
		"a cookie":             cookie,
		"a cookie, decoded":    "s:qk3-8fj2.Zm9vYmFy+x9",
		"a cookie's piece":     "qk38fj2",
		"a fixed header":       "key-4711-0815",
		"the query's":          "anon-5a5a5a",
		"the old access token": "at.7c1f0e9d.sig",
	}
	for name, form := range forms {
		for _, body := range []string{
			`{"error":"unknown_token_` + form + `"}`, `{"error":"` + form + `"}`, `{"message":"no token ` + form + ` here"}`,
			`{"errors":[{"code":"X_` + form + `_Y","message":"` + form + `"}]}`, form, `<error>` + form + `</error>`,
		} {
			for _, status := range []int{200, 400, 401, 403, 404, 409, 422, 500} {
				contentType := map[bool]string{true: "application/json", false: "text/plain"}[json.Valid([]byte(body))]
				call := callerOf(t, Settings{Refresh: Call{URL: "/auth/refresh?apikey=anon-5a5a5a", RefreshTokenField: "rt", AccessTokenHeader: "Authorization", Headers: map[string]string{"X-Key": "key-4711-0815"}}},
					fakes.Respond(status, contentType, body, "WWW-Authenticate", `Bearer error="`+form+`"`, "Location", "/in/"+form))
				call.setCookie("sid=" + cookie)
				_, err := call.refresh(auth.Session{RefreshToken: auth.NewSecret(secret), AccessToken: auth.NewSecret("at.7c1f0e9d.sig")})
				if err == nil {
					continue
				}
				f := failure(t, err)
				if shown := err.Error() + f.Code + f.Said + f.Hint; strings.Contains(shown, form) {
					t.Errorf("%s: %d %s: %v", name, status, body, err)
				}
			}
		}
	}
	for _, body := range []string{`{"message":"` + password + ` is wrong"}`, `{"error":"` + url.QueryEscape(password) + `"}`, `{"code":"Bad-7-battery"}`} {
		_, err := callerOf(t, Settings{}, fakes.RespondJSON(401, body)).login(map[string]any{"user": map[string]any{"password": password}})
		if err == nil || strings.Contains(err.Error(), "battery") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestF89_WhatWasNotSentIsShown(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_grant"}`:                   "invalid_grant",
		`{"code":"REFRESH_TOKEN_EXPIRED"}`:            "REFRESH_TOKEN_EXPIRED",
		`{"code":"token_not_valid"}`:                  "token_not_valid",
		`{"message":"We cannot do that on a Sunday"}`: "We cannot do that on a Sunday",
	} {
		e := Settings{Refresh: Call{RefreshTokenField: "refresh_token", Fields: map[string]any{"grant_type": "refresh_token", "mode": "token"}}}
		_, err := callerOf(t, e, fakes.RespondJSON(400, body)).refresh(auth.Session{RefreshToken: auth.NewSecret(secret)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// FuzzRefusal: whatever a server says, nothing panics, and a secret that was sent is not in the error.
func FuzzRefusal(f *testing.F) {
	for _, s := range refusalSamples(f) {
		f.Add(s.Status, s.ContentType, s.Body, s.Headers["WWW-Authenticate"])
	}
	f.Add(400, "application/json", `{"error":"unknown_token_SECRET"}`, `Bearer error="SECRET"`)
	f.Add(302, "text/html", `SECRET`, `SECRET realm=SECRET`)
	f.Add(200, "SECRET/SECRET", `{"SECRET":"SECRET","token_type":"SECRET","accessToken":"x"}`, ``)
	f.Fuzz(func(t *testing.T, status int, contentType, body, challenge string) {
		if status < 200 || status > 599 {
			status = 200 + status&255
		}
		fill := strings.NewReplacer("SECRET", secret).Replace
		call := callerOf(t, Settings{Refresh: Call{RefreshTokenField: "rt"}}, fakes.Respond(status, fill(contentType), fill(body),
			"WWW-Authenticate", fill(challenge), "Location", "/"+url.PathEscape(fill(challenge))))
		s, err := call.refresh(auth.Session{RefreshToken: auth.NewSecret(secret)})
		if err == nil {
			return
		}
		re := failure(t, err)
		if shown := err.Error() + re.Code + re.Said + re.Hint; strings.Contains(shown, secret) || len(shown) > 2000 {
			t.Errorf("%d %q %q: %v", status, contentType, body, err)
		}
		if re.Refused && !s.AccessToken.IsZero() {
			t.Errorf("refused, and a token came")
		}
	})
}
