package connectrefresh_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/adapters/connectrefresh"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// Messages of all procedures.
type (
	text   = wrapperspb.StringValue
	number = wrapperspb.Int64Value
)

// The procedures.
const (
	echo   = "/test.v1.Test/Echo"   // unary
	never  = "/test.v1.Test/Never"  // unary, rejects every token
	chat   = "/test.v1.Test/Chat"   // bidirectional echo, ends with the token
	upload = "/test.v1.Test/Upload" // client stream, sums up lengths
	twice  = "/test.v1.Test/Twice"  // server stream, says it twice
)

// api is a server that takes the tokens of an auth server.
type api struct {
	auth    *fakes.Server
	arrived atomic.Int64
	judging func() // before a token is judged on arrival
}

// check is nil if the token in h is good.
func (a *api) check(h http.Header) error {
	a.auth.Mu.Lock()
	defer a.auth.Mu.Unlock()
	if !a.auth.Access[strings.TrimPrefix(h.Get("Authorization"), "Bearer ")] {
		return connect.NewError(connect.CodeUnauthenticated, errors.New("the token is not valid"))
	}
	return nil
}

func (a *api) arrive(h http.Header) error {
	a.arrived.Add(1)
	if a.judging != nil {
		a.judging()
	}
	return a.check(h)
}

func (a *api) echo(_ context.Context, req *connect.Request[text]) (*connect.Response[text], error) {
	if err := a.arrive(req.Header()); err != nil {
		return nil, err
	}
	return connect.NewResponse(wrapperspb.String(req.Msg.Value)), nil
}

func (a *api) never(context.Context, *connect.Request[text]) (*connect.Response[text], error) {
	a.arrived.Add(1)
	return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("not with any token"))
}

func (a *api) chat(_ context.Context, s *connect.BidiStream[text, text]) error {
	if err := a.arrive(s.RequestHeader()); err != nil {
		return err
	}
	for {
		m, err := s.Receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = a.check(s.RequestHeader())
		}
		if err == nil {
			err = s.Send(m)
		}
		if err != nil {
			return err
		}
	}
}

func (a *api) upload(_ context.Context, s *connect.ClientStream[text]) (*connect.Response[number], error) {
	if err := a.arrive(s.RequestHeader()); err != nil {
		return nil, err
	}
	n := 0
	for s.Receive() {
		n += len(s.Msg().Value)
	}
	return connect.NewResponse(wrapperspb.Int64(int64(n))), s.Err()
}

func (a *api) twice(_ context.Context, req *connect.Request[text], s *connect.ServerStream[text]) error {
	if err := a.arrive(req.Header()); err != nil {
		return err
	}
	return errors.Join(s.Send(req.Msg), s.Send(req.Msg))
}

// serve starts a, over HTTP/2 and TLS.
func serve(t *testing.T, a *api) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(echo, connect.NewUnaryHandler(echo, a.echo))
	mux.Handle(never, connect.NewUnaryHandler(never, a.never))
	mux.Handle(chat, connect.NewBidiStreamHandler(chat, a.chat))
	mux.Handle(upload, connect.NewClientStreamHandler(upload, a.upload))
	mux.Handle(twice, connect.NewServerStreamHandler(twice, a.twice))
	server := httptest.NewUnstartedServer(mux)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// protocols are what clients may speak.
var protocols = map[string]connect.ClientOption{
	"connect": connect.WithClientOptions(), "grpc": connect.WithGRPC(), "grpc-web": connect.WithGRPCWeb(),
}

// A session is a Client of a server, and what makes clients for its procedures.
type session struct {
	*silentrefresh.Client
	url      string
	protocol connect.ClientOption
}

// strangerAt returns a session that is not logged in.
func strangerAt(t *testing.T, server *httptest.Server, as *fakes.Server, protocol connect.ClientOption, change ...func(*silentrefresh.Config)) session {
	t.Helper()
	cfg := silentrefresh.Config{BaseURL: server.URL, Exchanger: as, Base: server.Client().Transport, AuthBase: as}
	for _, ch := range change {
		ch(&cfg)
	}
	client, err := silentrefresh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return session{client, server.URL, protocol}
}

func sessionAt(t *testing.T, server *httptest.Server, as *fakes.Server, protocol connect.ClientOption, change ...func(*silentrefresh.Config)) session {
	t.Helper()
	s := strangerAt(t, server, as, protocol, change...)
	if err := s.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// procedure returns a client for one.
func procedure[Res any](s session, name string) *connect.Client[text, Res] {
	return connect.NewClient[text, Res](s.HTTPClient(), s.url+name, s.protocol,
		connect.WithInterceptors(connectrefresh.NewInterceptor(s.Client)))
}

// say makes a unary call.
func say(ctx context.Context, c *connect.Client[text, text], what string) error {
	resp, err := c.CallUnary(ctx, connect.NewRequest(wrapperspb.String(what)))
	if err == nil && resp.Msg.Value != what {
		return errors.New("it returned something else")
	}
	return err
}

// converse sends a message on a stream and receives one.
func converse(s *connect.BidiStreamForClient[text, text], what string) error {
	if err := s.Send(wrapperspb.String(what)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	m, err := s.Receive()
	if err == nil && m.Value != what {
		return errors.New("another message came back")
	}
	return err
}

// each runs test with each protocol.
func each(t *testing.T, test func(t *testing.T, protocol connect.ClientOption)) {
	for name, protocol := range protocols {
		t.Run(name, func(t *testing.T) { test(t, protocol) })
	}
}

// Without a Logger, warnings go to slog.Default: these tests provoke them.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }
