package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// columns are those of the smallest terminal that help is written for.
const columns = 80

const exitHelp = `After a login the other commands need neither --config nor --base while there is one session.
"silentrefresh help config" shows the settings.

Exit status: 0 all is well, 22 the server returned 400 or above, 3 only a login helps, 75 it passes: try again later, 2 wrong usage, 1 anything else. A signal ends it as a signal does.
`

// showHelp prints what -h does.
func showHelp(c *cobra.Command, _ []string) {
	out := c.OutOrStdout()
	fmt.Fprintf(out, "%s\n\n", filled(cmp.Or(c.Long, c.Short+"."), columns))
	if c.Runnable() || c.HasAvailableSubCommands() {
		showUsage(out, c)
	}
}

// showUsage prints how c is typed.
func showUsage(out io.Writer, c *cobra.Command) {
	fmt.Fprintf(out, "Usage:\n  %s\n", usageLine(c))
	if c.HasAvailableSubCommands() {
		fmt.Fprint(out, "\nCommands (each has a --help of its own):\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
				fmt.Fprintf(out, "  %-11s %s\n", sub.Name(), indented(sub.Short, 14))
			}
		}
	}
	if c.HasParent() {
		showFlags(out, "Flags:", c.LocalFlags())
	}
	common := c.Root().PersistentFlags()
	showFlags(out, "Flags of every command, before or after it:", common)
	if c.HasParent() {
		fmt.Fprintf(out, "\n%s\n", filled(variablesHelp(c), columns))
		return
	}
	fmt.Fprintf(out, "\n%s\n", filled(exitHelp, columns))
}

// variablesHelp says which environment variables stand for the flags of c.
func variablesHelp(c *cobra.Command) string {
	text := "Each flag is a variable, too: " + variable("base") + " and the like in every command"
	own := false
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { own = own || f.Name != "help" })
	if own {
		text += ", " + variable(c.Name()+"-FLAG") + " for a flag of this one"
	}
	return text + "."
}

func showFlags(out io.Writer, title string, flags *pflag.FlagSet) {
	if text := flags.FlagUsagesWrapped(columns); text != "" {
		fmt.Fprintf(out, "\n%s\n%s", title, text)
	}
}

// usageLine is c as it is typed.
func usageLine(c *cobra.Command) string {
	if !c.HasParent() {
		return c.Name() + " COMMAND [flags] [arguments]"
	}
	name, args, _ := strings.Cut(c.Use, " ")
	return strings.TrimSpace(c.Parent().CommandPath() + " " + name + " [flags] " + args)
}

// filled is text in lines that are not longer than width, without the last newline. Lines that are indented, and what
// begins with a brace, stay as they are.
func filled(text string, width int) string {
	var out, words []string
	flush := func() {
		out = append(out, lines(words, width)...)
		words = nil
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line != "" && !strings.ContainsRune(" \t{", rune(line[0])) {
			words = append(words, strings.Fields(line)...)
			continue
		}
		flush()
		out = append(out, line)
	}
	flush()
	return strings.Join(out, "\n")
}

// lines puts words into lines that are not longer than width.
func lines(words []string, width int) (all []string) {
	for _, w := range words {
		if last := len(all) - 1; last >= 0 && len(all[last])+1+len(w) <= width {
			all[last] += " " + w
		} else {
			all = append(all, w)
		}
	}
	return all
}

// indented is text filled to the right of a column.
func indented(text string, column int) string {
	return strings.ReplaceAll(filled(text, columns-column), "\n", "\n"+strings.Repeat(" ", column))
}
