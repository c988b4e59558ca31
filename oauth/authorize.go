package oauth

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"

	"github.com/silentrefresh/silentrefresh/auth"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// An authorization is one authorization request, and what its response has to match.
type authorization struct {
	url         string
	redirectURI string
	state       string
	nonce       string
	verifier    string // PKCE's (RFC 7636 section 4.1)
	silent      bool   // no person sees the provider's pages
}

// authorization makes a request. prompt and hint may be "".
func (x *exchange) authorization(redirectURI, prompt, hint string) authorization {
	a := authorization{
		redirectURI: redirectURI,
		state:       rand.Text(),
		nonce:       rand.Text(),
		verifier:    oauth2.GenerateVerifier(),
		silent:      prompt == "none",
	}
	var opts []oauth2.AuthCodeOption
	for name, value := range x.c.Params {
		opts = append(opts, oauth2.SetAuthURLParam(name, value))
	}
	opts = append(opts, goidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier))
	if prompt != "" {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", prompt))
	}
	if hint != "" {
		opts = append(opts, oauth2.SetAuthURLParam("id_token_hint", hint))
	}
	a.url = x.oauth(redirectURI).AuthCodeURL(a.state, opts...)
	return a
}

// code checks the response to a (RFC 6749 section 4.1.2) and returns the authorization code in it.
func (x *exchange) code(a authorization, response url.Values) (string, error) {
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(response[name]) > 1 {
			return "", x.mistake("the provider's response has %s twice", name)
		}
	}
	if response.Get("state") != a.state {
		return "", x.mistake("the response's state is not the one that was sent: it belongs to another request")
	}
	if err := x.checkIssuer(response); err != nil {
		return "", err
	}
	if response.Has("error") {
		return "", x.responded(a, errorCode(response.Get("error")))
	}
	if response.Get("code") == "" {
		return "", x.mistake("the provider's response has neither a code nor an error")
	}
	return response.Get("code"), nil
}

// checkIssuer makes sure that the response is this provider's (RFC 9207 section 2.4).
func (x *exchange) checkIssuer(response url.Values) error {
	switch {
	case !response.Has("iss") && x.SendsIssuer:
		return x.mistake("the response does not say which provider it is from, and %s promises to", x.c.Issuer)
	case response.Has("iss") && response.Get("iss") != x.c.Issuer:
		return x.mistake("the response is from another provider than %s", x.c.Issuer)
	default:
		return nil
	}
}

// responded is an error that the authorization endpoint sent for a (RFC 6749 section 4.1.2.1, OpenID Connect Core
// section 3.1.2.6).
func (x *exchange) responded(a authorization, code string) error {
	e := &auth.Error{Op: x.op, Path: x.authorizeAt.Path, Status: x.wire.last.status, Code: code}
	switch {
	case slices.Contains(personNeeded, code):
		e.Refused = true
		e.Err = fmt.Errorf("the provider wants a person to log in")
		if x.op == auth.KindLogin {
			e.Hint = x.personHint(a)
		}
	case code == "access_denied" && x.op == auth.KindLogin:
		e.Refused = true
		e.Err = fmt.Errorf("the login was declined")
	default:
		e.Unsent = true
		e.Hint = hint(code, 0)
	}
	if e.Code == "" {
		e.Err = fmt.Errorf("the provider refused without a known error code")
	}
	return e
}

// personHint says what a person can do about a login that the provider did not grant without one.
func (x *exchange) personHint(a authorization) string {
	switch {
	case a.silent:
		return "log in at the provider with a browser, and bring the cookies that it has then"
	case x.c.Params["prompt"] == "none":
		return "take prompt out of params: none keeps the provider from asking"
	default:
		return "call Login again, and do what the provider's page asks for"
	}
}
