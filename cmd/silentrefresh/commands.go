package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

const rekeyHelp = `Sessions stay in use meanwhile, and if it is interrupted, it is called again. It takes the key in the
environment variable SILENTREFRESH_KEY if it is set, else that in the OS keychain, or the one that --key-in names.

  silentrefresh rekey --key-in keychain
`

const dataForms = "a text, @FILE, or - for standard input"

// root returns the program as a command, with all others below it. Cobra reads the flags: unlike kong and ff it brings
// completion for four shells and manual pages, and people know how its flags behave.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "silentrefresh",
		Short: "curl that stays logged in",
		Long: "silentrefresh is curl that stays logged in: it logs in once, keeps the session where later runs and other " +
			"processes find it, and renews it silently.",
		Version:       release(),
		SilenceErrors: true, // run says what went wrong
		SilenceUsage:  true,
		RunE: func(*cobra.Command, []string) error {
			return usage("a command is missing", "silentrefresh --help lists them")
		},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			a.options.remember(c)
			return a.options.fromEnvironment(c, a.env)
		},
	}
	a.options.define(root.PersistentFlags())
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(showHelp)
	root.SetHelpCommand(helpCommand())
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	root.AddCommand(a.loginCmd(), a.learnCmd(), a.requestCmd(), a.tokenCmd(), a.statusCmd(), a.watchCmd(), a.proxyCmd(),
		a.execCmd(), a.renewCmd(), a.listCmd(), a.rekeyCmd(), a.testserverCmd(), a.logoutCmd(), a.versionCmd(), a.manCmd(),
		configTopic())
	a.completes(root)
	cobra.EnableCommandSorting = false // people meet them in this order
	return root
}

// command is one that runs run. Its use is its name and its arguments.
func (a *app) command(use, about, more string, args cobra.PositionalArgs, run func(context.Context, *app) error) *cobra.Command {
	c := &cobra.Command{Use: use, Short: about, Args: args, DisableFlagsInUseLine: true}
	if more != "" {
		c.Long = "silentrefresh " + c.Name() + ": " + about + ".\n\n" + more
	}
	c.Flags().SortFlags = false
	c.RunE = func(c *cobra.Command, args []string) error {
		a.args = args
		return run(c.Context(), a)
	}
	return c
}

func (a *app) loginCmd() *cobra.Command {
	c := a.command("login [URL]", "log in, and keep the session", loginHelp, takes(0, 1), login)
	f, o := c.Flags(), &a.options
	f.StringVarP(&o.data, "data", "d", "", "the credentials, a JSON object: `DATA` is "+dataForms)
	f.StringVar(&o.cookieFile, "cookie-file", "", "take up a browser's session, from a Netscape cookie `FILE`")
	f.StringVar(&o.refreshToken, "refresh-token", "", "take up a session by its refresh token: `FROM` is @FILE, or - for standard input")
	return c
}

func (a *app) learnCmd() *cobra.Command {
	c := a.command("learn FILE.har", "write the settings for a server that works in a browser", learnHelp, takes(0, 1), learn)
	f, o := c.Flags(), &a.options
	f.StringVarP(&o.output, "output", "o", "", "write the settings to this `FILE`")
	f.BoolVar(&o.curl, "curl", false, "read a command line that a browser has copied as cURL")
	return c
}

