// Package mcpserver is an MCP server on loopback, for plays: the official Go SDK behind an authorization server that
// registers clients and rotates refresh tokens.
package mcpserver

import (
	"context"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// A Server is a running one.
type Server struct {
	*oauthtest.Provider
	// Endpoint is the MCP endpoint's URL.
	Endpoint string
}

// Start runs the server behind an authorization server as config has it.
func Start(config oauthtest.Config) (*Server, error) {
	api, tools := http.NewServeMux(), tools()
	api.Handle("/mcp", mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return tools }, nil))
	config.API = api
	p, err := oauthtest.Start(config)
	if err != nil {
		return nil, err
	}
	return &Server{Provider: p, Endpoint: p.URL() + "/mcp"}, nil
}

// tools is a server with one tool.
func tools() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "play", Version: "0.1.0"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "greet", Description: "says hello"},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "hello"}}}, nil, nil
		})
	return s
}
