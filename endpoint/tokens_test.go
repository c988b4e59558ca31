package endpoint

import (
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestTokenInAnotherPlaceIsSaid(t *testing.T) {
	token := fakes.JWT(t, "sub", "7")
	for _, tt := range []struct {
		name    string
		at      AccessTokenAt
		body    string
		headers []string
		want    string
	}{
		{"usual name instead of the path", AccessTokenAt{JSON: "data.token"}, `{"result":{"accessToken":"t"}}`, nil, "result.accessToken"},
		{"JSON instead of a header", AccessTokenAt{Header: "X-Auth"}, `{"accessToken":"t"}`, nil, "access_token.json"},
		{"JSON instead of a cookie", AccessTokenAt{Cookie: "at"}, `{"accessToken":"t"}`, nil, "access_token.json"},
		{"header", AccessTokenAt{}, `{}`, []string{"Authorization", "Bearer t"}, "access_token.header"},
		{"cookie", AccessTokenAt{}, `{}`, []string{"Set-Cookie", "access_token=t; HttpOnly"}, "access_token.cookie"},
		{"strange name", AccessTokenAt{}, `{"out":{"sesame":"` + token + `"}}`, nil, "out.sesame"},
		{"not a string", AccessTokenAt{JSON: "a"}, `{"a":{"b":"t"}}`, nil, "not a string"},
	} {
		_, err := callerOf(t, Settings{AccessToken: tt.at}, fakes.RespondJSON(200, tt.body, tt.headers...)).login(nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v; want it to name %q", tt.name, err, tt.want)
		}
	}
}

func TestWhereResponsesHaveTheAccessToken(t *testing.T) {
	for _, tt := range []struct {
		name    string
		at      AccessTokenAt
		body    string
		headers []string
		want    string
	}{
		{"accessToken", AccessTokenAt{}, `{"accessToken":"t"}`, nil, "t"},
		{"access_token", AccessTokenAt{}, `{"access_token":"t"}`, nil, "t"},
		{"token", AccessTokenAt{}, `{"token":"t"}`, nil, "t"},
		{"access", AccessTokenAt{}, `{"access":"t"}`, nil, "t"},
		{"jwt", AccessTokenAt{}, `{"jwt":"t"}`, nil, "t"},
		{"AccessToken", AccessTokenAt{}, `{"AuthenticationResult":{"AccessToken":"t","RefreshToken":"r"}}`, nil, "t"},
		{"nested by itself", AccessTokenAt{}, `{"data":{"login":{"token":"t"}}}`, nil, "t"},
		{"the nearest", AccessTokenAt{}, `{"user":{"token":"verify"},"token":"t"}`, nil, "t"},
		{"the surest", AccessTokenAt{}, `{"token":"no","accessToken":"t"}`, nil, "t"},
		{"not the refresh token's", AccessTokenAt{}, `{"tokens":{"refresh":{"token":"no"},"access":{"token":"t"}}}`, nil, "t"},
		{"not a role", AccessTokenAt{}, `{"user":{"access":"admin"},"data":{"x":{"token":"t"}}}`, nil, "t"},
		{"a pair", AccessTokenAt{}, `{"tokens":{"access":"t","refresh":"r"}}`, nil, "t"},
		{"path", AccessTokenAt{JSON: "data.t"}, `{"data":{"t":"t"},"accessToken":"no"}`, nil, "t"},
		{"path through a list", AccessTokenAt{JSON: "data.1.t"}, `{"data":[{"t":"no"},{"t":"t"}]}`, nil, "t"},
		{"path in another spelling", AccessTokenAt{JSON: "idToken"}, `{"id_token":"t","access_token":"no"}`, nil, "t"},
		{"scheme", AccessTokenAt{}, `{"token":"Bearer t"}`, nil, "t"},
		{"header", AccessTokenAt{Header: "authorization"}, `{"token":"no"}`, []string{"Authorization", "Bearer t"}, "t"},
		{"bare header", AccessTokenAt{Header: "auth-token"}, "", []string{"Auth-Token", "t"}, "t"},
		{"header of an HTML page", AccessTokenAt{Header: "auth-token"}, fakes.HTML, []string{"Auth-Token", "t"}, "t"},
		{"header or JSON", AccessTokenAt{Header: "auth-token", JSON: "x"}, `{"x":"t"}`, nil, "t"},
		{"cookie", AccessTokenAt{Cookie: "at"}, `{"token":"no"}`, []string{"Set-Cookie", "at=old", "Set-Cookie", "at=t; HttpOnly"}, "t"},
		{"cookie that is deleted", AccessTokenAt{Cookie: "at"}, `{}`, []string{"Set-Cookie", "at=; Max-Age=0"}, ""},
	} {
		s, err := callerOf(t, Settings{AccessToken: tt.at}, fakes.RespondJSON(200, tt.body, tt.headers...)).login(nil)
		if err != nil || s.AccessToken.Reveal() != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, s.AccessToken.Reveal(), err, tt.want)
		}
	}
}

