package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/endpoint/discover"
	"golang.org/x/term"
)

// chooseURL is choose for a URL that was given to login and nothing else: what is stored for it, or what a look at the
// server finds.
func (a *app) chooseURL(ctx context.Context, rawURL string) error {
	if given := cmp.Or(a.options.config, a.options.base); given != "" {
		return usage("a URL and settings are both given", "leave one of the two out: with --base URL nothing is looked for")
	}
	if !strings.Contains(rawURL, "://") {
		rawURL = "https://" + rawURL
	}
	base, err := url.Parse(rawURL)
	if err != nil {
		return usage("the URL cannot be parsed", "write it as https://api.example.com")
	}
	known, err := a.stored(base)
	if err != nil {
		return err
	}
	if known != nil {
		a.profile = known
		return a.overrule()
	}
	r, err := a.lookAt(ctx, rawURL)
	if err != nil {
		return err
	}
	a.tell(r)
	switch {
	case r.OAuth != nil && r.OAuth.Resource != "" && r.OAuth.Registers, r.OAuth == nil && r.Settings.Login.URL == "-" && strings.Trim(base.Path, "/") != "":
		return a.chooseResource(r, rawURL)
	case r.OAuth != nil:
		return a.chooseProvider(ctx, r)
	}
	return a.chooseFound(ctx, r)
}

// stored is the profile that is kept for an origin, nil if there is none.
func (a *app) stored(base *url.URL) (*profile, error) {
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	all, _ := dir.profiles().list() // what can't be read is written anew
	i := slices.IndexFunc(all, func(p *profile) bool {
		return p.covers(base) && p.Session == cmp.Or(a.options.session, "default")
	})
	if i < 0 {
		return nil, nil
	}
	return all[i], nil
}

// lookAt looks at the server, with GET and without credentials.
func (a *app) lookAt(ctx context.Context, rawURL string) (discover.Result, error) {
	a.profile = &profile{}
	if err := a.overrule(); err != nil {
		return discover.Result{}, err
	}
	t, err := a.transport()
	if err != nil {
		return discover.Result{}, err
	}
	r, err := discover.URL(ctx, &http.Client{Transport: t}, rawURL)
	if err != nil {
		f := a.failed("the server was not looked at", err)
		f.do = cmp.Or(tlsAdvice(err), "look at the URL, or try again later")
		return r, f
	}
	return r, nil
}

// chooseFound takes the settings that were found, if a person agrees to what they will send.
func (a *app) chooseFound(ctx context.Context, r discover.Result) error {
	if r.Settings.Login.URL == "-" {
		return &failure{what: "no login was found at " + r.BaseURL, code: exitFailed,
			do: "record a login in the browser: silentrefresh learn --help\n" +
				"or take the settings of your kind of server from docs/SERVERS.md, and give them with --config"}
	}
	settings, err := document(r)
	if err != nil {
		return err
	}
	to, err := sentTo(r)
	if err != nil {
		return err
	}
	if err := a.agreed(ctx, fmt.Sprintf("Send %s to %s?", strings.Join(r.Ask, " and "), to), settings); err != nil {
		return err
	}
	return a.useSettings(settings)
}

// sentTo is where the login goes.
func sentTo(r discover.Result) (string, error) {
	base, err := url.Parse(r.BaseURL)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(r.Settings.Login.URL)
	if err != nil {
		return "", err
	}
	u.RawQuery = ""
	return u.String(), nil
}

// agreed asks on the terminal. Where nobody can be asked, the settings are printed, and nothing is sent.
func (a *app) agreed(ctx context.Context, question string, settings []byte) error {
	if !term.IsTerminal(int(a.in.Fd())) {
		if _, err := a.out.Write(settings); err != nil {
			return a.failed("the settings were not printed", err)
		}
		return usage("nothing was sent: standard input is not a terminal, so nobody can agree to it",
			"look at the settings that were printed, keep them in a file, and give that with --config FILE -d -")
	}
	fmt.Fprintln(a.err, question)
	response, err := a.askOn(ctx, "y/N", true)
	if err != nil {
		return err
	}
	if yes := strings.ToLower(strings.TrimSpace(response)); yes != "y" && yes != "yes" {
		return &failure{what: "nothing was sent", code: exitFailed, do: "silentrefresh login --config FILE, with settings of your own"}
	}
	return nil
}

// chooseResource goes on with an API that says itself where to log in, to a GET or to what it takes instead. This program
// is registered there by itself.
func (a *app) chooseResource(r discover.Result, resource string) error {
	settings, err := encode(map[string]any{"base_url": r.BaseURL, "oauth": map[string]string{"resource": resource}})
	if err != nil {
		return err
	}
	return a.useSettings(settings)
}

// chooseProvider goes on with an authorization server: its login needs a client that is registered there.
func (a *app) chooseProvider(ctx context.Context, r discover.Result) error {
	server := map[string]any{"issuer": r.OAuth.Issuer, "client_id": "CLIENT"}
	settings, err := encode(map[string]any{"base_url": r.BaseURL, "oauth": server})
	if err != nil {
		return err
	}
	if !term.IsTerminal(int(a.in.Fd())) {
		if _, err := a.out.Write(settings); err != nil {
			return a.failed("the settings were not printed", err)
		}
		return usage("the login is at "+r.OAuth.Issuer+", and needs a client that is registered there",
			"put its client_id into the settings that were printed, keep them in a file, and give that with --config")
	}
	fmt.Fprintf(a.err, "The login is at %s, and needs a client that is registered there.\n", r.OAuth.Issuer)
	client, err := a.askOn(ctx, "client id", true)
	if err != nil {
		return err
	}
	if server["client_id"] = strings.TrimSpace(client); server["client_id"] == "" {
		return &failure{what: "nothing was sent", do: "register a client at " + r.OAuth.Issuer, code: exitFailed}
	}
	if settings, err = encode(map[string]any{"base_url": r.BaseURL, "oauth": server}); err != nil {
		return err
	}
	return a.useSettings(settings)
}

// useSettings makes settings those of the session.
func (a *app) useSettings(settings json.RawMessage) (err error) {
	if a.profile, err = newProfile(a.options.session, settings, ""); err != nil {
		return usage("the settings that were found are not complete: "+plain(err), "give them with --config")
	}
	return a.overrule()
}

// encode writes a config file.
func encode(members map[string]any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(members)
	return b.Bytes(), err
}
