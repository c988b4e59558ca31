package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/journey"
)

// app is one run of a command.
type app struct {
	stdio
	options options
	args    []string
	profile *profile              // once it is chosen
	client  *silentrefresh.Client // once it is connected
	leaving bool                  // the command is a logout
	wait    wait                  // what a person sees meanwhile

	runsCommand bool // another program's end is this one's
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
	if provider := a.profile.config.OAuth; provider != nil && a.wait.live != nil {
		provider.Prompt = a.prompt
	}
	cfg, err := a.profile.config.client()
	if err != nil {
		return nil, a.wrongSettings(err)
	}
	t, err := a.transport()
	if err != nil {
		return nil, err
	}
	cfg.Base, cfg.AuthBase = journey.Transport{Transport: t}, t // a pool of its own is made of the second
	cfg.Name, cfg.Store, cfg.Observe = a.profile.Session, store, observe
	if observe == nil {
		cfg.Observe = a.notice
	}
	cfg.Observe = a.wait.observing(cfg.Observe)
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
func (a *app) transport() (*http.Transport, error) {
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
	for late := time.Now().Add(time.Second); c.Status().EventsWaiting > 0 && time.Now().Before(late); {
		time.Sleep(time.Millisecond) // the last notice is still to be printed
	}
}
