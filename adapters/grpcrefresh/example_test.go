package grpcrefresh_test

import (
	"context"
	"fmt"
	"log"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/adapters/grpcrefresh"
)

// A connection whose calls are logged in. Where nobody has logged in yet, a call says so without being sent.
func Example() {
	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	conn, err := grpc.NewClient("api.example.com:443",
		grpc.WithTransportCredentials(credentials.NewTLS(nil)),
		grpc.WithChainUnaryInterceptor(grpcrefresh.UnaryClientInterceptor(client)),
		grpc.WithChainStreamInterceptor(grpcrefresh.StreamClientInterceptor(client)))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // this is an example: it goes nowhere
	_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	fmt.Println(status.Code(err) == codes.Canceled)
	// Output: true
}
