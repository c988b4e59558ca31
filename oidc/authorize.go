package oidc

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"

	"github.com/silentrefresh/silentrefresh/auth"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// An authorization is one authorization request, and what its answer has to match.
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

// code checks the answer to a (RFC 6749 section 4.1.2) and returns the authorization code in it.
func (x *exchange) code(a authorization, answer url.Values) (string, error) {
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(answer[name]) > 1 {
			return "", x.mistake("the provider's answer has %s twice", name)
		}
	}
	if answer.Get("state") != a.state {
		return "", x.mistake("the answer's state is not the one that was sent: it belongs to another request")
	}
	if err := x.checkIssuer(answer); err != nil {
		return "", err
	}
	if answer.Has("error") {
		return "", x.answered(a, errorCode(answer.Get("error")))
	}
	if answer.Get("code") == "" {
		return "", x.mistake("the provider's answer has neither a code nor an error")
	}
	return answer.Get("code"), nil
}

// checkIssuer makes sure that the answer is this provider's (RFC 9207 section 2.4).
func (x *exchange) checkIssuer(answer url.Values) error {
	switch {
	case !answer.Has("iss") && x.SendsIssuer:
		return x.mistake("the answer does not say which provider it is from, and %s promises to", x.c.Issuer)
	case answer.Has("iss") && answer.Get("iss") != x.c.Issuer:
		return x.mistake("the answer is from another provider than %s", x.c.Issuer)
	default:
		return nil
	}
}

// answered is an error that the authorization endpoint answered to a (RFC 6749 section 4.1.2.1, OpenID Connect Core
// section 3.1.2.6).
func (x *exchange) answered(a authorization, code string) error {
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
