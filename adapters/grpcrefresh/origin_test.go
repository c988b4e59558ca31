package grpcrefresh_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// call makes a unary call, and opens a stream and receives.
func call(ctx context.Context, service pb.TestServiceClient) map[string]error {
	_, unary := service.UnaryCall(ctx, &pb.SimpleRequest{Payload: payload(0, 1)})
	s, stream := service.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: 1}}})
	if stream == nil {
		_, stream = s.Recv()
	}
	return map[string]error{"unary": unary, "stream": stream}
}

func TestPlainConnectionsGetNoTokenUnlessListed(t *testing.T) {
	for name, origins := range map[string][]string{
		"not listed": nil, "https is listed": {"https://" + host}, "another port": {"http://" + host + ":8080"},
	} {
		as := &fakes.Server{}
		a := &api{auth: as}
		service := dial(t, a, clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.Origins = origins }))
		for kind, err := range call(t.Context(), service) {
			if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), `"http://`+host+`" in Origins`) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
		if _, refreshes, _ := as.Counts(); a.arrived.Load() != 0 || refreshes != 0 {
			t.Errorf("%s: %d calls arrived, %d refreshes", name, a.arrived.Load(), refreshes)
		}
	}
}

func TestEncryptedConnections(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())
	serving := credentials.NewTLS(&tls.Config{Certificates: web.TLS.Certificates})
	dialling := credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "example.com"})
	for origin, gets := range map[string]bool{"https://example.com": true, "http://example.com": false, "https://" + host: false} {
		as := &fakes.Server{}
		client := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.Origins = []string{origin} })
		service := connect(t, client, dialling, serve(t, &api{auth: as}, serving)) // its authority is the ServerName
		for kind, err := range call(t.Context(), service) {
			if gets != (err == nil) || err != nil && status.Code(err) != codes.Internal {
				t.Errorf("%s, %s: %v", origin, kind, err)
			}
		}
	}
}

// What was not sent says why, to those who know gRPC and to those who know silentrefresh.
func TestCallsThatAreNotSent(t *testing.T) {
	ended, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		client func(as *fakes.Server) *silentrefresh.Client
		code   codes.Code
		is     error
	}{
		"no session": {t.Context(), func(as *fakes.Server) *silentrefresh.Client { return strangerOf(t, as, listed) },
			codes.Unauthenticated, silentrefresh.ErrNoSession},
		"session over": {t.Context(), func(as *fakes.Server) *silentrefresh.Client {
			client := clientOf(t, as, listed)
			as.Set(func() { as.Refresh = "" })
			token, _ := client.Token(t.Context())
			client.Reject(token)
			return client
		}, codes.Unauthenticated, silentrefresh.ErrSessionOver},
		"closed": {t.Context(), func(as *fakes.Server) *silentrefresh.Client {
			client := clientOf(t, as, listed)
			client.Close()
			return client
		}, codes.Canceled, silentrefresh.ErrClosed},
		"deadline": {ended, func(as *fakes.Server) *silentrefresh.Client { return clientOf(t, as, listed) }, codes.DeadlineExceeded, nil},
	} {
		as := &fakes.Server{}
		service := dial(t, &api{auth: as}, test.client(as))
		for kind, err := range call(test.ctx, service) {
			if status.Code(err) != test.code || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
}

func TestAnAuthServerThatIsAway(t *testing.T) {
	as := &fakes.Server{}
	client := clientOf(t, as, listed, func(cfg *silentrefresh.Config) { cfg.MaxWait = -1 })
	service := dial(t, &api{auth: as}, client)
	as.Breakable().Store(true)
	token, err := client.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client.Reject(token)
	for kind, err := range call(t.Context(), service) {
		failed, ok := errors.AsType[*auth.Error](err)
		if status.Code(err) != codes.Unavailable || !ok || failed.Status != 503 {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// The call that finds out that the session is over returns the server's status, as a request returns its 401.
func TestTheCallThatFindsOutReturnsTheServersStatus(t *testing.T) {
	as := &fakes.Server{}
	service := dial(t, &api{auth: as}, clientOf(t, as, listed))
	as.Revoke()
	as.Set(func() { as.Refresh = "" })
	_, err := service.UnaryCall(t.Context(), &pb.SimpleRequest{Payload: payload(0, 1)})
	if status.Convert(err).Message() != "the token is not valid" {
		t.Errorf("the first: %v", err)
	}
	for kind, err := range call(t.Context(), service) {
		if !errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("%s after that: %v", kind, err)
		}
	}
}

// ownCredentials are a caller's.
type ownCredentials struct{ token string }

func (c ownCredentials) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + c.token}, nil
}
func (ownCredentials) RequireTransportSecurity() bool { return false }

func TestCallsThatBringTheirOwnCredential(t *testing.T) {
	as := &fakes.Server{}
	service := dial(t, &api{auth: as}, strangerOf(t, as)) // neither logged in nor listed
	as.Set(func() { as.Access = map[string]bool{"own": true} })
	for token, code := range map[string]codes.Code{"own": codes.OK, "wrong": codes.Unauthenticated} {
		if _, err := service.UnaryCall(t.Context(), &pb.SimpleRequest{Payload: payload(0, 1)}, grpc.PerRPCCredentials(ownCredentials{token})); status.Code(err) != code {
			t.Errorf("%s, as credentials: %v", token, err)
		}
		ctx := metadata.AppendToOutgoingContext(t.Context(), "Authorization", "Bearer "+token)
		for kind, err := range call(ctx, service) {
			if status.Code(err) != code {
				t.Errorf("%s, as metadata, %s: %v", token, kind, err)
			}
		}
	}
	if as.Count(&as.Calls) != 0 {
		t.Error("the auth server was asked")
	}
}
