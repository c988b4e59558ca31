package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// completes lets shells complete what only the tool knows: the sessions that there are, and where.
func (a *app) completes(root *cobra.Command) {
	register := func(flag string, value func(*profile) string) {
		err := root.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return a.known(c, begun, value), cobra.ShellCompDirectiveNoFileComp
		})
		if err != nil {
			panic(err) // there is no such flag
		}
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
