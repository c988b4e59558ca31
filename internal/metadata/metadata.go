// Package metadata finds out how an authorization server is talked to. It reads what servers say of themselves:
// authorization server metadata (RFC 8414), OpenID Connect Discovery 1.0, and protected resource metadata (RFC 9728),
// each in all the places where they are kept, and takes no document whose identifier is not the one that was asked for.
package metadata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Server is what an authorization server says of itself (RFC 8414 section 2, OpenID Connect Discovery section 3, and
// the parameters that later RFCs have registered).
type Server struct {
	Issuer                 string   `json:"issuer,omitempty"`
	AuthorizationEndpoint  string   `json:"authorization_endpoint,omitempty"`
	TokenEndpoint          string   `json:"token_endpoint,omitempty"`
	JWKSURI                string   `json:"jwks_uri,omitempty"`
	RegistrationEndpoint   string   `json:"registration_endpoint,omitempty"`                 // RFC 7591
	DeviceEndpoint         string   `json:"device_authorization_endpoint,omitempty"`         // RFC 8628
	RevocationEndpoint     string   `json:"revocation_endpoint,omitempty"`                   // RFC 7009
	PushedRequestEndpoint  string   `json:"pushed_authorization_request_endpoint,omitempty"` // RFC 9126
	EndSessionEndpoint     string   `json:"end_session_endpoint,omitempty"`                  // OpenID Connect RP-Initiated Logout
	ScopesSupported        []string `json:"scopes_supported,omitempty"`
	GrantTypes             []string `json:"grant_types_supported,omitempty"`
	AuthMethods            []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	IDTokenAlgorithms      []string `json:"id_token_signing_alg_values_supported,omitempty"`
	DPoPAlgorithms         []string `json:"dpop_signing_alg_values_supported,omitempty"` // RFC 9449
	SubjectTypes           []string `json:"subject_types_supported,omitempty"`
	RequiresPushedRequests bool     `json:"require_pushed_authorization_requests,omitempty"`
	SendsIssuer            bool     `json:"authorization_response_iss_parameter_supported,omitempty"` // RFC 9207
	ClientIDMetadata       bool     `json:"client_id_metadata_document_supported,omitempty"`
	// MTLS has the endpoints for clients that show a certificate (RFC 8705 section 5).
	MTLS *Server `json:"mtls_endpoint_aliases,omitempty"`
}

// OpenID reports whether s is an OpenID provider: the second and third parameter are required of one.
func (s *Server) OpenID() bool {
	return slices.Contains(s.ScopesSupported, "openid") || len(s.SubjectTypes) > 0 || len(s.IDTokenAlgorithms) > 0
}

// A Resource is what a protected resource says of itself (RFC 9728 section 2).
type Resource struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported"`
	RequiresDPoP         bool     `json:"dpop_bound_access_tokens_required"`
}

// A Getter fetches a document. An error means that there was no response; the body may be cut off at a bound.
type Getter func(ctx context.Context, url string) (status int, body []byte, err error)

// ErrNotFound: no place has such a document, and the server said so everywhere.
var ErrNotFound = errors.New("there is no metadata document")

// An UnavailableError is a response that may be another one tomorrow.
type UnavailableError struct {
	URL    string
	Status int
}

func (e *UnavailableError) Error() string { return fmt.Sprintf("%s returned %d", e.URL, e.Status) }

// A MismatchError is a document that is about something else than what was asked for.
type MismatchError struct {
	What        string // "issuer" or "resource"
	Asked, Says string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("the metadata of %s calls its %s %q", e.Asked, e.What, e.Says)
}

// search asks at each of the places in turn, and returns the first document that decodes and passes check. A document
// elsewhere may be the right one where one is not; a host that cannot be reached is not asked again.
func search[T any](ctx context.Context, get Getter, places []string, check func(place string, doc *T) error) (*T, error) {
	var worst error = ErrNotFound
	for _, place := range places {
		status, body, err := get(ctx, place)
		switch {
		case err != nil:
			return nil, err
		case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
			worst = graver(worst, &UnavailableError{place, status})
			continue
		case status != http.StatusOK:
			continue
		}
		doc := new(T)
		if json.Unmarshal(body, doc) != nil { // a web page, say
			worst = graver(worst, errNoDocument)
			continue
		}
		if err := check(place, doc); err != nil {
			worst = graver(worst, err)
			continue
		}
		return doc, nil
	}
	return nil, worst
}

// errNoDocument is ErrNotFound where something else is at the place of the document.
var errNoDocument = fmt.Errorf("%w: what is in its place is no discovery document", ErrNotFound)

// graver chooses what to say of two failures: a lie before an outage, an outage before nothing.
func graver(a, b error) error {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

func rank(err error) int {
	var unavailable *UnavailableError
	switch {
	case err == ErrNotFound:
		return 0
	case errors.Is(err, ErrNotFound):
		return 1
	case errors.As(err, &unavailable):
		return 2
	default:
		return 3
	}
}

// insert puts a well-known suffix between host and path (RFC 8414 section 3.1, RFC 9728 section 3.1).
func insert(u url.URL, suffix string) string {
	u.Path, u.RawPath = "/.well-known/"+suffix+strings.TrimRight(u.Path, "/"), ""
	return u.String()
}

// behind puts it behind the path (OpenID Connect Discovery section 4).
func behind(u url.URL, suffix string) string {
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/")+"/.well-known/"+suffix, ""
	u.RawQuery = ""
	return u.String()
}
