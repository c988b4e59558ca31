// Package mcpserver is an MCP server on loopback, for plays: the official Go SDK behind an authorization server that
// registers clients and rotates refresh tokens.
package mcpserver

import (
	"context"
	"net"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/silentrefresh/silentrefresh/oauth/internal/fakeop"
)

// A Server is a running one.
type Server struct {
	*fakeop.Provider
	// URL is the MCP endpoint.
	URL    string
	server *http.Server
}

// Start runs the server with the authorization server op, on a port of its own.
func Start(op *fakeop.Provider) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	issuer := "http://" + l.Addr().String()
	tools := tools()
	op.Mount("/mcp", mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return tools }, nil))
	s := &Server{Provider: op, URL: issuer + "/mcp", server: &http.Server{Handler: op.Handler(issuer)}}
	go s.server.Serve(l)
	return s, nil
}

// Close stops the server.
func (s *Server) Close() { s.server.Close() }

// tools is a server with one tool.
func tools() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "play", Version: "0.1.0"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "greet", Description: "says hello"},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "hello"}}}, nil, nil
		})
	return s
}
