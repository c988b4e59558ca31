package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/suggest"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// takes says that a command takes so many arguments; most -1: any number.
func takes(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if n := len(args); n >= least && (n <= most || most < 0) {
			return nil
		}
		_, wanted, _ := strings.Cut(c.Use, " ")
		if wanted == "" {
			wanted = "no arguments"
		}
		return usage(c.Name()+" takes "+wanted, moreHelp(c))
	}
}

func moreHelp(c *cobra.Command) string { return c.CommandPath() + " --help says more" }

// flagError explains what is wrong with the flags of c.
func flagError(c *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(c, unknown)
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usage(spelled(missing.GetFlag())+" needs a value", moreHelp(c))
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := invalid.GetFlag()
		return usage(fmt.Sprintf("%s %s cannot be read: %s", spelled(f), invalid.GetValue(), badValue(f, invalid.Unwrap())), moreHelp(c))
	}
	return usage(err.Error(), moreHelp(c))
}

// badValue says what is wrong with the value of f.
func badValue(f *pflag.Flag, err error) string {
	if f.Value.Type() == "bool" {
		return "write true or false"
	}
	return err.Error()
}

// spelled is a flag as it is typed.
func spelled(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand
	}
	return "--" + f.Name
}

// unknownFlag says which flag there is instead of one that there is not. Only the flag's own name is shown: what is
// written behind a letter, as in -uNAME:PASSWORD, may be a secret.
func unknownFlag(c *cobra.Command, e *pflag.NotExistError) error {
	name, _, _ := strings.Cut(e.GetSpecifiedName(), "=")
	spelling, meant := "--"+name, name
	if letters := e.GetSpecifiedShortnames(); letters != "" {
		spelling, meant = "-"+name, strings.TrimLeft(letters, "-")
	}
	f := usage(c.Name()+" has no "+spelling, moreHelp(c))
	long := cmp.Or(curlLetters[name], name)
	if do, ok := instead[c.Name()][long]; ok {
		if f.do = do; long != name {
			f.what += " (curl's --" + long + ")"
		}
		return f
	}
	if nearest := suggest.Nearest(meant, flagNames(c)...); nearest != "" {
		f.do = "did you mean --" + nearest + "?"
	}
	return f
}

// flagNames are the long names of the flags of c.
func flagNames(c *cobra.Command) (names []string) {
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// verbatim marks a command whose arguments are a command line of their own.
const verbatim = "verbatim"

// oneDash finds a flag of c with a long name and a single dash in args, which would be taken for letters: -dir for -d ir.
func oneDash(c *cobra.Command, args []string) error {
	for _, arg := range args {
		if arg == "--" || c.Annotations[verbatim] != "" && !strings.HasPrefix(arg, "-") {
			return nil
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if len(name) > 1 && arg[0] == '-' && slices.Contains(flagNames(c), name) {
			return usage(fmt.Sprintf("-%s has one dash", name), "write --"+name)
		}
	}
	return nil
}

// noCommand says that there is no command of that name, and which one is near.
func noCommand(root *cobra.Command, name string) *failure {
	f := usage(fmt.Sprintf("there is no command %q", name), "silentrefresh --help lists them")
	var words []string
	meant := map[string]string{}
	for _, c := range root.Commands() {
		for _, word := range append(c.SuggestFor, c.Name()) {
			if !c.Hidden {
				words, meant[word] = append(words, word), c.Name()
			}
		}
	}
	if nearest := suggest.Nearest(name, words...); nearest != "" {
		f.do = "did you mean " + meant[nearest] + "?"
	}
	return f
}

// unknownCommand is the name that cobra does not know, from its error, which has no type.
func unknownCommand(err error) (name string, ok bool) {
	quoted, ok := strings.CutPrefix(err.Error(), "unknown command ")
	if !ok {
		return "", false
	}
	quoted, qerr := strconv.QuotedPrefix(quoted)
	if qerr != nil {
		return "", false
	}
	name, qerr = strconv.Unquote(quoted)
	return name, qerr == nil
}
