// Mcp is an MCP client that stays logged in: the official Go SDK, over an http.Client of ours. It finds the
// authorization server by what the MCP server says, opens the browser once, keeps the session in a store, and asks for
// more scopes when a tool needs them. Without an argument it plays that by itself, with a server on loopback and a
// scripted person.
//
//	go run .
//	go run . https://mcp.example.com/mcp
//	go run . -handler https://mcp.example.com/mcp   # the same through the SDK's own interface for OAuth
//
// It is also the client that the MCP conformance suite tests: see ../../internal/conformance.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/oauth"
)

func main() {
	log.SetFlags(0)
	id := flag.String("client-id", "", "what the authorization server knows this program by; without it, it is registered")
	tool := flag.String("tool", "", "the `name` of a tool to call; without it, each that takes no arguments")
	throughHandler := flag.Bool("handler", false, "log in through the SDK's OAuthHandler instead of the http.Client")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p := program{tool: *tool, throughHandler: *throughHandler}
	var err error
	switch server := flag.Arg(0); {
	case server == "":
		if err = play(ctx, p); err == nil && !p.throughHandler {
			fmt.Println("\nthe same through the SDK's own interface for OAuth")
			p.throughHandler = true
			err = play(ctx, p)
		}
	case underTest():
		err = p.conform(ctx, server)
	default:
		if p.store, err = filestore.Default("silentrefresh-mcp"); err == nil {
			err = p.run(ctx, server, oauth.Config{Resource: server, ClientID: *id})
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}

// A program is what the flags ask for.
type program struct {
	tool           string
	throughHandler bool
	store          silentrefresh.Store
}

// run logs in where nobody is, and uses the server.
func (p program) run(ctx context.Context, server string, c oauth.Config) error {
	client, exchanger, err := p.open(server, c)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Token(ctx)
	if errors.Is(err, silentrefresh.ErrNoSession) || errors.Is(err, silentrefresh.ErrSessionOver) ||
		filestore.Unreadable(err) {
		if err := client.Login(ctx, nil); err != nil {
			return err
		}
	}
	transport := &mcp.StreamableClientTransport{Endpoint: server, DisableStandaloneSSE: true}
	if p.throughHandler {
		transport.OAuthHandler = handler{client}
	} else {
		transport.HTTPClient = &http.Client{Transport: exchanger.StepUp(client, nil)}
	}
	return p.use(ctx, transport)
}

// open makes the client of server.
func (p program) open(server string, c oauth.Config) (*silentrefresh.Client, *oauth.Exchanger, error) {
	base, err := url.Parse(server)
	if err != nil {
		return nil, nil, err
	}
	exchanger, err := oauth.New(c)
	if err != nil {
		return nil, nil, err
	}
	client, err := silentrefresh.New(silentrefresh.Config{
		BaseURL:   base.Scheme + "://" + base.Host,
		Exchanger: exchanger,
		Store:     p.store,
	})
	return client, exchanger, err
}

// use lists the server's tools, and calls them.
func (p program) use(ctx context.Context, transport mcp.Transport) error {
	client := mcp.NewClient(&mcp.Implementation{Name: "silentrefresh-mcp", Version: "0.1.0"}, nil)
	session, err := client.Connect(ctx, transport, nil)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer session.Close()
	list, err := session.ListTools(ctx, nil)
	if err != nil {
		return fmt.Errorf("list the tools: %w", err)
	}
	for _, tool := range list.Tools {
		fmt.Println("tool", tool.Name)
		if p.tool != tool.Name && (p.tool != "" || wantsArguments(tool)) {
			continue
		}
		if _, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool.Name, Arguments: map[string]any{}}); err != nil {
			return fmt.Errorf("call %s: %w", tool.Name, err)
		}
		fmt.Println("called", tool.Name)
	}
	return nil
}

// wantsArguments reports whether tool cannot be called without any.
func wantsArguments(tool *mcp.Tool) bool {
	schema, _ := tool.InputSchema.(map[string]any)
	required, _ := schema["required"].([]any)
	return len(required) > 0
}
