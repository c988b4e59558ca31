package discover

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

// specPlaces are where frameworks put their OpenAPI document, and docPlaces where they show it to people.
var (
	specPlaces = []string{"/openapi.json", "/v3/api-docs", "/swagger/v1/swagger.json", "/swagger.json", "/api-docs",
		"/api/openapi.json", "/api-json"}
	docPlaces  = []string{"/docs", "/api/docs"}
	specPath   = regexp.MustCompile(`(?i)(openapi|swagger|api-docs)[^/]*\.json$`)
	specInPage = regexp.MustCompile(`(?i)(?:\burl|spec-?url|data-url)["']?\s*[:=]\s*["']([^"']+)["']`)
)

// openAPI reports whether an OpenAPI document describes a login.
func (l *looker) openAPI(first *view) bool {
	tried := map[string]bool{}
	try := func(u *url.URL) bool {
		if u == nil || !origin.Same(u, l.start) || tried[u.String()] {
			return false
		}
		tried[u.String()] = true
		document, v := l.json(u)
		return document != nil && l.readSpec(v.at, document)
	}
	for _, u := range l.specLinks(first) {
		if try(u) {
			return true
		}
	}
	if strings.Contains(first.media, "json") {
		if document, _ := decodeJSON(first.body).(map[string]any); l.readSpec(first.at, document) {
			return true
		}
	}
	for _, path := range specPlaces {
		if try(l.at(path)) {
			return true
		}
	}
	for _, path := range docPlaces {
		v, err := l.get(l.at(path))
		if err == nil && v.status == http.StatusOK && slices.ContainsFunc(l.specLinks(v), try) {
			return true
		}
	}
	return false
}

// specLinks are where a page, or its header (RFC 8631), says that the document is.
func (l *looker) specLinks(v *view) (links []*url.URL) {
	add := func(ref string) {
		if u, err := v.at.Parse(strings.TrimSpace(ref)); err == nil && len(links) < 3 {
			links = append(links, u)
		}
	}
	for _, field := range v.header.Values("Link") {
		if target, ok := strings.CutPrefix(field, "<"); ok && strings.Contains(field, "service-desc") {
			target, _, _ = strings.Cut(target, ">")
			add(target)
		}
	}
	if !isHTML(v.media, v.body) {
		return links
	}
	for _, link := range readPage(v.body, v.at).links {
		if link.rel == "service-desc" || specPath.MatchString(link.to.Path) {
			add(link.to.String())
		}
	}
	for _, m := range specInPage.FindAllSubmatch(v.body, 3) {
		add(string(m[1]))
	}
	return links
}

// A spec is an OpenAPI document, version 2 or 3.
type spec struct {
	root map[string]any
	base *url.URL // that paths count from
	left int      // schemas that are still looked at
}

// readSpec takes the calls from a document, and reports whether there is a login among them.
func (l *looker) readSpec(at *url.URL, document map[string]any) bool {
	paths, _ := document["paths"].(map[string]any)
	if paths == nil || document["openapi"] == nil && document["swagger"] == nil {
		return false
	}
	s := &spec{root: document, base: serverOf(at, document), left: maxSchemas}
	if s.base == nil || !origin.Same(s.base, l.start) && l.name(s.base) != nil {
		l.result.missing("the OpenAPI document at %s names a server that does not fit", at.Path)
		s.base = l.at("/")
	}
	ops := s.operations(paths)
	login := best(ops, (*operation).loginPoints)
	flow := s.passwordFlow()
	if login == nil && flow == nil {
		return false
	}
	l.result.BaseURL = s.base.Scheme + "://" + s.base.Host
	if !origin.Same(s.base, l.start) {
		l.result.found(Certain, l.from(at), "the OpenAPI document names another origin, %s", l.result.BaseURL)
	}
	if flow != nil {
		l.takeFlow(s, at, flow)
	} else {
		l.takeLogin(s, at, login)
	}
	l.takeOthers(s, at, ops)
	return true
}

