package authtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestDefaultResponse(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		r := k.mustRenew(200)
		user, _ := r.doc["user"].(map[string]any)
		if r.doc["expiresIn"] != 900.0 || r.doc["tokenType"] != "Bearer" || user["email"] != authtest.DefaultEmail {
			t.Errorf("document: %s", r.body)
		}
		if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("header: %v", r.Header)
		}
		want := "; Path=/auth; Max-Age=604800; HttpOnly; SameSite=Strict"
		if set := r.Header.Get("Set-Cookie"); !strings.HasPrefix(set, "refresh_token=rt-") || !strings.HasSuffix(set, want) {
			t.Errorf("cookie attributes: %q", set[strings.IndexByte(set, ';'):])
		}
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(k.access, claims, s.Keyfunc, jwt.WithTimeFunc(time.Now), jwt.WithIssuer(s.URL()))
		if err != nil || claims["exp"].(float64)-claims["iat"].(float64) != 900 || claims["sub"] != user["id"] {
			t.Errorf("claims: %v %v", claims, err)
		}
	})
}

func TestLifetimesBelowASecond(t *testing.T) {
	inBubble(t, authtest.Config{AccessTTL: 250 * time.Millisecond}, func(s *authtest.Server, k *client) {
		claims := jwt.MapClaims{}
		jwt.NewParser().ParseUnverified(k.access, claims)
		if life := claims["exp"].(float64) - claims["iat"].(float64); life != 0.25 {
			t.Errorf("the claims say %v s", life)
		}
		time.Sleep(249 * time.Millisecond)
		k.mustGet("/me", 200)
		time.Sleep(time.Millisecond)
		k.mustGet("/me", 401)
	})
}

func TestKeyfuncRefusesOtherAlgorithms(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	if _, err := s.Keyfunc(&jwt.Token{Method: jwt.SigningMethodNone}); err == nil {
		t.Error("an unsigned token got a key")
	}
}

func TestWhereTokensTravel(t *testing.T) {
	for name, test := range map[string]struct {
		config authtest.Config
		header func(r reply) []string // what the API request carries, from the response to the login
	}{
		"opaque": {authtest.Config{Opaque: true}, bearer("accessToken")},
		"named":  {authtest.Config{TokenName: "jwt"}, bearer("jwt")},
		"header": {authtest.Config{TokenIn: authtest.InHeader}, func(r reply) []string {
			return []string{"Authorization", "bearer " + r.Header.Get("X-Access-Token")}
		}},
		"cookie": {authtest.Config{TokenIn: authtest.InCookie}, func(reply) []string { return nil }},
		"scheme": {authtest.Config{Scheme: "JWT"}, func(r reply) []string {
			return []string{"Authorization", "JWT " + r.doc["accessToken"].(string)}
		}},
		"bare": {authtest.Config{Bare: true}, func(r reply) []string {
			return []string{"Authorization", r.doc["accessToken"].(string)}
		}},
		"other header": {authtest.Config{Header: "x-auth"}, func(r reply) []string {
			return []string{"X-Auth", r.doc["accessToken"].(string)}
		}},
		"reshaped": {authtest.Config{Reshape: func(doc map[string]any) any {
			return map[string]any{"data": map[string]any{"token": doc["accessToken"]}}
		}}, func(r reply) []string {
			return []string{"Authorization", "Bearer " + r.doc["data"].(map[string]any)["token"].(string)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := authtest.NewServer(t, test.config)
			k := newClient(t, s)
			r := k.login()
			k.access = ""
			k.mustGet("/me", 200, test.header(r)...)
			r = k.mustRenew(200)
			k.access = ""
			k.mustGet("/me", 200, test.header(r)...)
			k.http.Jar = nil
			k.mustGet("/me", 401)
		})
	}
}

func bearer(field string) func(reply) []string {
	return func(r reply) []string { return []string{"Authorization", "Bearer " + r.doc[field].(string)} }
}

func TestSecureCookies(t *testing.T) {
	for _, c := range []authtest.Config{{Secure: true}, {TLS: true}} {
		s := authtest.NewServer(t, c)
		if set := newClient(t, s).login().Header.Get("Set-Cookie"); !strings.Contains(set, "; Secure") {
			t.Errorf("TLS %v: the cookie is not Secure", c.TLS)
		}
	}
}

func TestLoginWithoutToken(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{NoLoginToken: true, NoExpiresIn: true})
	k := newClient(t, s)
	if r := k.login(); k.access != "" || r.doc["user"] == nil || r.doc["expiresIn"] != nil {
		t.Errorf("login: %s", r.body)
	}
	if r := k.mustRenew(200); k.access == "" || r.doc["expiresIn"] != nil {
		t.Errorf("the first refresh gave no token, or a lifetime")
	}
	k.mustGet("/me", 200)
}

