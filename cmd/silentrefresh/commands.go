package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A command is one of the things that the program does.
type command struct {
	name     string
	args     string // as the synopsis shows them
	least    int    // how many there must be
	most     int    // and may be; -1: any number
	runs     bool   // the arguments are a command line of their own
	about    string // one line
	more     string // what -h says beside that
	flags    []use
	defaults options
	run      func(ctx context.Context, a *app) error
}

const dataForms = "a text, @FILE, or - for standard input"

// commands returns all of them, in the order in which people meet them.
func commands() []command {
	return []command{
		{name: "login", args: "[URL]", most: 1, run: login, about: "log in, and keep the session", more: loginHelp, flags: []use{
			{"d", "the credentials, a JSON object: `DATA` is " + dataForms},
			{"cookie-file", "take up a browser's session, from a Netscape cookie `FILE`"},
			{"refresh-token", "take up a session by its refresh token: `FROM` is @FILE, or - for standard input"},
		}},
		{name: "learn", args: "FILE.har", most: 1, run: learn,
			about: "write the settings for a server that works in a browser", more: learnHelp, flags: []use{
				{"o", "write the settings to this `FILE`"},
				{"curl", "read a command line that a browser has copied as cURL"},
			}},
		{name: "request", args: "URL-or-path", least: 1, most: 1, run: request,
			about: "send a request, and print the response's body", more: requestHelp, flags: []use{
				{"X", "the `METHOD` (default: GET, and POST where there is data)"},
				{"d", "the body: `DATA` is " + dataForms},
				{"H", "a header, `'Name: value'`; may be repeated"},
				{"i", "print status and headers before the body"},
				{"o", "write the body to this `FILE`"},
			}},
		{name: "token", run: token, about: "print a valid access token, for scripts", defaults: options{minTTL: time.Minute},
			more: "Where the token lives less than that altogether, it is renewed in the second half of its life.\n",
			flags: []use{
				{"min-ttl", "renew first what is valid for less than this `TIME`"},
				{"format", "the `FORM` of the output: text, or exec-credential for the users section of a kubeconfig"},
			}},
		{name: "status", run: status, about: "say how the session stands, without asking the server; exit status 0, or 3: log in first",
			flags: []use{{"json", "as a JSON object"}}},
		{name: "watch", run: watch, about: "show what happens to the session, until interrupted",
			more: "What other processes do is shown when this one looks: when the token is next due.\n"},
		{name: "proxy", run: proxy, about: "a local server that passes requests on, logged in, for any language",
			defaults: options{listen: "127.0.0.1:8090"}, more: proxyHelp, flags: []use{
				{"listen", "the `ADDRESS` to listen on"},
				{"secret", "a `SECRET` that requests must show; better given as " + variable("secret")},
				{"replace-authorization", "put the session's token in place of the Authorization that requests bring"},
			}},
		{name: "exec", args: "-- COMMAND...", least: 1, most: -1, runs: true, run: execute,
			about: "run a command with a proxy of its own, at $SILENTREFRESH_URL", more: execHelp,
			flags: []use{{"secret", "a `SECRET` that requests must show; better given as " + variable("secret")}}},
		{name: "testserver", args: "[-- MORE FLAGS]", most: -1, run: testserver,
			about: "an auth server and an API to try things out on", more: testserverHelp,
			defaults: options{listen: "127.0.0.1:8080", ttl: 5 * time.Second}, flags: []use{
				{"listen", "the `ADDRESS` to listen on"},
				{"ttl", "how `LONG` an access token is valid"},
			}},
		{name: "logout", run: logout, about: "end the session, here and at the server"},
		{name: "version", run: version, about: "print the program's version"},
	}
}

// find returns the command of that name, nil if there is none.
func find(name string) *command {
	all := commands()
	if i := slices.IndexFunc(all, func(c command) bool { return c.name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

// takes says how many arguments c wants.
func (c *command) takes() string {
	if c.args == "" {
		return "no arguments"
	}
	return c.args
}

// help is what -h prints.
func (c *command) help() string {
	o := c.defaults
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	for _, u := range c.flags {
		o.define(f, u)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "silentrefresh %s: %s\n\n  %s\n\n", c.name, c.about,
		strings.TrimSpace("silentrefresh "+c.name+" [flags] "+c.args))
	if c.more != "" {
		fmt.Fprintf(&b, "%s\n", c.more)
	}
	if len(c.flags) > 0 {
		fmt.Fprintf(&b, "Flags of %s:\n%s\n", c.name, flagTable(f))
	}
	return b.String() + commonHelp()
}

// overview is what -h prints without a command.
func overview() string {
	var b strings.Builder
	b.WriteString("silentrefresh is curl that stays logged in.\n\n" +
		"  silentrefresh [flags] COMMAND [flags] [arguments]\n\nCommands (each has a -h of its own):\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-11s %s\n", c.name, c.about)
	}
	return b.String() + "\n" + commonHelp() + exitHelp
}

func commonHelp() string {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	for _, u := range everywhere {
		new(options).define(f, u)
	}
	return "Flags of every command, before or after it; each flag is an environment variable as well,\n" +
		"for instance " + variable("base") + " or " + variable("min-ttl") + ":\n" + flagTable(f)
}

const exitHelp = `
After a login the other commands need neither -config nor -base while there is one session.
"silentrefresh help config" shows the settings.

Exit status: 0 all is well, 22 the server returned 400 or above, 3 log in first, 2 wrong usage, 1 anything else.
`
