package main

import (
	"fmt"
	"strings"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/suggest"
	"github.com/spf13/cobra"
)

// completes lets shells complete what only the tool knows: the sessions that there are, and where.
func (a *app) completes(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil {
		c.Args, c.RunE = cobra.ArbitraryArgs, noShell
	}
	register := func(flag string, value func(*profile) string) {
		err := root.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return a.known(c, begun, value), cobra.ShellCompDirectiveNoFileComp
		})
		if err != nil {
			panic(err) // there is no such flag
		}
	}
	if err := root.RegisterFlagCompletionFunc("key-in", cobra.FixedCompletions(keyPlaces, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
	register("session", func(p *profile) string { return p.Session })
	register("base", func(p *profile) string { return p.config.BaseURL })
}

// known are the values of the sessions that begin with begun. What goes wrong is not for a shell to show.
func (a *app) known(c *cobra.Command, begun string, value func(*profile) string) (found []string) {
	if a.options.fromEnvironment(c, a.env) != nil {
		return nil
	}
	dir, err := a.folder()
	if err != nil {
		return nil
	}
	all, err := dir.profiles().list()
	if err != nil {
		return nil
	}
	for _, p := range all {
		if v := value(p); strings.HasPrefix(v, begun) {
			found = append(found, v)
		}
	}
	return found
}

// noShell says for which shells there is completion.
func noShell(c *cobra.Command, args []string) error {
	var shells []string
	for _, shell := range c.Commands() {
		shells = append(shells, shell.Name())
	}
	if len(args) == 0 {
		return usage("completion takes the name of a shell", "give "+strings.Join(shells, ", "))
	}
	f := usage(fmt.Sprintf("there is no completion for %q", args[0]), "there is one for "+strings.Join(shells, ", "))
	if nearest := suggest.Nearest(args[0], shells...); nearest != "" {
		f.do = "did you mean " + nearest + "?"
	}
	return f
}
