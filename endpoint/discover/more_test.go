package discover_test

import (
	"slices"
	"strings"
	"testing"
)

// TestCognito: a header says what a call is for, and the body calls itself something else than JSON.
func TestCognito(t *testing.T) {
	r := learned(t, `
		> POST https://cognito.example.com/
		> X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth
		> Content-Type: application/x-amz-json-1.1
		>
		> {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "c1", "AuthParameters": {"USERNAME": "ada", "PASSWORD": "analytical"}, "ClientMetadata": {}}
		< 200
		< Content-Type: application/x-amz-json-1.1
		<
		< {"AuthenticationResult": {"AccessToken": "A1-bbbbbbbbbbbbbbbbbbbb", "RefreshToken": "R1-bbbbbbbbbbbbbbbbbbbb", "ExpiresIn": 3600}}

		> GET /things
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> POST https://cognito.example.com/
		> X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth
		> Content-Type: application/x-amz-json-1.1
		>
		> {"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "c1", "AuthParameters": {"REFRESH_TOKEN": "R1-bbbbbbbbbbbbbbbbbbbb"}}
		< 200
		< Content-Type: application/x-amz-json-1.1
		<
		< {"AuthenticationResult": {"AccessToken": "A2-bbbbbbbbbbbbbbbbbbbb", "ExpiresIn": 3600}}

		> GET /things
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []

		> POST https://cognito.example.com/
		> X-Amz-Target: AWSCognitoIdentityProviderService.GlobalSignOut
		> Content-Type: application/x-amz-json-1.1
		>
		> {"AccessToken": "A2-bbbbbbbbbbbbbbbbbbbb"}
		< 200
		<
		< {}`)
	s := r.Settings
	if s.Login.Headers["X-Amz-Target"] == "" || s.Login.Headers["Content-Type"] != "application/x-amz-json-1.1" ||
		s.Refresh.RefreshTokenField != "AuthParameters.REFRESH_TOKEN" || s.Refresh.Fields["AuthFlow"] != "REFRESH_TOKEN_AUTH" ||
		!slices.Equal(r.Ask, []string{"AuthParameters.USERNAME", "AuthParameters.PASSWORD"}) {
		t.Errorf("%s", settings(t, r))
	}
}

// TestLoginWithBasic: the person's own header does not become a setting, the client's does.
func TestLoginWithBasic(t *testing.T) {
	use := `

		> GET /me
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {}`
	r := learned(t, `
		> GET /login
		> Authorization: Basic YWRhOmFuYWx5dGljYWw=
		< 200
		<
		< {"token": "A1-bbbbbbbbbbbbbbbbbbbb"}`+use)
	missing(t, r, "login.headers")
	if s := r.Settings.Login; s.URL != "/login" || len(s.Headers) > 0 {
		t.Errorf("%s", settings(t, r))
	}
	r = learned(t, `
		> POST /token
		> Authorization: Basic Y2xpZW50OnNlY3JldA==
		>
		> grant_type=password&username=ada&password=analytical
		< 200
		<
		< {"access_token": "A1-bbbbbbbbbbbbbbbbbbbb"}`+use)
	if s := r.Settings.Login; s.Headers["Authorization"] != "Basic Y2xpZW50OnNlY3JldA==" {
		t.Errorf("%s", settings(t, r))
	}
}

// TestSeveralPlaces: a token that is a cookie, too, and that other responses repeat, is attached as the page does it.
func TestSeveralPlaces(t *testing.T) {
	r := learned(t, `
		> POST /login
		>
		> {"email": "ada@example.com", "password": "analytical"}
		< 200
		< Set-Cookie: token=Bearer%20A1-bbbbbbbbbbbbbbbbbbbb; Path=/; HttpOnly
		<
		< {"token": "A1-bbbbbbbbbbbbbbbbbbbb"}

		> GET /session
		> Cookie: token=Bearer%20A1-bbbbbbbbbbbbbbbbbbbb
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {"user": {"token": "A1-bbbbbbbbbbbbbbbbbbbb", "email": "ada@example.com"}}

		> GET /things
		> Cookie: token=Bearer%20A1-bbbbbbbbbbbbbbbbbbbb
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< []`)
	if s := r.Settings; s.Login.URL != "/login" || s.AccessToken.Cookie != "" || s.Refresh.URL != "-" {
		t.Errorf("%s", settings(t, r))
	}
}

// TestWhatSettingsCannotSay is said.
func TestWhatSettingsCannotSay(t *testing.T) {
	login := `
		> POST /login
		>
		> {"email": "ada@example.com", "password": "analytical"}
		< 200
		<
		< {"token": "A1-bbbbbbbbbbbbbbbbbbbb"}

`
	for words, use := range map[string]string{
		"in their query": `
			> GET /things?access_token=A1-bbbbbbbbbbbbbbbbbbbb
			< 200
			<
			< []`,
		"into the cookie tk": `
			> GET /things
			> Cookie: tk=A1-bbbbbbbbbbbbbbbbbbbb
			< 200
			<
			< []`,
	} {
		r := learned(t, login+use)
		missing(t, r, words)
		if s := settings(t, r); strings.Contains(s, "A1-") {
			t.Errorf("the token got out: %s", s)
		}
	}
}

// TestRegistrationIsNoLogin, where there is a login as well, and said where there is none.
func TestRegistrationIsNoLogin(t *testing.T) {
	register := `
		> POST /auth/register
		>
		> {"email": "ada@example.com", "password": "analytical", "name": "Ada"}
		< 201
		<
		< {"token": "A1-bbbbbbbbbbbbbbbbbbbb"}

		> GET /me
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {}`
	r := learned(t, register)
	missing(t, r, "registration")
	r = learned(t, register+`

		> POST /auth/login
		>
		> {"email": "ada@example.com", "password": "analytical"}
		< 200
		<
		< {"token": "A2-bbbbbbbbbbbbbbbbbbbb"}

		> GET /me
		> Authorization: Bearer A2-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {}`)
	if r.Settings.Login.URL != "/auth/login" || r.Settings.Refresh.URL != "-" {
		t.Errorf("%s, missing %q", settings(t, r), r.Missing)
	}
}

// TestMultipart: a form in parts is a form.
func TestMultipart(t *testing.T) {
	r := learned(t, `
		> POST /login
		> Content-Type: multipart/form-data; boundary=b
		>
		> --b
		> Content-Disposition: form-data; name="username"
		>
		> ada
		> --b
		> Content-Disposition: form-data; name="password"
		>
		> analytical
		> --b--
		< 200
		<
		< {"token": "A1-bbbbbbbbbbbbbbbbbbbb"}

		> GET /me
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {}`)
	missing(t, r, "multipart")
	if r.Settings.Login.Encoding != "form" || !slices.Equal(r.Ask, []string{"username", "password"}) || len(r.Settings.Login.Headers) > 0 {
		t.Errorf("%s", settings(t, r))
	}
}
