package oauth

import (
	"context"
	"crypto/rand"
	"errors"
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
	nonce       string // "" if no ID token is asked for
	verifier    string // PKCE's (RFC 7636 section 4.1)
	silent      bool   // no person sees the server's pages
}

// authorization makes a request. prompt and hint may be "".
func (x *exchange) authorization(ctx context.Context, redirectURI, prompt, hint string) (authorization, error) {
	a := authorization{
		redirectURI: redirectURI,
		state:       rand.Text(),
		verifier:    oauth2.GenerateVerifier(),
		silent:      prompt == "none",
	}
	form := url.Values{}
	for name, value := range x.c.Params {
		form.Set(name, value)
	}
	set := func(name, value string) {
		if value != "" {
			form.Set(name, value)
		}
	}
	if x.openID() {
		a.nonce = rand.Text()
	}
	set("response_type", "code")
	set("client_id", x.client.id)
	set("redirect_uri", redirectURI)
	set("scope", x.scope())
	set("state", a.state)
	set("nonce", a.nonce)
	set("code_challenge", oauth2.S256ChallengeFromVerifier(a.verifier))
	set("code_challenge_method", "S256")
	set("resource", x.identifier(extra{}))
	set("prompt", prompt)
	set("id_token_hint", hint)
	if x.proof != nil {
		set("dpop_jkt", x.proof.thumbprint) // RFC 9449 section 10
	}
	if x.pushes() {
		var err error
		if form, err = x.push(ctx, form); err != nil {
			return a, err
		}
	}
	return a, x.address(&a, form)
}

// address makes the URL of a request; the query that the endpoint has stays (RFC 6749 section 3.1).
func (x *exchange) address(a *authorization, form url.Values) error {
	u, err := url.Parse(x.AuthorizationEndpoint)
	if err != nil || u.Host == "" {
		return x.mistake("%s has no authorization endpoint", x.name())
	}
	q := u.Query()
	for name, values := range form {
		q[name] = values
	}
	u.RawQuery = q.Encode()
	a.url = u.String()
	return nil
}

// push sends the request over the back channel, and returns what is left for the browser to bring (RFC 9126 section 4).
func (x *exchange) push(ctx context.Context, form url.Values) (url.Values, error) {
	if x.PushedRequestEndpoint == "" {
		return nil, x.mistake("authorization requests have to be pushed, and %s has no endpoint for that", x.name())
	}
	r, failure := x.post(ctx, x.PushedRequestEndpoint, form)
	if failure != nil {
		return nil, harmless(failure)
	}
	uri := field(r, "request_uri")
	if uri == "" {
		return nil, x.mistake("the response to the pushed authorization request has no request_uri")
	}
	return url.Values{"client_id": {x.client.id}, "request_uri": {uri}}, nil
}

// consent is the prompt that a refresh token has to be asked for with (OpenID Connect Core section 11).
func (x *exchange) consent() string {
	if x.openID() && slices.Contains(x.scopes, goidc.ScopeOfflineAccess) && x.c.Params["prompt"] == "" {
		return "consent"
	}
	return ""
}

// code checks the response to a (RFC 6749 section 4.1.2) and returns the authorization code in it.
func (x *exchange) code(a authorization, response url.Values) (string, error) {
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(response[name]) > 1 {
			return "", x.mistake("the server's response has %s twice", name)
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
		return "", x.mistake("the server's response has neither a code nor an error")
	}
	return response.Get("code"), nil
}

// checkIssuer makes sure that the response is this server's (RFC 9207 section 2.4): what it says is compared with what
// the metadata says, to the letter. A server without metadata has nothing to compare with.
func (x *exchange) checkIssuer(response url.Values) error {
	switch {
	case !response.Has("iss") && x.SendsIssuer:
		return x.mistake("the response does not say which server it is from, and %s promises to", x.name())
	case response.Has("iss") && x.Issuer != "" && !x.issued(response.Get("iss")):
		return x.mistake("the response is from another server than %s", x.name())
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
		e.Err = errors.New("the server wants a person to log in")
		if x.op == auth.KindLogin {
			e.Hint = x.personHint(a)
		}
	case code == "access_denied" && x.op == auth.KindLogin:
		e.Refused = true
		e.Err = errors.New("the login was declined")
	default:
		e.Unsent = true
		e.Hint = hint(code, 0)
	}
	if e.Code == "" {
		e.Err = errors.New("the server refused without a known error code")
	}
	return e
}

// personHint says what a person can do about a login that the server did not grant without one.
func (x *exchange) personHint(a authorization) string {
	switch {
	case a.silent:
		return "log in at the server with a browser, and bring the cookies that it has then"
	case x.c.Params["prompt"] == "none":
		return "take prompt out of params: none keeps the server from asking"
	default:
		return "call Login again, and do what the server's page asks for"
	}
}
