package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/silentrefresh/silentrefresh"
)

// app is one run of a command.
type app struct {
	stdio
	options options
	args    []string
	profile *profile              // once it is chosen
	client  *silentrefresh.Client // once it is connected
	leaving bool                  // the command is a logout

	runsCommand bool // another program's end is this one's
}

// choose finds out which session the command is about: the one that the flags name, else "default", else the only one.
func (a *app) choose() error {
	dir, err := a.folder()
	if err != nil {
		return err
	}
	all, unread := dir.profiles().list()
	if a.options.config != "" {
		return a.chooseConfig()
	}
	var fit []*profile
	base, err := url.Parse(a.options.base)
	if err != nil {
		return usage(a.given("base")+" cannot be parsed", "write it as https://api.example.com")
	}
	for _, p := range all {
		if (a.options.session == "" || p.Session == a.options.session) && (a.options.base == "" || p.origin() == originOf(base)) {
			fit = append(fit, p)
		}
	}
	switch fit = preferred(fit); {
	case len(fit) == 1 && (unread == nil || a.named() || fit[0].Session == "default"):
		a.profile = fit[0]
		if a.profile.remark != nil {
			a.remark(fmt.Errorf("the settings of %s are of a newer version of this program: %w", a.profile.label(), a.profile.remark))
		}
		return a.overrule()
	case len(fit) > 1:
		return ambiguous(fit)
	case a.options.base != "":
		return a.chooseBase()
	case unread != nil:
		return a.unread(unread, all)
	}
	return a.nothing(all)
}

// named reports whether a flag says which session is meant.
func (a *app) named() bool { return a.options.session != "" || a.options.base != "" }

// unread is the failure to find a session where the settings of some can't be read: it may be one of those.
func (a *app) unread(why error, all []*profile) error {
	f := a.failed("the stored settings were not read", why)
	f.do = "log in again, with -base URL or -config FILE: that writes them anew"
	if len(all) > 0 {
		f.do += "; or " + choices(all)
	}
	return f
}

// preferred is the one of fit that is called "default", or fit where not exactly one is.
func preferred(fit []*profile) []*profile {
	var usual []*profile
	for _, p := range fit {
		if p.Session == "default" {
			usual = append(usual, p)
		}
	}
	if len(usual) == 1 {
		return usual
	}
	return fit
}

// chooseConfig is choose for --config.
func (a *app) chooseConfig() error {
	document, err := readConfig(a.options.config)
	if err != nil {
		return err
	}
	if a.profile, err = newProfile(a.options.session, document, ""); err != nil {
		return usage("the config file has a mistake: "+plain(err), "correct it")
	}
	if a.options.base != "" {
		return usage(a.given("config")+" and "+a.given("base")+" are both given", "leave one of the two out: the config file has base_url")
	}
	return a.overrule()
}

// chooseBase is choose for --base where nothing is stored for it.
func (a *app) chooseBase() error {
	document, err := json.Marshal(map[string]string{"base_url": a.options.base})
	if err != nil {
		return err
	}
	if a.profile, err = newProfile(a.options.session, document, ""); err != nil {
		return usage(a.given("base")+": "+plain(err), "write it as https://api.example.com")
	}
	return a.overrule()
}

// overrule lets flags go over what is stored.
func (a *app) overrule() (err error) {
	if a.options.cacert != "" {
		a.profile.CACert, err = filepath.Abs(a.options.cacert)
	}
	return err
}

// nothing is the failure to find a session among all.
func (a *app) nothing(all []*profile) error {
	if a.options.session != "" && len(all) > 0 {
		return &failure{what: fmt.Sprintf("there is no session %q", a.options.session), do: choices(all), code: exitLogin}
	}
	return &failure{what: "nobody is logged in", do: "silentrefresh login --base URL", code: exitLogin}
}

// ambiguous is the failure to choose among fit.
func ambiguous(fit []*profile) *failure {
	return &failure{what: fmt.Sprintf("there are %d sessions", len(fit)), do: choices(fit), code: exitUsage}
}

// choices lists what to type for each of all.
func choices(all []*profile) string {
	lines := []string{"say which one, with --session or --base; there are:"}
	for _, p := range all {
		lines = append(lines, fmt.Sprintf("--base %s --session %s", p.config.BaseURL, quoted(p.Session)))
	}
	return strings.Join(lines, "\n")
}

