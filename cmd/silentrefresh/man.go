package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

const manHelp = `For instance into /usr/local/share/man/man1, or:

  silentrefresh man ~/.local/share/man/man1 && man silentrefresh-request
`

// man writes the manual pages, one for each command.
func man(_ context.Context, a *app) error {
	dir := a.args[0]
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return a.failed("the folder for the manual pages was not made", err)
	}
	root := new(app).root()
	root.DisableAutoGenTag = true
	for _, c := range append(root.Commands(), root) {
		if err := manPage(c, dir); err != nil {
			return a.failed("the manual pages were not written", err)
		}
	}
	return nil
}

// manPage writes the page of c.
func manPage(c *cobra.Command, dir string) error {
	c.Long = markdown(c.Long)
	if !c.HasParent() {
		c.Long += "\n\n" + markdown(exitHelp)
	}
	header := &doc.GenManHeader{Section: "1", Manual: "silentrefresh", Source: "silentrefresh " + release()}
	var page bytes.Buffer
	if err := doc.GenMan(c, header, &page); err != nil {
		return err
	}
	name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
	return os.WriteFile(filepath.Join(dir, name), page.Bytes(), 0o644)
}

// markdown is a help text as package doc reads it, where what is shown as it is typed has four spaces before it.
func markdown(help string) string {
	var b strings.Builder
	verbatim := false
	for line := range strings.Lines(help) {
		shown := line[0] == ' ' || line[0] == '{'
		if shown && !verbatim {
			b.WriteString("\n")
		}
		if verbatim = shown; shown {
			line = "    " + line
		}
		b.WriteString(line)
	}
	return b.String()
}

func (a *app) manCmd() *cobra.Command {
	return a.command("man FOLDER", "write the manual pages", manHelp, takes(1, 1), man)
}
