package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// Where an agent finds the server and the session.
const (
	serverEnv = "SILENTREFRESH_FLEET_SERVER"
	dirEnv    = "SILENTREFRESH_FLEET_DIR"
)

func open(server, dir string, browse func(string) error) (*silentrefresh.Client, *oauth.Exchanger, error) {
	base, err := url.Parse(server)
	if err != nil {
		return nil, nil, err
	}
	store, err := filestore.Open(filestore.Config{Dir: dir})
	if err != nil {
		return nil, nil, err
	}
	exchanger, err := oauth.New(oauth.Config{Resource: server, OpenBrowser: browse, Prompt: func(oauth.Prompt) {}})
	if err != nil {
		return nil, nil, err
	}
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: base.Scheme + "://" + base.Host, Exchanger: exchanger, Store: store})
	return client, exchanger, err
}

// work is an agent: it calls a tool again and again until its input ends.
func work(ctx context.Context, server, dir string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	client, exchanger, err := open(server, dir, func(string) error { return errors.New("an agent logged in again") })
	if err != nil {
		return err
	}
	defer client.Close()
	transport := &mcp.StreamableClientTransport{Endpoint: server, DisableStandaloneSSE: true,
		HTTPClient: &http.Client{Transport: exchanger.StepUp(client, nil)}}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "0.1.0"}, nil).Connect(ctx, transport, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	for {
		_, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "greet", Arguments: map[string]any{}})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
}
