package oauth

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
)

// A client is who we are to one server.
type client struct {
	id     string
	secret auth.Secret
	method string // how it authenticates
	// registration is what the settings do not say of it, zero if they say it all.
	registration registration
}

// A registration is a client that the settings do not name: one that a server registered for us (RFC 7591 section
// 3.2.1), or the URL of a Client ID Metadata Document.
type registration struct {
	ID          string `json:"client_id"`
	Secret      string `json:"client_secret,omitempty"`
	Method      string `json:"token_endpoint_auth_method,omitempty"`
	RedirectURI string `json:"redirect_uri,omitempty"` // with its port
	// Ends is when the secret expires, as a Unix time; 0: never.
	Ends int64 `json:"client_secret_expires_at,omitempty"`
	// Document says that ID is the URL of a document, and nothing that the server could forget.
	Document bool `json:"document,omitempty"`
}

// usable reports whether r can begin another session that comes back to redirectURI.
func (r registration) usable(redirectURI string, now time.Time) bool {
	return r.ID != "" && r.RedirectURI == redirectURI && (r.Ends == 0 || now.Unix() < r.Ends)
}

// introduce settles who we are for a login that comes back to redirectURI.
func (x *exchange) introduce(ctx context.Context, redirectURI string) error {
	switch {
	case x.c.ClientID != "":
		x.client = x.ofSettings()
		return nil
	case x.c.ClientMetadataURL != "" && x.ClientIDMetadata:
		x.client = x.registered(registration{ID: x.c.ClientMetadataURL, Method: NoClientAuth, Document: true})
		return nil
	}
	if r := x.earlier(); r.usable(redirectURI, time.Now()) {
		x.client = x.registered(r)
		return nil
	}
	return x.register(ctx, redirectURI)
}

// recognize settles who we are for what comes after the login.
func (x *exchange) recognize(e extra) error {
	switch {
	case e.Client != nil:
		x.client = x.registered(*e.Client)
	case x.c.ClientID != "":
		x.client = x.ofSettings()
	case x.c.ClientMetadataURL != "":
		x.client = x.registered(registration{ID: x.c.ClientMetadataURL, Method: NoClientAuth, Document: true})
	default:
		return x.mistake("the session does not say which client it belongs to; give client_id")
	}
	return nil
}

func (x *exchange) ofSettings() client {
	c := client{id: x.c.ClientID, secret: x.c.ClientSecret, method: x.c.ClientAuth}
	if c.method == "" {
		c.method = x.usualMethod(!c.secret.IsZero())
	}
	return c
}

func (x *exchange) registered(r registration) client {
	c := client{id: r.ID, secret: auth.NewSecret(r.Secret), method: r.Method, registration: r}
	if c.method == "" {
		c.method = x.usualMethod(!c.secret.IsZero())
	}
	return c
}

// usualMethod is how a client authenticates that does not say: once and for all, because the first of two ways that
// are tried may spend a refresh token.
func (x *exchange) usualMethod(secret bool) string {
	switch {
	case x.key != nil || x.c.ClientAssertionFile != "":
		return PrivateKeyJWT
	case !secret:
		return NoClientAuth
	case len(x.AuthMethods) > 0 && !slices.Contains(x.AuthMethods, ClientSecretBasic) && slices.Contains(x.AuthMethods, ClientSecretPost):
		return ClientSecretPost
	default: // what metadata without the parameter means (RFC 8414 section 2)
		return ClientSecretBasic
	}
}

// earlier is the client that was registered at this server before, zero if none was. The one that an earlier process
// left in the Store is used again only where its token has just been found too weak: the server knows it then, and the
// scopes that it was granted.
func (x *exchange) earlier() registration {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, ok := x.clients[x.place]
	if old := x.latest.Client; !ok && old != nil && !old.Document && x.latest.Server == x.place && x.challenge.Error == insufficientScope {
		return *old
	}
	return r
}

func (x *exchange) keep(r registration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.clients[x.place] = r
}

// forget drops the registration that a login did not succeed with: the server may have forgotten it, and shows that to
// the person alone.
func (x *exchange) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.clients[x.place].ID == x.client.id {
		delete(x.clients, x.place)
	}
	if old := x.latest.Client; old != nil && old.ID == x.client.id {
		x.latest.Client = nil
	}
}

// forgotten reports whether e says that the server does not know the client that it registered. Some say of one that they
// do not know that it may not do what it had registered for. One that it has only just registered is refused for
// another reason, and would be so again.
func (x *exchange) forgotten(e *auth.Error) bool {
	r := x.client.registration
	return r.ID != "" && !r.Document && r.ID != x.newcomer && (e.Code == "invalid_client" || e.Code == "unauthorized_client")
}

// earlierPort is the port that the client registered with, "" if there is none.
func (x *exchange) earlierPort() string {
	u, err := url.Parse(x.earlier().RedirectURI)
	if err != nil || !strings.EqualFold(u.Scheme, "http") {
		return ""
	}
	return u.Port()
}
