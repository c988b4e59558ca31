package grpcrefresh_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/adapters/grpcrefresh"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// api is a gRPC server that takes the tokens of an auth server.
type api struct {
	pb.UnimplementedTestServiceServer
	auth    *fakes.Server
	arrived atomic.Int64 // calls and streams, with whatever token
	judging func()       // before a token is judged on arrival
}

// check is nil if the call's token is good.
func (a *api) check(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	values := md.Get("authorization")
	if len(values) != 1 {
		return status.Errorf(codes.Unauthenticated, "%d tokens", len(values))
	}
	a.auth.Mu.Lock()
	defer a.auth.Mu.Unlock()
	if !a.auth.Access[strings.TrimPrefix(values[0], "Bearer ")] {
		return status.Error(codes.Unauthenticated, "the token is not valid")
	}
	return nil
}

// arrive checks a call that arrives.
func (a *api) arrive(ctx context.Context) error {
	a.arrived.Add(1)
	if a.judging != nil {
		a.judging()
	}
	return a.check(ctx)
}

func (a *api) UnaryCall(ctx context.Context, req *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if err := a.arrive(ctx); err != nil {
		return nil, err
	}
	return &pb.SimpleResponse{Payload: req.Payload}, nil
}

// EmptyCall rejects every token.
func (a *api) EmptyCall(context.Context, *pb.Empty) (*pb.Empty, error) {
	a.arrived.Add(1)
	return nil, status.Error(codes.Unauthenticated, "not with any token")
}

// FullDuplexCall sends back what it gets, and ends with the token.
func (a *api) FullDuplexCall(s grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	if err := a.arrive(s.Context()); err != nil {
		return err
	}
	for {
		req, err := s.Recv()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = a.check(s.Context())
		}
		if err == nil {
			err = s.Send(&pb.StreamingOutputCallResponse{Payload: req.Payload})
		}
		if err != nil {
			return err
		}
	}
}

// StreamingInputCall counts the bytes that it gets.
func (a *api) StreamingInputCall(s grpc.ClientStreamingServer[pb.StreamingInputCallRequest, pb.StreamingInputCallResponse]) error {
	if err := a.arrive(s.Context()); err != nil {
		return err
	}
	n := 0
	for {
		req, err := s.Recv()
		if err == io.EOF {
			return s.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: int32(n)})
		}
		if err != nil {
			return err
		}
		n += len(req.Payload.Body)
	}
}

// StreamingOutputCall sends the sizes that it was asked for.
func (a *api) StreamingOutputCall(req *pb.StreamingOutputCallRequest, s grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	if err := a.arrive(s.Context()); err != nil {
		return err
	}
	for _, p := range req.ResponseParameters {
		if err := s.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: make([]byte, p.Size)}}); err != nil {
			return err
		}
	}
	return nil
}

// host is the authority of the connections.
const host = "grpc.example.com"

// listed makes plain connections to host get the token.
func listed(cfg *silentrefresh.Config) { cfg.Origins = []string{"http://" + host} }

// clientOf returns a Client of as's, which is logged in.
func clientOf(t *testing.T, as *fakes.Server, change ...func(*silentrefresh.Config)) *silentrefresh.Client {
	t.Helper()
	client := strangerOf(t, as, change...)
	if err := client.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return client
}

// strangerOf returns a Client of as's, which is not logged in.
func strangerOf(t *testing.T, as *fakes.Server, change ...func(*silentrefresh.Config)) *silentrefresh.Client {
	t.Helper()
	cfg := silentrefresh.Config{BaseURL: "https://api.example.com", Exchanger: as, Base: as, AuthBase: as}
	for _, ch := range change {
		ch(&cfg)
	}
	client, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// dial serves a and connects client to it.
func dial(t *testing.T, a *api, client *silentrefresh.Client) pb.TestServiceClient {
	t.Helper()
	return dialVia(t, a, client, func(dial dialer) dialer { return dial })
}

type dialer = func(ctx context.Context, address string) (net.Conn, error)

// dialVia is dial by what via makes of the dialer.
func dialVia(t *testing.T, a *api, client *silentrefresh.Client, via func(dialer) dialer) pb.TestServiceClient {
	t.Helper()
	plain := insecure.NewCredentials()
	return connect(t, client, plain, via(serve(t, a, plain)))
}

// serve serves a, and returns what dials it.
func serve(t *testing.T, a *api, creds credentials.TransportCredentials) dialer {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.Creds(creds))
	pb.RegisterTestServiceServer(server, a)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }
}

// connect returns a connection whose calls are client's.
func connect(t *testing.T, client *silentrefresh.Client, creds credentials.TransportCredentials, dial dialer) pb.TestServiceClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+host,
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(dial),
		grpc.WithChainUnaryInterceptor(grpcrefresh.UnaryClientInterceptor(client)),
		grpc.WithChainStreamInterceptor(grpcrefresh.StreamClientInterceptor(client)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return pb.NewTestServiceClient(conn)
}

// payload has n bytes, the first of which is first.
func payload(first byte, n int) *pb.Payload {
	body := make([]byte, n)
	body[0] = first
	return &pb.Payload{Body: body}
}

// Without a Logger, warnings go to slog.Default: these tests provoke them.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }
