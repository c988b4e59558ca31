package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/examples/mcp/internal/mcpserver"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// play is the program with a scripted person: it starts four times, logs in once, and asks for one more scope when the
// server wants it.
func play(ctx context.Context, p program) error {
	server, err := mcpserver.Start(oauthtest.Config{Plain: true, Registers: true, TokenTTL: 2 * time.Second})
	if err != nil {
		return err
	}
	defer server.Close()
	dir, err := os.MkdirTemp("", "silentrefresh-mcp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pages := 0
	c := oauth.Config{
		Resource: server.Endpoint,
		OpenBrowser: func(page string) error {
			pages++
			return server.Browse("ada")(page)
		},
		Prompt: func(oauth.Prompt) { fmt.Println("the browser opens") },
	}
	fmt.Println("a play: the MCP server is on loopback, and the person at the browser is scripted")
	for start := 1; start <= 4; start++ {
		fmt.Println("start", start)
		switch start {
		case 3:
			fmt.Println("the access token has expired")
			time.Sleep(2 * time.Second)
		case 4:
			fmt.Println("the server wants the scope write")
			server.Change(func(c *oauthtest.Config) { c.NeedScope = "write" })
		}
		if p.store, err = filestore.Open(filestore.Config{Dir: dir}); err != nil {
			return err
		}
		if err := p.run(ctx, server.Endpoint, c); err != nil {
			return err
		}
	}
	if pages != 2 || server.Counters().Reuses != 0 {
		return fmt.Errorf("the browser opened %d times, and %d refresh tokens were presented twice", pages, server.Counters().Reuses)
	}
	fmt.Println("4 starts, 1 login, 1 request for more")
	return nil
}
