package discover

import (
	"net/url"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/challenge"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// challenged reports whether the server's challenge, or its own metadata (RFC 9728), names an authorization server.
func (l *looker) challenged(first *view) bool {
	resource := ""
	challenge.Each(first.header.Values("Www-Authenticate"), func(_, name, value string) {
		if name == "resource_metadata" && resource == "" {
			resource = value
		}
	})
	var places []*url.URL
	if u := parseHTTP(resource); u != nil {
		if err := l.name(u); err != nil {
			l.result.missing("the challenge names a document that was not fetched: %v", err)
		} else {
			places = append(places, u)
		}
	}
	for _, path := range insertedAndBare("/.well-known/oauth-protected-resource", l.start.Path) {
		places = append(places, l.at(path))
	}
	for _, u := range places {
		if document, _ := l.json(u); l.protectedResource(u, document) {
			return true
		}
	}
	return false
}

// insertedAndBare are the places of metadata for a path: the path after the well-known one, and the well-known one.
func insertedAndBare(wellKnown, path string) []string {
	if path = strings.TrimSuffix(path, "/"); path == "" {
		return []string{wellKnown}
	}
	return []string{wellKnown + path, wellKnown}
}

// protectedResource reads RFC 9728 metadata. It has to be about what was asked for (section 3.3).
func (l *looker) protectedResource(at *url.URL, document map[string]any) bool {
	about := parseHTTP(textAt(document, "resource"))
	servers, _ := document["authorization_servers"].([]any)
	if about == nil || len(servers) == 0 {
		return false
	}
	if !origin.Same(about, l.start) || !below(l.start.Path, about.Path) {
		l.result.missing("the metadata at %s is about another resource (%s), and was not believed", at.Path, about.Host)
		return false
	}
	l.result.found(Certain, l.from(at), "the API is a resource of an authorization server")
	for _, server := range servers {
		text, _ := server.(string)
		issuer := parseHTTP(text)
		if issuer == nil {
			continue
		}
		if err := l.name(issuer); err != nil {
			l.result.missing("an authorization server was not asked: %v", err)
			continue
		}
		if l.metadata(issuer) {
			l.result.OAuth.Resource = about.String()
			l.result.OAuth.Scopes = listAt(document, "scopes_supported")
			return true
		}
	}
	return false
}

// below reports whether path is prefix, or below it.
func below(path, prefix string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// authorizationServer reports whether the server is one itself.
func (l *looker) authorizationServer() bool {
	if l.start.Path != "/" && l.metadata(l.at(strings.TrimSuffix(l.start.Path, "/"))) {
		return true
	}
	return l.metadata(l.at(""))
}

// metadata looks for the metadata of an issuer in the three places where it may be (RFC 8414 sections 3 and 5), and
// reports whether it is there. It has to name the issuer that was asked (section 3.3).
func (l *looker) metadata(issuer *url.URL) bool {
	path := strings.TrimSuffix(issuer.Path, "/")
	places := []string{"/.well-known/oauth-authorization-server" + path, "/.well-known/openid-configuration" + path}
	if path != "" {
		places = append(places, path+"/.well-known/openid-configuration")
	}
	for _, p := range places {
		u := &url.URL{Scheme: issuer.Scheme, Host: issuer.Host, Path: p}
		document, _ := l.json(u)
		named := parseHTTP(textAt(document, "issuer"))
		if named == nil || textAt(document, "token_endpoint") == "" {
			continue
		}
		if !origin.Same(named, issuer) || strings.TrimSuffix(named.Path, "/") != path {
			l.result.missing("the metadata at %s is another issuer's (%s), and was not believed", u.Host+u.Path, named.Host)
			continue
		}
		l.result.OAuth = &OAuth{Issuer: textAt(document, "issuer"), Registers: textAt(document, "registration_endpoint") != ""}
		l.result.found(Certain, l.from(u), "people log in at the authorization server %s", l.result.OAuth.Issuer)
		return true
	}
	return false
}

func textAt(document map[string]any, name string) string {
	text, _ := document[name].(string)
	return text
}

func listAt(document map[string]any, name string) (texts []string) {
	list, _ := document[name].([]any)
	for _, item := range list {
		if text, ok := item.(string); ok && len(texts) < 100 {
			texts = append(texts, text)
		}
	}
	return texts
}
