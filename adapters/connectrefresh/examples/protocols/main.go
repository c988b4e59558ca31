// Command protocols shows Connect calls that survive a revocation, in each of the three protocols: 200 unary calls and 20
// streams, in the middle of which every access token is revoked. It needs nothing, and takes a second.
//
//	go run ./adapters/connectrefresh/examples/protocols
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/adapters/connectrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

const (
	calls   = 200
	streams = 20

	echo = "/example.v1.Example/Echo"
	chat = "/example.v1.Example/Chat"
)

type text = wrapperspb.StringValue

func main() {
	for _, p := range []struct {
		name   string
		option connect.ClientOption
	}{{"Connect", connect.WithClientOptions()}, {"gRPC", connect.WithGRPC()}, {"gRPC-Web", connect.WithGRPCWeb()}} {
		if err := run(context.Background(), p.name, p.option); err != nil {
			log.Fatalf("%s: %v", p.name, err)
		}
	}
}

func run(ctx context.Context, name string, protocol connect.ClientOption) error {
	tokens, err := authtest.Start(authtest.Config{}) // who issues the tokens
	if err != nil {
		return err
	}
	defer tokens.Close()
	api := serve(tokens)
	defer api.Close()

	client, err := silentrefresh.New(silentrefresh.Config{
		BaseURL: tokens.URL(),
		Origins: []string{api.URL},
		Base:    api.Client().Transport, // which knows the certificate
	})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Login(ctx, map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}); err != nil {
		return err
	}
	with := []connect.ClientOption{protocol, connect.WithInterceptors(connectrefresh.NewInterceptor(client))}
	failed := play(ctx,
		connect.NewClient[text, text](client.HTTPClient(), api.URL+echo, with...),
		connect.NewClient[text, text](client.HTTPClient(), api.URL+chat, with...),
		tokens.RevokeAccess)
	n := tokens.Counters()
	fmt.Printf("%-8s %d calls and %d streams, revoked in the middle: %d failed; %d refresh, %d rejected by the API\n",
		name, calls, streams, failed, n.Refreshes, n.APIUnauthorized)
	if failed > 0 {
		return errors.New("calls failed")
	}
	return nil
}

// play makes all calls and streams, and revokes in the middle. It returns how many failed.
func play(ctx context.Context, say, talk *connect.Client[text, text], revoke func()) int64 {
	var all sync.WaitGroup
	var failed atomic.Int64
	for i := range calls {
		if i == calls/2 {
			all.Wait()
			revoke()
		}
		all.Go(func() {
			if _, err := say.CallUnary(ctx, connect.NewRequest(wrapperspb.String("hello"))); err != nil {
				failed.Add(1)
			}
		})
		if i%(calls/streams) == 0 {
			all.Go(func() {
				if err := converse(talk.CallBidiStream(ctx)); err != nil {
					failed.Add(1)
				}
			})
		}
	}
	all.Wait()
	return failed.Load()
}

// converse sends a message and waits for it to come back.
func converse(s *connect.BidiStreamForClient[text, text]) error {
	defer s.CloseResponse()
	defer s.CloseRequest()
	if err := s.Send(wrapperspb.String("hello")); err != nil {
		return err
	}
	_, err := s.Receive()
	return err
}

// serve starts a server that takes the tokens of an auth server.
func serve(tokens *authtest.Server) *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle(echo, connect.NewUnaryHandler(echo, func(ctx context.Context, req *connect.Request[text]) (*connect.Response[text], error) {
		return connect.NewResponse(req.Msg), check(ctx, tokens, req.Header())
	}))
	mux.Handle(chat, connect.NewBidiStreamHandler(chat, func(ctx context.Context, s *connect.BidiStream[text, text]) error {
		if err := check(ctx, tokens, s.RequestHeader()); err != nil {
			return err
		}
		for {
			m, err := s.Receive()
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := s.Send(m); err != nil {
				return err
			}
		}
	}))
	server := httptest.NewUnstartedServer(mux)
	server.EnableHTTP2 = true
	server.StartTLS()
	return server
}

// check asks the auth server about the token of a call, as introspection does.
func check(ctx context.Context, tokens *authtest.Server, h http.Header) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, tokens.URL()+"/me", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", h.Get("Authorization"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return connect.NewError(connect.CodeUnauthenticated, errors.New("the token is not valid"))
	}
	return nil
}