func (a *app) tokenCmd() *cobra.Command {
	const more = "Where the token lives less than that altogether, it is renewed in the second half of its life."
	c := a.command("token", "print a valid access token, for scripts", more, takes(0, 0), token)
	f, o := c.Flags(), &a.options
	o.minTTL = time.Minute
	f.Var((*duration)(&o.minTTL), "min-ttl", "renew first what is valid for less than this `TIME`")
	f.StringVar(&o.format, "format", "text", "the `FORM` of the output: text, or exec-credential for the users section of a kubeconfig")
	f.BoolVar(&o.json, "json", false, "print a JSON object: access_token, token_type, expires_in and expires_at")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "exec-credential"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (a *app) statusCmd() *cobra.Command {
	const more = `Where there are several sessions, and none is named with --session or --base, it shows a table of all. The exit status is
0, 3 where only a login helps, or 75 where the token could not be renewed for now. With --json it prints an object about the
session that other commands would use; in "sessions" are all. The state "offline" means that no token is valid right now, and
that the next request renews it.`
	c := a.command("status", "say how the sessions stand, without asking the server", more, takes(0, 0), status)
	c.Flags().BoolVar(&a.options.json, "json", false, "as a JSON object")
	return c
}

func (a *app) watchCmd() *cobra.Command {
	const more = "On a terminal it draws the token's life as it goes; in a pipe it prints a line for each event. What other " +
		"processes do to the session is seen within a second, and taken up."
	return a.command("watch", "show what happens to the session, until interrupted", more, takes(0, 0), watch)
}

const secretAbout = "a `SECRET` that requests must show; better given as SILENTREFRESH_SECRET"

func (a *app) proxyCmd() *cobra.Command {
	c := a.command("proxy", "a local server that passes requests on, logged in, for any language", proxyHelp, takes(0, 0), proxy)
	f, o := c.Flags(), &a.options
	f.StringVar(&o.listen, "listen", "127.0.0.1:8090", "the `ADDRESS` to listen on")
	f.StringVar(&o.secret, secretFlag, "", secretAbout)
	f.BoolVar(&o.replaceAuthorization, "replace-authorization", false, "put the session's token in place of the Authorization that requests bring")
	return c
}

func (a *app) execCmd() *cobra.Command {
	c := a.command("exec -- COMMAND...", "run a command with a proxy of its own, at $SILENTREFRESH_URL", execHelp, takes(1, -1), executes)
	c.Annotations = map[string]string{verbatim: "yes"}
	c.Flags().SetInterspersed(false)
	c.Flags().StringVar(&a.options.secret, secretFlag, "", secretAbout)
	return c
}

func (a *app) testserverCmd() *cobra.Command {
	const about = "an auth server and an API to try things out on"
	c := a.command("testserver [-- MORE FLAGS]", about, testserverHelp, takes(0, -1), testserver)
	f, o := c.Flags(), &a.options
	f.StringVar(&o.testListen, "listen", "127.0.0.1:8080", "the `ADDRESS` to listen on")
	o.ttl = 5 * time.Second
	f.Var((*duration)(&o.ttl), "ttl", "how `LONG` an access token is valid")
	return c
}

func (a *app) renewCmd() *cobra.Command {
	const more = `The token is renewed whatever is left of it, unless another process has just done so. What the next request would do by
itself needs no renew: it is for tests, and for an error that only a new token takes away.`
	c := a.command("renew", "get a new access token now", more, takes(0, 0), renew)
	c.SuggestFor = []string{"refresh"}
	return c
}

func (a *app) listCmd() *cobra.Command {
	c := a.command("list", "print the sessions that are stored, one a line: name and server", "", takes(0, 0), list)
	c.SuggestFor = []string{"ls", "sessions"}
	c.Flags().BoolVar(&a.options.json, "json", false, "as a JSON array")
	return c
}

func (a *app) rekeyCmd() *cobra.Command {
	return a.command("rekey", "encrypt all sessions with another key", rekeyHelp, takes(0, 0), rekey)
}

func (a *app) logoutCmd() *cobra.Command {
	return a.command("logout", "end the session, here and at the server", "", takes(0, 0), logout)
}

func (a *app) versionCmd() *cobra.Command {
	return a.command("version", "print the program's version", "", takes(0, 0), version)
}

// configTopic is no command, but something to read.
func configTopic() *cobra.Command {
	return &cobra.Command{Use: "config", Short: "the settings, field by field (to read, with help config)", Long: configHelp}
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "say more about a command, or about the settings (help config)", DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || about == c.Root() && len(rest) > 0 {
				return noCommand(c.Root(), args[len(args)-len(rest)])
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}
