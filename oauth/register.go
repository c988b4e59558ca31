package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
)

// register registers this program with the server (RFC 7591 section 3), as a client that comes back to redirectURI, "" if
// its flow does not.
func (x *exchange) register(ctx context.Context, redirectURI string) error {
	if x.RegistrationEndpoint == "" {
		e := x.mistake("client_id is missing, and %s registers no clients", x.name())
		if x.c.ClientMetadataURL != "" {
			e = x.mistake("client_id is missing: %s neither registers clients nor takes a client_metadata_url", x.name())
		}
		e.Hint = "register this program with the server by hand, and give the client_id that it gets"
		return e
	}
	body, err := json.Marshal(x.introduction(redirectURI))
	if err != nil {
		return x.mistake("registration.metadata cannot be written as JSON")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.RegistrationEndpoint, bytes.NewReader(body))
	if err != nil {
		return x.mistake("the registration_endpoint is not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if token := x.c.Registration.AccessToken.Reveal(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := x.hc.Do(req)
	if err != nil {
		return harmless(x.failed(err))
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return harmless(x.failed(err))
	}
	return x.admitted(resp.StatusCode, body, redirectURI)
}

// introduction is what the server is told about this program (RFC 7591 section 2).
func (x *exchange) introduction(redirectURI string) map[string]any {
	doc := map[string]any{
		"client_name":                x.c.Registration.ClientName,
		"token_endpoint_auth_method": x.wantedMethod(),
		"grant_types":                x.wantedGrants(),
	}
	if x.c.Flow.interactive() {
		doc["application_type"] = "native"
	}
	if redirectURI != "" {
		doc["redirect_uris"], doc["response_types"] = []string{redirectURI}, []string{"code"}
	}
	if scope := x.scope(); scope != "" {
		doc["scope"] = scope
	}
	if x.proof != nil {
		doc["dpop_bound_access_tokens"] = true
	}
	maps.Copy(doc, x.c.Registration.Metadata)
	return doc
}

// wantedMethod is how a client without credentials of its own would like to authenticate.
func (x *exchange) wantedMethod() string {
	if x.c.ClientAuth != "" {
		return x.c.ClientAuth
	}
	if x.c.Flow.unattended() {
		return x.usualMethod(true)
	}
	for _, method := range []string{NoClientAuth, ClientSecretBasic, ClientSecretPost} {
		if slices.Contains(x.AuthMethods, method) {
			return method
		}
	}
	return NoClientAuth
}

func (x *exchange) wantedGrants() []string {
	switch x.c.Flow {
	case ClientCredentials, JWTBearer, TokenExchange:
		return []string{grantTypes[x.c.Flow]}
	case Device:
		return []string{grantTypes[Device], "refresh_token"}
	default:
		return []string{"authorization_code", "refresh_token"}
	}
}

// admitted reads the response to a registration.
func (x *exchange) admitted(status int, body []byte, redirectURI string) error {
	var doc struct {
		registration
		Code string `json:"error"`
	}
	err := json.Unmarshal(body, &doc)
	if status/100 != 2 {
		e := harmless(x.failed(nil))
		e.Code = errorCode(doc.Code)
		e.Hint = "the server does not register this program; register it by hand, and give the client_id that it gets"
		return e
	}
	if err != nil || doc.ID == "" {
		return x.mistake("the response to the registration has no client_id")
	}
	r := doc.registration
	r.RedirectURI, r.Document = redirectURI, false
	x.client, x.newcomer = x.registered(r), r.ID
	x.keep(r)
	return nil
}
