package metadata

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// host is a Getter: what is at which URL. A number is a status, "down" no response.
type host map[string]string

func (h host) get(asked *[]string) Getter {
	return func(_ context.Context, url string) (int, []byte, error) {
		*asked = append(*asked, url)
		switch body := h[url]; body {
		case "":
			return 404, []byte("not here"), nil
		case "503":
			return 503, nil, nil
		case "down":
			return 0, nil, errors.New("no route to host")
		default:
			return 200, []byte(body), nil
		}
	}
}

const at = "https://as.example.com"

func TestServerPlaces(t *testing.T) {
	for _, test := range []struct {
		issuer      string
		openIDFirst bool
		want        []string
	}{
		{at, false, []string{at + "/.well-known/oauth-authorization-server", at + "/.well-known/openid-configuration"}},
		{at + "/", true, []string{at + "/.well-known/openid-configuration", at + "/.well-known/oauth-authorization-server"}},
		{at + "/t/1", false, []string{at + "/.well-known/oauth-authorization-server/t/1", at + "/.well-known/openid-configuration/t/1",
			at + "/t/1/.well-known/openid-configuration", at + "/t/1/.well-known/oauth-authorization-server"}},
		{at + "/t/", true, []string{at + "/t/.well-known/openid-configuration", at + "/.well-known/oauth-authorization-server/t",
			at + "/.well-known/openid-configuration/t", at + "/t/.well-known/oauth-authorization-server"}},
	} {
		got, err := ServerPlaces(test.issuer, test.openIDFirst)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q, %v", test.issuer, got, test.want, err)
		}
	}
}

func TestFetchServer(t *testing.T) {
	const inserted = at + "/.well-known/oauth-authorization-server/t"
	const appended = at + "/t/.well-known/openid-configuration"
	good := `{"issuer": "https://as.example.com/t", "token_endpoint": "https://as.example.com/token"}`
	for _, test := range []struct {
		name    string
		host    host
		options ServerOptions
		asked   int
		want    string // in the error, "" if it is found
	}{
		{"first place", host{inserted: good}, ServerOptions{}, 1, ""},
		{"last but one", host{appended: good}, ServerOptions{}, 3, ""},
		{"a page in the first", host{inserted: "<html>", appended: good}, ServerOptions{}, 3, ""},
		{"another tenant's in the first", host{inserted: `{"issuer": "https://as.example.com"}`, appended: good}, ServerOptions{}, 3, ""},
		{"an outage in the first", host{inserted: "503", appended: good}, ServerOptions{}, 3, ""},
		{"nowhere", host{}, ServerOptions{}, 4, "no metadata document"},
		{"pages everywhere", host{inserted: "<html>"}, ServerOptions{}, 4, "no discovery document"},
		{"outage", host{inserted: "503"}, ServerOptions{}, 4, "returned 503"},
		{"unreachable", host{inserted: "down", appended: good}, ServerOptions{}, 1, "no route"},
		{"a lie", host{inserted: `{"issuer": "https://evil.example.com"}`}, ServerOptions{}, 4, `calls its issuer "https://evil.example.com"`},
		{"no issuer", host{inserted: `{}`}, ServerOptions{}, 4, `calls its issuer ""`},
		{"known to differ", host{inserted: `{"issuer": "https://as.example.com/{tenantid}"}`}, ServerOptions{Says: at + "/{tenantid}"}, 1, ""},
		{"known to differ, and does not", host{inserted: good}, ServerOptions{Says: at + "/{tenantid}"}, 4, "calls its issuer"},
		{"a slash more", host{inserted: `{"issuer": "https://as.example.com/t/"}`}, ServerOptions{RootSlash: true}, 4, "calls its issuer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked []string
			doc, err := FetchServer(t.Context(), test.host.get(&asked), at+"/t", test.options)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) || (doc == nil) != (err != nil) {
				t.Errorf("%+v, %v", doc, err)
			}
			if len(asked) != test.asked {
				t.Errorf("asked at %q", asked)
			}
			if found := errors.Is(err, ErrNotFound); found != strings.Contains(test.want, "document") {
				t.Errorf("not found: %v", found)
			}
		})
	}
}

func TestRootSlash(t *testing.T) {
	var asked []string
	h := host{at + "/.well-known/oauth-authorization-server": `{"issuer": "https://as.example.com"}`}
	for slash, want := range map[bool]bool{true: true, false: false} {
		if _, err := FetchServer(t.Context(), h.get(&asked), at+"/", ServerOptions{RootSlash: slash}); (err == nil) != want {
			t.Errorf("%v: %v", slash, err)
		}
	}
}

func TestFetchResource(t *testing.T) {
	const r = "https://api.example.com/mcp"
	const own, root = "https://api.example.com/.well-known/oauth-protected-resource/mcp", "https://api.example.com/.well-known/oauth-protected-resource"
	for _, test := range []struct {
		name  string
		host  host
		named string
		asked int
		want  string
	}{
		{"its own", host{own: `{"resource": "https://api.example.com/mcp"}`}, "", 1, ""},
		{"its host's", host{root: `{"resource": "https://api.example.com"}`}, "", 2, ""},
		{"named", host{"https://x.example.com/d": `{"resource": "https://api.example.com/mcp"}`}, "https://x.example.com/d", 1, ""},
		{"named and not there", host{own: `{"resource": "https://api.example.com/mcp"}`}, "https://x.example.com/d", 1, "no metadata"},
		{"another's", host{own: `{"resource": "https://evil.example.com/mcp"}`}, "", 2, "calls its resource"},
	} {
		var asked []string
		_, err := FetchResource(t.Context(), test.host.get(&asked), r, test.named)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) || len(asked) != test.asked {
			t.Errorf("%s: %v, asked at %q", test.name, err, asked)
		}
	}
}

func TestCovers(t *testing.T) {
	const u = "https://api.example.com/a/b"
	for identifier, want := range map[string]bool{
		u: true, u + "/": true, "https://api.example.com": true, "https://api.example.com/": true, "https://API.example.com/a": true,
		"https://api.example.com/a/b/c": false, "https://api.example.com/ab": false, "https://api.example.com/a/../b": false,
		"http://api.example.com/a/b": false, "https://api.example.com:8443/a/b": false, "https://x@api.example.com/a": false,
		"https://api.example.com.evil.example/a/b": false, "": false, "%": false, "https://api.example.com/a?x=1": false,
	} {
		if got := Covers(identifier, u); got != want {
			t.Errorf("%q: %v", identifier, got)
		}
	}
}