func TestRefreshByTheValidAccessToken(t *testing.T) {
	inBubble(t, authtest.Config{RefreshIn: authtest.InAccess, AccessTTL: time.Minute}, func(s *authtest.Server, k *client) {
		for range 5 {
			time.Sleep(59 * time.Second)
			k.mustRenew(200, "Authorization", "Bearer "+k.access)
			k.mustGet("/me", 200)
		}
		k.mustRenew(401)
		time.Sleep(time.Minute)
		k.expect("sessions", len(s.Sessions()), 0)
		r := k.mustRenew(401, "Authorization", "Bearer "+k.access)
		if r.doc["error_description"] != "the token is expired" {
			t.Errorf("too late: %s", r.body)
		}
	})
}

func TestAccessTokenAtRefresh(t *testing.T) {
	inBubble(t, authtest.Config{TokenAtRefresh: authtest.Needed}, func(s *authtest.Server, k *client) {
		k.mustRenew(401)
		old := k.access
		time.Sleep(time.Hour) // expired, which does not matter
		k.login()
		k.mustRenew(401, "Authorization", "Bearer "+old) // another session's
		k.login()
		k.mustRenew(200, "Authorization", "Bearer "+k.access)
		r, err := k.call(authtest.Refresh, `{"accessToken":"`+k.access+`"}`)
		if err != nil || r.StatusCode != 200 {
			t.Errorf("in a field: %d %v", status(r), err)
		}
		s.Change(func(c *authtest.Config) { c.TokenAtRefresh = authtest.Forbidden })
		k.mustRenew(401, "Authorization", "Bearer "+k.access)
		k.login()
		k.mustRenew(200)
	})
}

func TestHandOutPastHalfOfALife(t *testing.T) {
	inBubble(t, authtest.Config{HandOut: "X-New-Token"}, func(s *authtest.Server, k *client) {
		time.Sleep(7 * time.Minute)
		if r := k.mustGet("/me", 200); r.Header.Get("X-New-Token") != "" {
			t.Error("handed out too early")
		}
		time.Sleep(time.Minute)
		k.access = k.mustGet("/slow?for=5s", 200).Header.Get("X-New-Token")
		time.Sleep(10 * time.Minute) // the old one is expired
		k.mustGet("/me", 200)
		s.ExpireAll()
		if r := k.mustGet("/me", 401); r.Header.Get("X-New-Token") != "" {
			t.Error("handed out to who is not let in")
		}
		k.expect("hand-outs", s.Counters().HandOuts, 2)
	})
}

func TestSkewedClock(t *testing.T) {
	for _, skew := range []time.Duration{-24 * time.Hour, -time.Hour, time.Hour, 24 * time.Hour} {
		inBubble(t, authtest.Config{Skew: skew}, func(s *authtest.Server, k *client) {
			time.Sleep(14 * time.Minute)
			r := k.mustGet("/me", 200)
			date, err := time.Parse(time.RFC1123, r.Header.Get("Date"))
			if ahead := time.Until(date); err != nil || ahead != skew {
				t.Errorf("skew %v: the Date header is ahead by %v, %v", skew, ahead, err)
			}
			claims := jwt.MapClaims{}
			jwt.NewParser().ParseUnverified(k.access, claims)
			if exp, _ := claims.GetExpirationTime(); exp.Sub(date) != time.Minute {
				t.Errorf("skew %v: expires %v after its Date", skew, exp.Sub(date))
			}
		})
	}
}
