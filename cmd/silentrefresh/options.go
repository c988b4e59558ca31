package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// options are the values of all flags. Each command takes some of them.
type options struct {
	config, base, session, dir, cacert string
	keyIn                              string
	verbose                            bool

	request                        requestOptions
	data, cookieFile, refreshToken string        // login
	output                         string        // learn
	minTTL                         time.Duration // token
	format                         string
	replaceAuthorization           bool          // proxy
	json                           bool          // status, list, token
	curl                           bool          // learn
	listen, secret, testListen     string        // proxy, testserver
	ttl                            time.Duration // testserver

	typed map[string]string // the flags that stand on the command line, not in the environment
}

// define adds the flags of every command to f.
func (o *options) define(f *pflag.FlagSet) {
	f.StringVar(&o.config, "config", "", "read the settings from this JSON `FILE`")
	f.StringVar(&o.base, "base", "", "the server's `URL`, where the usual settings do")
	f.StringVar(&o.session, "session", "", `the session's `+"`NAME`"+`; without it the one called "default", else the only one`)
	f.StringVar(&o.dir, "dir", "", "keep sessions in this `FOLDER` instead of the user's configuration folder")
	f.StringVar(&o.keyIn, "key-in", "", "keep the key of new sessions in this `PLACE`: environment, keychain or file")
	f.StringVar(&o.cacert, "cacert", "", "trust the certificates in this PEM `FILE`, too")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log to standard error what happens; never a secret")
}

// variable is the environment variable of a flag that means the same in every command that takes it.
func variable(flag string) string {
	return "SILENTREFRESH_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// secretFlag is in several commands, and means the same in all of them.
const secretFlag = "secret"

// variableOf is the environment variable of a flag of c. It has the command's name in it where the flag is the command's
// own: what was meant for one command does not reach another that has a flag of that name.
func variableOf(c *cobra.Command, f *pflag.Flag) string {
	if f.Name == secretFlag || c.InheritedFlags().Lookup(f.Name) != nil {
		return variable(f.Name)
	}
	return variable(c.Name() + "-" + f.Name)
}

// fromEnvironment sets the flags of c that do not stand on the command line from their variables.
func (o *options) fromEnvironment(c *cobra.Command, env func(string) string) (err error) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		name := variableOf(c, f)
		v := env(name)
		if v == "" || f.Changed || f.Name == "help" || err != nil {
			return
		}
		if bad := f.Value.Set(v); bad != nil {
			err = usage(name+"="+v+" cannot be read: "+badValue(f, bad), "correct it, or unset it")
		}
	})
	return err
}

// remember notes which flags stand on the command line.
func (o *options) remember(c *cobra.Command) {
	o.typed = map[string]string{}
	c.Flags().Visit(func(f *pflag.Flag) { o.typed[f.Name] = f.Value.String() })
}