func TestWhereResponsesHaveTheRefreshToken(t *testing.T) {
	for _, tt := range []struct {
		name    string
		at      RefreshTokenAt
		body    string
		headers []string
		want    string
	}{
		{"refreshToken", RefreshTokenAt{}, `{"token":"t","refreshToken":"r"}`, nil, "r"},
		{"refresh_token", RefreshTokenAt{}, `{"data":{"token":"t","refresh_token":"r"}}`, nil, "r"},
		{"refresh", RefreshTokenAt{}, `{"access":"t","refresh":"r"}`, nil, "r"},
		{"object", RefreshTokenAt{}, `{"tokens":{"access":{"token":"t"},"refresh":{"token":"r"}}}`, nil, "r"},
		{"path", RefreshTokenAt{JSON: "a.b"}, `{"token":"t","a":{"b":"r"},"refresh":"no"}`, nil, "r"},
		{"path that is not there", RefreshTokenAt{JSON: "a.b"}, `{"token":"t","refresh":"r"}`, nil, "r"},
		{"header", RefreshTokenAt{Header: "st-refresh-token"}, `{"token":"t"}`, []string{"St-Refresh-Token", "r"}, "r"},
		{"none", RefreshTokenAt{}, `{"token":"t"}`, nil, ""},
	} {
		s, err := callerOf(t, Settings{RefreshToken: tt.at}, fakes.RespondJSON(200, tt.body, tt.headers...)).login(nil)
		if err != nil || s.RefreshToken.Reveal() != tt.want || s.AccessToken.Reveal() != "t" {
			t.Errorf("%s: %q, %v; want %q", tt.name, s.RefreshToken.Reveal(), err, tt.want)
		}
	}
}

// Paths that fit the response to a login only, as with servers that nest the tokens there and not in the response to a
// refresh: the rotated token is found all the same, since to lose it would cost the session.
func TestF33_PathsThatFitTheLoginOnly(t *testing.T) {
	for _, e := range []Settings{
		{AccessToken: AccessTokenAt{JSON: "tokens.access.token"}},
		{RefreshToken: RefreshTokenAt{JSON: "tokens.refresh.token"}},
		{AccessToken: AccessTokenAt{JSON: "tokens.access.token"}, RefreshToken: RefreshTokenAt{JSON: "tokens.refresh.token"}},
	} {
		e.Refresh.RefreshTokenField = "refreshToken"
		login, err := callerOf(t, e, fakes.RespondJSON(200, `{"tokens":{"access":{"token":"a1"},"refresh":{"token":"r1"}}}`)).login(nil)
		if err != nil || login.AccessToken.Reveal() != "a1" || login.RefreshToken.Reveal() != "r1" {
			t.Fatalf("login: %v", err)
		}
		next, err := callerOf(t, e, fakes.RespondJSON(200, `{"access":{"token":"a2"},"refresh":{"token":"r2"}}`)).refresh(login)
		if err != nil || next.AccessToken.Reveal() != "a2" || next.RefreshToken.Reveal() != "r2" {
			t.Errorf("refresh: %v", err)
		}
	}
}