// loginCommand is what to type to log in to the chosen session.
func (a *app) loginCommand() string {
	if p := a.profile; p != nil && !p.kept && a.options.config == "" && a.options.base == "" {
		return a.hint("login", "config", "session", "dir") + " --base " + quoted(p.config.BaseURL)
	}
	return a.hint("login", "config", "base", "session", "dir")
}

// hint is a command to type, with those of the flags that were typed this time.
func (a *app) hint(command string, flags ...string) string {
	words := []string{"silentrefresh", command}
	for _, name := range flags {
		if value, ok := a.options.typed[name]; ok {
			words = append(words, "--"+name, quoted(value))
		}
	}
	return strings.Join(words, " ")
}

// quoted is s as a shell takes it for one word.
func quoted(s string) string {
	if strings.ContainsAny(s, " \t\n'\"\\$`&;|<>()*?[]#~!{}") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// connect makes the Client of the chosen session. An observer of nil shows only what people should know.
func (a *app) connect(store silentrefresh.Store, observe func(silentrefresh.Event)) (*silentrefresh.Client, error) {
	cfg, err := a.profile.config.client()
	if err != nil {
		return nil, a.wrongSettings(err)
	}
	if cfg.Base, err = a.transport(); err != nil {
		return nil, err
	}
	cfg.Name, cfg.Store, cfg.Observe = a.profile.Session, store, observe
	if observe == nil {
		cfg.Observe = a.notice
	}
	if v, ok := store.(*vault); ok {
		a.logsInAgain(&cfg, v)
	}
	if a.options.verbose {
		cfg.Logger = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if a.client, err = silentrefresh.New(cfg); err != nil {
		return nil, a.wrongSettings(err)
	}
	return a.client, nil
}

// wrongSettings says what is wrong with the settings, and where they are from.
func (a *app) wrongSettings(err error) *failure {
	switch {
	case a.options.config != "":
		return usage(plain(err), "correct "+a.options.config+`; "silentrefresh help config" shows every field`)
	case !a.profile.kept:
		source := a.given("base")
		if a.options.session != "" {
			source += " or " + a.given("session")
		}
		return usage(plain(err), "correct "+source)
	}
	return usage(plain(err), `correct the settings, with "silentrefresh login --config FILE"; "silentrefresh help config" shows them`)
}

// given is how that flag was given: on the command line, or by its variable.
func (a *app) given(flag string) string {
	if _, ok := a.options.typed[flag]; ok {
		return "--" + flag
	}
	return variable(flag)
}

// notice tells what a person who waits should know.
func (a *app) notice(ev silentrefresh.Event) {
	text := plain(ev.Err)
	switch ev.Kind {
	case silentrefresh.EventSaved:
		text = "the session is saved now"
	case silentrefresh.EventWarning, silentrefresh.EventNotSaved, silentrefresh.EventNotRenewable:
	default:
		return
	}
	if !a.options.verbose { // else it is in the log
		fmt.Fprintf(a.err, "silentrefresh: %s\n", text)
	}
}

// transport is what carries all requests: as they are, without a compression that nobody asked for.
func (a *app) transport() (http.RoundTripper, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = t.MaxIdleConns
	if a.profile.CACert == "" {
		return t, nil
	}
	pem, err := readGiven(a.profile.CACert)
	if err != nil {
		return nil, usage("the certificates were not read: "+plain(err), "give a PEM file with --cacert")
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, usage("there is no certificate in "+a.profile.CACert, "give a PEM file with --cacert")
	}
	t.TLSClientConfig = &tls.Config{RootCAs: roots}
	return t, nil
}

// session connects to the chosen session. The caller closes the Client.
func (a *app) session(observe func(silentrefresh.Event)) (*silentrefresh.Client, *vault, error) {
	if err := a.choose(); err != nil {
		return nil, nil, err
	}
	v, err := a.vault()
	if err != nil {
		return nil, nil, err
	}
	c, err := a.connect(v, observe)
	return c, v, err
}

// closing closes c after the command is done, and adds its error to the command's.
func (a *app) closing(c *silentrefresh.Client, result *error) {
	if err := c.Close(); err != nil && *result == nil {
		*result = a.failed("the session was not saved", err)
	}
}
