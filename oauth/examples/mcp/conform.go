package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// What the conformance suite tells the client that it tests.
const (
	scenarioEnv = "MCP_CONFORMANCE_SCENARIO"
	contextEnv  = "MCP_CONFORMANCE_CONTEXT"
)

// aboutUs is the document that the suite takes for a Client ID Metadata Document; it is never fetched.
const aboutUs = "https://conformance-test.local/client-metadata.json"

func underTest() bool { return os.Getenv(scenarioEnv) != "" || os.Getenv(contextEnv) != "" }

// given is what a scenario gives: a client that is registered already, or a workload's identity.
type given struct {
	ClientID      string      `json:"client_id"`
	ClientSecret  auth.Secret `json:"client_secret"`
	Issuer        string      `json:"issuer"` // where that client is registered
	PrivateKey    auth.Secret `json:"private_key_pem"`
	ValidJWT      auth.Secret `json:"valid_jwt"`
	IDPClientID   string      `json:"idp_client_id"`
	IDPIDToken    auth.Secret `json:"idp_id_token"`
	IDPTokensFrom string      `json:"idp_token_endpoint"`
}

// conform runs one scenario of the suite.
func (p program) conform(ctx context.Context, server string) error {
	var g given
	if text := os.Getenv(contextEnv); text != "" {
		if err := json.Unmarshal([]byte(text), &g); err != nil {
			return fmt.Errorf("%s: %w", contextEnv, err)
		}
	}
	return p.run(ctx, server, g.settings(server))
}

// settings are those that a program would have that was given g.
func (g given) settings(server string) oauth.Config {
	c := oauth.Config{Resource: server, ClientID: g.ClientID, ClientSecret: g.ClientSecret}
	switch {
	case !g.PrivateKey.IsZero():
		c.Flow, c.ClientKey = oauth.ClientCredentials, g.PrivateKey
	case !g.ValidJWT.IsZero():
		c.Flow, c.Assertion.Token = oauth.JWTBearer, g.ValidJWT
	case !g.IDPIDToken.IsZero():
		c.Flow, c.Assertion.Source = oauth.JWTBearer, g.fromEmployer
	case g.ClientID != "" && g.Issuer == "":
		c.Flow = oauth.ClientCredentials
	default:
		c.ClientMetadataURL, c.OpenBrowser = aboutUs, agree
		c.Prompt = func(oauth.Prompt) {}
	}
	return c
}

// fromEmployer trades the employer's ID token for an assertion that the MCP server's authorization server takes
// (Enterprise-Managed Authorization): a login of its own, which lasts for one request.
func (g given) fromEmployer(ctx context.Context, to oauth.Audience) (auth.Secret, error) {
	employer, err := oauth.New(oauth.Config{
		Endpoints: oauth.Endpoints{Token: g.IDPTokensFrom},
		Resource:  to.Resource,
		ClientID:  g.IDPClientID,
		Flow:      oauth.TokenExchange,
		Params:    map[string]string{"audience": to.Issuer},
		Assertion: oauth.Assertion{
			Token:         g.IDPIDToken,
			Type:          "urn:ietf:params:oauth:token-type:id_token",
			RequestedType: "urn:ietf:params:oauth:token-type:id-jag",
		},
	})
	if err != nil {
		return auth.Secret{}, err
	}
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: to.Resource, Exchanger: employer})
	if err != nil {
		return auth.Secret{}, err
	}
	defer client.Close()
	if err := client.Login(ctx, nil); err != nil {
		return auth.Secret{}, err
	}
	token, err := client.Token(ctx)
	return token.Value, err
}

// agree is a person whose browser follows where the authorization server leads.
func agree(page string) error {
	resp, err := http.Get(page)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
