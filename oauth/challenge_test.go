package oauth_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/oauth"
)

func TestReadChallenge(t *testing.T) {
	for _, test := range []struct {
		status int
		header string
		want   *oauth.Challenge // without what is not exported; nil: it is none
	}{
		{401, `Bearer resource_metadata="https://a/m", scope="read write"`, &oauth.Challenge{Scopes: []string{"read", "write"}, ResourceMetadata: "https://a/m"}},
		{401, `DPoP algs="ES256", error="invalid_token"`, &oauth.Challenge{Error: "invalid_token", DPoP: true}},
		{401, `Bearer, DPoP algs="ES256"`, &oauth.Challenge{}},
		{401, `Basic realm="x"`, &oauth.Challenge{}},
		{401, ``, &oauth.Challenge{}},
		{401, `Bearer error="<script>"`, &oauth.Challenge{}},
		{403, `Bearer error="insufficient_scope", scope="admin"`, &oauth.Challenge{Error: "insufficient_scope", Scopes: []string{"admin"}}},
		{403, `Basic error="insufficient_scope"`, nil},
		{403, `Bearer error="invalid_token"`, nil},
		{403, ``, nil},
		{200, `Bearer error="insufficient_scope"`, nil},
	} {
		resp := &http.Response{StatusCode: test.status, Header: http.Header{"Www-Authenticate": {test.header}}}
		got, ok := oauth.ReadChallenge(resp)
		if ok != (test.want != nil) {
			t.Errorf("%d %s: %v", test.status, test.header, ok)
			continue
		}
		if ok && (!reflect.DeepEqual(got.Scopes, test.want.Scopes) || got.ResourceMetadata != test.want.ResourceMetadata ||
			got.Error != test.want.Error || got.DPoP != test.want.DPoP) {
			t.Errorf("%d %s: %+v", test.status, test.header, got)
		}
	}
}

func FuzzReadChallenge(f *testing.F) {
	for _, s := range []string{"", "Bearer", `Bearer scope="a b", error="insufficient_scope"`, `DPoP error=use_dpop_nonce, Bearer resource_metadata=x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		c, ok := oauth.ReadChallenge(&http.Response{StatusCode: 401, Header: http.Header{"Www-Authenticate": {field}}})
		if !ok {
			t.Error("a 401 is a challenge")
		}
		for _, scope := range c.Scopes {
			if strings.ContainsAny(scope, " \t\n") || scope == "" {
				t.Errorf("scope %q", scope)
			}
		}
	})
}
