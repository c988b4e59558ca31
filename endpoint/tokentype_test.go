package endpoint

import (
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF84_TypesOfTokens(t *testing.T) {
	for _, tt := range []struct {
		body, scheme string
		want         string // in the error; "": the token is taken
	}{
		{`{"access_token":"t"}`, "", ""},
		{`{"access_token":"t","token_type":"Bearer"}`, "", ""},
		{`{"access_token":"t","token_type":"bEaReR"}`, "", ""},
		{`{"access_token":"t","token_type":"BearerToken"}`, "", ""},
		{`{"access_token":"t","token_type":""}`, "", ""},
		{`{"access_token":"t","token_type":null}`, "", ""},
		{`{"access_token":"t","token_type":7}`, "", ""},
		{`{"accessToken":"t","tokenType":"JWT"}`, "", ""},
		{`{"access_token":"t","token_type":"Token"}`, "Token", ""},
		{`{"access_token":"t","token_type":"mac"}`, "MAC", ""},
		{`{"user":{"token_type":"mac"},"access_token":"t"}`, "", ""},
		{`{"access_token":"t","token_type":"mac"}`, "", `"mac"`},
		{`{"access_token":"t","token_type":"DPoP"}`, "", `"DPoP"`},
		{`{"access_token":"t","token_type":"pop"}`, "", "bearer tokens"},
		{`{"data":{"accessToken":"t"},"tokenType":"DPoP"}`, "", `"DPoP"`},
		{`{"access_token":"t","token_type":"Zauber"}`, "", `attach.scheme to "Zauber"`},
		{`{"access_token":"t","token_type":"N_A"}`, "", `"N_A"`},
		{`{"access_token":"t","token_type":"` + secret + `"}`, "", "none that is known"},
		{`{"access_token":"t","token_type":"a\u001bb"}`, "", "none that is known"},
	} {
		call := callerOf(t, Settings{Refresh: Call{RefreshTokenField: "refresh_token"}}, fakes.RespondJSON(200, tt.body[:len(tt.body)-1]+`,"refresh_token":"r2"}`))
		call.e.attach = auth.Attach{Scheme: tt.scheme}
		s, err := call.refresh(auth.Session{RefreshToken: auth.NewSecret(secret)})
		if s.RefreshToken.Reveal() != "r2" {
			t.Errorf("%s: the rotated refresh token was lost", tt.body)
		}
		switch {
		case tt.want == "" && (err != nil || s.AccessToken.Reveal() != "t"):
			t.Errorf("%s with %q: %v", tt.body, tt.scheme, err)
		case tt.want != "" && (err == nil || !s.AccessToken.IsZero() || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret)):
			t.Errorf("%s: %v, want %s", tt.body, err, tt.want)
		}
	}
}
