package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint/discover"
)

const learnHelp = `In the browser's developer tools, record with "Preserve log" on: log in, use the page, stay until the token was
renewed (or reload), log out. Export that as HAR, with sensitive data. The configuration that follows goes to standard
output, or with -o into a file; what it was concluded from, and what is missing, to standard error. No token, cookie or
password of the recording is in either of them.

  silentrefresh learn -o config.json recording.har
  silentrefresh login --config config.json

With --curl it reads a command line that a browser has copied ("Copy as cURL"), from standard input or as the argument.
Its cookies or token are thrown away, unless a session is named for them:

  silentrefresh learn --curl --session default < copied
`

// learn writes the configuration for a server that works in a browser.
func learn(ctx context.Context, a *app) error {
	if a.options.curl {
		return a.learnCurl(ctx)
	}
	if len(a.args) != 1 {
		return usage("learn takes one recording", "silentrefresh learn FILE.har, or - for standard input")
	}
	r, err := a.learnRecording(a.args[0])
	if err != nil {
		return err
	}
	return a.present(r)
}

func (a *app) learnRecording(file string) (discover.Result, error) {
	var in io.Reader = a.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return discover.Result{}, usage("the recording was not read: "+plain(err), "give the path of a HAR file")
		}
		defer f.Close()
		in = f
	}
	r, err := discover.Recording(in)
	if err != nil {
		return r, usage(plain(err), "export the recording again, in HAR format")
	}
	return r, nil
}

// learnCurl reads a copied command line.
func (a *app) learnCurl(ctx context.Context) error {
	line := strings.Join(a.args, " ")
	if line == "" || line == "-" {
		text, err := io.ReadAll(io.LimitReader(a.in, discover.MaxCurl+1))
		if err != nil {
			return usage("standard input was not read: "+plain(err), "")
		}
		line = string(text)
	}
	r, err := discover.Curl(line)
	if err != nil {
		return usage(plain(err), "copy the request in the browser, as cURL (bash), and give it on standard input")
	}
	if err := a.present(r); err != nil {
		return err
	}
	if name, named := a.options.typed["session"]; named && name != "" {
		return a.takeUp(ctx, r)
	}
	if hasSession(r.Session) {
		fmt.Fprintln(a.err, "The session of the command was thrown away; --session NAME keeps it.")
	}
	return nil
}

func hasSession(s auth.Session) bool {
	return len(s.Cookies) > 0 || !s.AccessToken.IsZero() || !s.RefreshToken.IsZero()
}

// takeUp makes the command line's session the tool's.
func (a *app) takeUp(ctx context.Context, r discover.Result) (err error) {
	if !hasSession(r.Session) {
		return usage("there is no session in that command line: it has neither a cookie nor a token",
			"copy a request that was made while you were logged in")
	}
	document, err := document(r)
	if err != nil {
		return err
	}
	if a.profile, err = newProfile(a.options.session, document, ""); err != nil {
		return usage(plain(err), "")
	}
	if err := a.overrule(); err != nil {
		return err
	}
	v, err := a.vault()
	if err != nil {
		return err
	}
	v.access = changing
	c, err := a.connect(v, nil)
	if err != nil {
		return err
	}
	defer a.closing(c, &err)
	if err := v.ready(ctx); err != nil {
		return a.failed("the session was not taken up: it could not be kept", err)
	}
	if err := c.Resume(ctx, r.Session); err != nil {
		return a.failed("the session was not taken up", err)
	}
	fmt.Fprintf(a.err, "Took up the session, as %s\nNext: %s /me\n", a.profile.label(), a.next("request"))
	return nil
}

// present prints what was found, and writes the configuration.
func (a *app) present(r discover.Result) error {
	a.tell(r)
	if r.BaseURL == "" {
		do := cmp.Or(strings.Join(r.Missing, "\n"), "record a login")
		return &failure{what: "no configuration follows from that", do: do, code: exitFailed}
	}
	config, err := document(r)
	if err != nil {
		return err
	}
	if a.options.output == "" {
		_, err := a.out.Write(config)
		return err
	}
	if err := os.WriteFile(a.options.output, config, 0o600); err != nil {
		return a.failed("the configuration was not written", err)
	}
	fmt.Fprintf(a.err, "Next: silentrefresh login --config %s\n", quoted(a.options.output))
	if r.Example != "" {
		fmt.Fprintf(a.err, "      silentrefresh request %s\n", quoted(r.Example))
	}
	return nil
}

// tell prints what was found and what is missing, for people.
func (a *app) tell(r discover.Result) {
	for _, f := range r.Findings {
		fmt.Fprintf(a.err, "%-8s %s\n", f.Sure, f.What)
		for _, e := range f.From {
			fmt.Fprintf(a.err, "         %s\n", e)
		}
	}
	for _, m := range r.Missing {
		fmt.Fprintf(a.err, "missing  %s\n", m)
	}
}

// document is the config file for r, without what is the usual thing.
func document(r discover.Result) (json.RawMessage, error) {
	c := config{
		BaseURL: r.BaseURL, Origins: r.Origins, Settings: r.Settings, Attach: attached(r.Attach),
		RejectedStatus: r.RejectedStatus, RejectedIf: r.RejectedIf, HandOutHeader: r.HandOutHeader, Ask: r.Ask,
	}
	whole, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(whole))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return nil, err
	}
	for _, name := range []string{"timeout", "max_wait", "refresh_before", "max_age"} {
		delete(members, name)
	}
	for _, call := range []string{"login", "refresh", "logout"} {
		prune(members[call])
	}
	prune(members)
	return encode(members)
}

func attached(a auth.Attach) attach {
	s := attach{Header: a.Header, Bare: a.Bare, Cookies: a.Cookies}
	if a.Scheme != "" {
		s.Scheme = &a.Scheme
	}
	return s
}

// prune removes members that say nothing, outside of the fields that a call sends.
func prune(v any) {
	o, ok := v.(map[string]any)
	if !ok {
		return
	}
	for name, inner := range o {
		if name != "fields" && name != "headers" {
			prune(inner)
		}
		list, isList := inner.([]any)
		object, isObject := inner.(map[string]any)
		if inner == nil || inner == "" || inner == false || isList && len(list) == 0 || isObject && len(object) == 0 {
			delete(o, name)
		}
	}
}
