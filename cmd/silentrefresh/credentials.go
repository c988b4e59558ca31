package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/cookiefile"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// begin begins the session the way that the flags ask for.
func (a *app) begin(ctx context.Context, c *silentrefresh.Client) error {
	o := a.options
	given := 0
	for _, way := range []string{o.data, o.cookieFile, o.refreshToken} {
		if way != "" {
			given++
		}
	}
	provider := a.profile.config.OAuth
	switch {
	case given > 1:
		return usage("-d, --cookie-file and --refresh-token exclude each other", "give one")
	case o.cookieFile != "":
		return a.bringCookies(ctx, c, provider)
	case o.refreshToken != "":
		return a.bringRefreshToken(ctx, c)
	case o.data != "" && provider != nil:
		return usage("-d is for servers that take credentials, and this one leaves the login to an identity provider", "leave -d out")
	case provider != nil:
		return c.Login(ctx, nil)
	case o.data != "":
		return a.bringCredentials(ctx, c)
	}
	credentials, err := a.credentials(ctx)
	if err != nil {
		return err
	}
	return c.Login(ctx, credentials)
}

func (a *app) bringCredentials(ctx context.Context, c *silentrefresh.Client) error {
	document, err := a.data(a.options.data)
	if err != nil {
		return err
	}
	var object map[string]any
	if json.Unmarshal(document, &object) != nil || object == nil {
		return usage("the credentials are not a JSON object", `give them as {"email": "...", "password": "..."}`)
	}
	return c.Login(ctx, json.RawMessage(document))
}

// data reads a text, @FILE or - as -d has it.
func (a *app) data(from string) ([]byte, error) {
	if from == "-" {
		b, err := io.ReadAll(a.in)
		if err != nil {
			return nil, usage("standard input was not read: "+plain(err), "")
		}
		return b, nil
	}
	if file, ok := strings.CutPrefix(from, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, usage("the data was not read: "+plain(err), "give the path of a file after the @")
		}
		return b, nil
	}
	return []byte(from), nil
}

func (a *app) bringRefreshToken(ctx context.Context, c *silentrefresh.Client) error {
	from := a.options.refreshToken
	if from != "-" && !strings.HasPrefix(from, "@") {
		return usage("a refresh token on the command line can be read by others, in the list of processes",
			"give it on standard input with --refresh-token -, or in a file with --refresh-token @FILE")
	}
	b, err := a.data(from)
	if err != nil {
		return err
	}
	token := auth.NewSecret(string(bytes.TrimSpace(b)))
	if token.IsZero() {
		return usage("there is no refresh token in what was given", "")
	}
	return c.Resume(ctx, auth.Session{RefreshToken: token})
}

// bringCookies takes up a browser's session: with the server itself, or with its identity provider.
func (a *app) bringCookies(ctx context.Context, c *silentrefresh.Client, provider *oauth.Config) error {
	hosts := a.profile.config.hosts()
	if provider != nil {
		hosts = hostsOf(append([]string{provider.Issuer}, provider.Origins...)...)
	}
	cookies, err := cookiefile.Read(a.options.cookieFile, hosts)
	if err != nil {
		return usage("the cookies were not read: "+plain(err), "export them in Netscape's format, with the tab of "+hosts[0]+" open")
	}
	if provider == nil {
		return c.Resume(ctx, auth.Session{Cookies: cookies})
	}
	return c.Login(ctx, providerCookies(cookies))
}

// hosts are those that get the session's cookies.
func (c *config) hosts() []string {
	return hostsOf(c.BaseURL, c.Refresh.URL, c.Login.URL, c.Logout.URL)
}

func hostsOf(refs ...string) (hosts []string) {
	for _, ref := range refs {
		if u, err := url.Parse(ref); err == nil && u.Hostname() != "" {
			hosts = append(hosts, strings.ToLower(u.Hostname()))
		}
	}
	return hosts
}

// providerCookies are cookies as package oauth takes them.
func providerCookies(cookies []auth.Cookie) (all oauth.Cookies) {
	for _, c := range cookies {
		h := &http.Cookie{Name: c.Name, Value: c.Value.Reveal(), Quoted: c.Quoted, Path: c.Path, Secure: c.Secure, HttpOnly: c.HttpOnly, Expires: c.Expires}
		if !c.HostOnly {
			h.Domain = c.Domain
		}
		all = append(all, h)
	}
	return all
}