// serverOf is what paths count from.
func serverOf(at *url.URL, document map[string]any) *url.URL {
	ref := textAt(document, "basePath")
	if host := textAt(document, "host"); host != "" {
		ref = "//" + host + ref
	}
	servers, _ := document["servers"].([]any)
	for _, server := range servers {
		if fields, ok := server.(map[string]any); ok && !strings.Contains(textAt(fields, "url"), "{") {
			ref = textAt(fields, "url")
			break
		}
	}
	u, err := at.Parse(ref)
	if err != nil || parseHTTP(u.String()) == nil {
		return nil
	}
	if ref == "" {
		u.Path = "/"
	}
	u.RawQuery, u.Fragment = "", ""
	return u
}

// reference is a path of the document as a setting.
func (s *spec) reference(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		return "-"
	}
	if u.IsAbs() {
		return u.String()
	}
	return strings.TrimSuffix(s.base.Path, "/") + "/" + strings.TrimPrefix(path, "/")
}

// takeFlow takes the password flow of an OAuth 2 security scheme (RFC 6749 section 4.3), as FastAPI has it.
func (l *looker) takeFlow(s *spec, at *url.URL, flow map[string]any) {
	r := l.result
	token := textAt(flow, "tokenUrl")
	r.Settings.Login = endpoint.Call{
		URL: s.flowReference(at, token), Encoding: "form", Fields: map[string]any{"grant_type": "password"},
	}
	r.Ask = []string{"username", "password"}
	r.found(Certain, l.from(at), "login: %s, asks for username and password", describe(r.Settings.Login))
	if refresh := textAt(flow, "refreshUrl"); refresh != "" {
		r.Settings.Refresh = endpoint.Call{URL: s.flowReference(at, refresh), Encoding: "form",
			Fields: map[string]any{"grant_type": "refresh_token"}, RefreshTokenField: "refresh_token"}
		r.found(Certain, l.from(at), "refresh: %s, shows the field refresh_token", describe(r.Settings.Refresh))
	}
}

// flowReference is a URL of a security scheme, which counts from the server, or from the document.
func (s *spec) flowReference(at *url.URL, ref string) string {
	if strings.HasPrefix(ref, "/") || strings.Contains(ref, "://") {
		if u := parseHTTP(ref); u != nil && origin.Same(u, s.base) {
			return u.RequestURI()
		}
		return ref
	}
	return s.reference(ref)
}

// takeLogin takes a login that is described by its fields.
func (l *looker) takeLogin(s *spec, at *url.URL, login *operation) {
	r := l.result
	r.Settings.Login = login.call(s)
	r.Ask = login.asks()
	r.found(Likely, l.from(at), "login: %s, asks for %s", describe(r.Settings.Login), strings.Join(r.Ask, " and "))
}

// takeOthers takes refresh and logout, where they are described.
func (l *looker) takeOthers(s *spec, at *url.URL, ops []*operation) {
	r := l.result
	if refresh := best(ops, (*operation).refreshPoints); refresh != nil && r.Settings.Refresh.URL == "-" {
		r.Settings.Refresh = refresh.call(s)
		r.Settings.Refresh.RefreshTokenField = refresh.fieldNamed(refreshName)
		r.found(Likely, l.from(at), "refresh: %s", describe(r.Settings.Refresh))
	}
	if logout := best(ops, (*operation).logoutPoints); logout != nil {
		r.Settings.Logout = logout.call(s)
		r.Settings.Logout.RefreshTokenField = logout.fieldNamed(refreshName)
		if r.Settings.Logout.RefreshTokenField == "" && logout.secured {
			r.Settings.Logout.AccessTokenHeader = "Authorization"
		}
		r.found(Likely, l.from(at), "logout: %s", describe(r.Settings.Logout))
	}
	if r.Settings.Refresh.URL == "-" {
		r.missing("the document describes no refresh: the session lasts as long as its token")
	}
}

// passwordFlow is the first password flow of the security schemes.
func (s *spec) passwordFlow() map[string]any {
	for _, path := range [][]string{{"components", "securitySchemes"}, {"securityDefinitions"}} {
		schemes := s.root
		for _, name := range path {
			schemes, _ = schemes[name].(map[string]any)
		}
		for _, name := range slices.Sorted(maps.Keys(schemes)) {
			scheme, _ := schemes[name].(map[string]any)
			if flow, _ := scheme["flow"].(string); flow == "password" {
				return scheme
			}
			flows, _ := scheme["flows"].(map[string]any)
			if flow, ok := flows["password"].(map[string]any); ok && textAt(flow, "tokenUrl") != "" {
				return flow
			}
		}
	}
	return nil
}
