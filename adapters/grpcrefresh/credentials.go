package grpcrefresh

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

// perRPC are the credentials of one call. gRPC asks for them when the connection is there, and again if it resends.
type perRPC struct {
	client *silentrefresh.Client
	call   *silentrefresh.Call
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (p *perRPC) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	for _, s := range uri {
		if err := p.check(ctx, s); err != nil {
			return nil, err
		}
	}
	token, err := p.call.Token(ctx)
	if err != nil {
		return nil, unsent(err)
	}
	header, value := p.client.Attach().Value(token.Value.Reveal())
	return map[string]string{strings.ToLower(header): value}, nil
}

// RequireTransportSecurity is false because check requires it, except from origins that are listed as plain http.
func (p *perRPC) RequireTransportSecurity() bool { return false }

// check reports why the token is not sent to uri, in which gRPC writes https whatever the connection is.
func (p *perRPC) check(ctx context.Context, uri string) error {
	u, err := url.Parse(uri)
	if err != nil {
		return &failure{errors.New("grpcrefresh: the token is not sent, because the authority of the connection cannot be parsed"), codes.Internal}
	}
	if encrypted(ctx) {
		u.Scheme = "https"
	} else {
		u.Scheme = "http"
	}
	if p.client.GetsToken(u) {
		return nil
	}
	origin := u.Scheme + "://" + u.Host
	advice := fmt.Sprintf("if it should be, list %q in Origins", origin)
	if u.Scheme == "http" {
		advice = fmt.Sprintf("the connection is not encrypted; use TLS, or list %q in Origins", origin)
	}
	return &failure{fmt.Errorf("grpcrefresh: the token is not sent to %s, which is not among the origins that get it: %s", origin, advice),
		codes.Internal}
}

// encrypted reports whether the connection of a call is, by what its transport credentials say.
func encrypted(ctx context.Context) bool {
	ri, ok := credentials.RequestInfoFromContext(ctx)
	return ok && ri.AuthInfo != nil && credentials.CheckSecurityLevel(ri.AuthInfo, credentials.PrivacyAndIntegrity) == nil
}

// bringsCredential reports whether the caller has set a credential: for this call, or as the metadata that would carry
// the token.
func bringsCredential(ctx context.Context, client *silentrefresh.Client, opts []grpc.CallOption) bool {
	for _, o := range opts {
		if _, own := o.(grpc.PerRPCCredsCallOption); own {
			return true
		}
	}
	md, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		return false
	}
	header, _ := client.Attach().Value("")
	return len(md.Get(header)) > 0
}

// A failure is why a call was not sent. gRPC hands it through as it is, since it has a status.
type failure struct {
	err  error
	code codes.Code
}

func (f *failure) Error() string              { return f.err.Error() }
func (f *failure) Unwrap() error              { return f.err }
func (f *failure) GRPCStatus() *status.Status { return status.New(f.code, f.err.Error()) }

// unsent is a failure for an error of Call.Token.
func unsent(err error) error {
	code := codes.Internal
	var failed *auth.Error
	switch {
	case errors.Is(err, silentrefresh.ErrNoSession), errors.Is(err, silentrefresh.ErrSessionOver):
		code = codes.Unauthenticated
	case errors.Is(err, silentrefresh.ErrClosed), errors.Is(err, context.Canceled):
		code = codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	case errors.As(err, &failed):
		code = codes.Unavailable
	}
	return &failure{err, code}
}
