// Command revocation shows gRPC calls that survive a revocation: 1,000 unary calls and 20 streams, in the middle of which
// every access token is revoked. It needs nothing, and takes a second.
//
//	go run ./adapters/grpcrefresh/examples/revocation
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/adapters/grpcrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

const (
	calls   = 1000
	streams = 20
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	server, err := authtest.Start(authtest.Config{}) // who issues the tokens
	if err != nil {
		return err
	}
	defer server.Close()
	address, stop, err := serve(server)
	if err != nil {
		return err
	}
	defer stop()

	client, err := silentrefresh.New(silentrefresh.Config{
		BaseURL: server.URL(),
		Origins: []string{"http://" + address}, // plain gRPC; with TLS: "https://" + address
	})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Login(ctx, map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}); err != nil {
		return err
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainUnaryInterceptor(grpcrefresh.UnaryClientInterceptor(client)),
		grpc.WithChainStreamInterceptor(grpcrefresh.StreamClientInterceptor(client)))
	if err != nil {
		return err
	}
	defer conn.Close()

	failed := play(ctx, pb.NewTestServiceClient(conn), server.RevokeAccess)
	n := server.Counters()
	fmt.Printf("%d calls and %d streams, revoked in the middle: %d failed; %d refresh, %d rejected by the API\n",
		calls, streams, failed, n.Refreshes, n.APIUnauthorized)
	if failed > 0 {
		return errors.New("calls failed")
	}
	return nil
}

// play makes all calls and streams, and revokes in the middle. It returns how many failed.
func play(ctx context.Context, service pb.TestServiceClient, revoke func()) int64 {
	var all sync.WaitGroup
	var failed atomic.Int64
	for i := range calls {
		if i == calls/2 {
			all.Wait()
			revoke()
		}
		all.Go(func() {
			if _, err := service.UnaryCall(ctx, &pb.SimpleRequest{}); err != nil {
				failed.Add(1)
			}
		})
		if i%(calls/streams) == 0 {
			all.Go(func() {
				if err := echo(ctx, service); err != nil {
					failed.Add(1)
				}
			})
		}
	}
	all.Wait()
	return failed.Load()
}

// echo opens a stream, sends a message and waits for it to come back.
func echo(ctx context.Context, service pb.TestServiceClient) error {
	s, err := service.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	if err := s.Send(&pb.StreamingOutputCallRequest{}); err != nil {
		return err
	}
	if _, err := s.Recv(); err != nil {
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	if _, err := s.Recv(); err != io.EOF {
		return fmt.Errorf("the stream did not end: %w", err)
	}
	return nil
}

// serve starts a gRPC server that takes the tokens of an auth server.
func serve(tokens *authtest.Server) (address string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer()
	pb.RegisterTestServiceServer(server, &service{tokens: tokens})
	go server.Serve(listener)
	return listener.Addr().String(), server.Stop, nil
}

type service struct {
	pb.UnimplementedTestServiceServer
	tokens *authtest.Server
}

// check asks the auth server about the token of a call, as introspection does.
func (s *service) check(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.tokens.URL()+"/me", nil)
	if err != nil {
		return err
	}
	md, _ := metadata.FromIncomingContext(ctx)
	req.Header["Authorization"] = md.Get("authorization")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return status.Error(codes.Unauthenticated, "the token is not valid")
	}
	return nil
}

func (s *service) UnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return &pb.SimpleResponse{}, s.check(ctx)
}

func (s *service) FullDuplexCall(stream grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	if err := s.check(stream.Context()); err != nil {
		return err
	}
	for {
		if _, err := stream.Recv(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}
