package metadata

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// Names of the documents below /.well-known (RFC 8414 section 7.3, OpenID Connect Discovery section 4).
const (
	oauthServer = "oauth-authorization-server"
	openID      = "openid-configuration"
)

// How a server's document is looked for.
type ServerOptions struct {
	// OpenIDFirst looks where OpenID Connect Discovery has it before it looks where RFC 8414 has it. Both are asked.
	OpenIDFirst bool
	// Says is what the document calls its issuer; "": what it is asked for by (RFC 8414 section 3.3).
	Says string
	// RootSlash takes an issuer without a path and the same with "/" for one (RFC 3986 section 6.2.3), where the
	// issuer was written by a program that normalizes URLs.
	RootSlash bool
}

// FetchServer returns the document of the authorization server whose issuer identifier is issuer.
func FetchServer(ctx context.Context, get Getter, issuer string, o ServerOptions) (*Server, error) {
	places, err := ServerPlaces(issuer, o.OpenIDFirst)
	if err != nil {
		return nil, err
	}
	says := issuer
	if o.Says != "" {
		says = o.Says
	}
	return search(ctx, get, places, func(_ string, doc *Server) error {
		if doc.Issuer == says || o.RootSlash && rootOf(doc.Issuer) != "" && rootOf(doc.Issuer) == rootOf(says) {
			return nil
		}
		return &MismatchError{What: "issuer", Asked: issuer, Says: doc.Issuer}
	})
}

// ServerPlaces are the URLs where the document of issuer may be, in the order in which to ask.
func ServerPlaces(issuer string, openIDFirst bool) ([]string, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, err
	}
	u.Fragment = ""
	places := []string{insert(*u, oauthServer), insert(*u, openID), behind(*u, openID), behind(*u, oauthServer)}
	if openIDFirst {
		places = []string{behind(*u, openID), insert(*u, oauthServer), insert(*u, openID), behind(*u, oauthServer)}
	}
	return unique(places), nil
}

// unique drops what an issuer without a path makes equal.
func unique(places []string) (once []string) {
	for _, p := range places {
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	return once
}

// rootOf is a URL of an origin without the slash at its end, "" if there is a path.
func rootOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
