package connectrefresh_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// calls makes a unary call, and opens a stream of each kind and receives.
func calls(ctx context.Context, s session, header http.Header) map[string]error {
	errs := map[string]error{}
	set := func(h http.Header) {
		for name, values := range header {
			h[name] = values
		}
	}
	req := connect.NewRequest(wrapperspb.String("x"))
	set(req.Header())
	_, errs["unary"] = procedure[text](s, echo).CallUnary(ctx, req)

	req = connect.NewRequest(wrapperspb.String("x"))
	set(req.Header())
	out, err := procedure[text](s, twice).CallServerStream(ctx, req)
	if err == nil {
		out.Receive()
		err = errors.Join(out.Err(), out.Close())
	}
	errs["server stream"] = err

	up := procedure[number](s, upload).CallClientStream(ctx)
	set(up.RequestHeader())
	_ = up.Send(wrapperspb.String("x")) // what became of it, the end says
	_, errs["client stream"] = up.CloseAndReceive()

	both := procedure[text](s, chat).CallBidiStream(ctx)
	set(both.RequestHeader())
	_ = both.Send(wrapperspb.String("x"))
	_, errs["bidirectional"] = both.Receive()
	both.CloseRequest()
	both.CloseResponse()
	return errs
}

// What was not sent says why, to those who know Connect and to those who know silentrefresh.
func TestCallsThatAreNotSent(t *testing.T) {
	ended, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		become func(*fakes.Server, *silentrefresh.Client)
		code   connect.Code
		is     error
	}{
		"no session": {t.Context(), func(_ *fakes.Server, c *silentrefresh.Client) { c.Logout(t.Context()) },
			connect.CodeUnauthenticated, silentrefresh.ErrNoSession},
		"session over": {t.Context(), func(as *fakes.Server, c *silentrefresh.Client) {
			as.Set(func() { as.Refresh = "" })
			rejectToken(t, c)
		}, connect.CodeUnauthenticated, silentrefresh.ErrSessionOver},
		"closed":   {t.Context(), func(_ *fakes.Server, c *silentrefresh.Client) { c.Close() }, connect.CodeCanceled, silentrefresh.ErrClosed},
		"deadline": {ended, func(_ *fakes.Server, c *silentrefresh.Client) { rejectToken(t, c) }, connect.CodeDeadlineExceeded, context.DeadlineExceeded},
		"away": {t.Context(), func(as *fakes.Server, c *silentrefresh.Client) {
			as.Breakable().Store(true)
			rejectToken(t, c)
		}, connect.CodeUnavailable, nil},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, protocol connect.ClientOption) {
				as := &fakes.Server{}
				a := &api{auth: as}
				s := sessionAt(t, serve(t, a), as, protocol, func(cfg *silentrefresh.Config) { cfg.MaxWait = -1 })
				test.become(as, s.Client)
				for kind, err := range calls(test.ctx, s, nil) {
					if connect.CodeOf(err) != test.code || test.is != nil && !errors.Is(err, test.is) {
						t.Errorf("%s: %v", kind, err)
					}
					if _, ok := errors.AsType[*auth.Error](err); test.is == nil && !ok {
						t.Errorf("%s: no *auth.Error in %v", kind, err)
					}
				}
				if a.arrived.Load() != 0 {
					t.Errorf("%d calls arrived", a.arrived.Load())
				}
			})
		})
	}
}

func rejectToken(t *testing.T, c *silentrefresh.Client) {
	token, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Reject(token)
}

func TestCallsThatBringTheirOwnCredential(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		as := &fakes.Server{Access: map[string]bool{"own": true}}
		s := strangerAt(t, serve(t, &api{auth: as}), as, protocol)
		for token, good := range map[string]bool{"own": true, "wrong": false} {
			for kind, err := range calls(t.Context(), s, http.Header{"Authorization": {"Bearer " + token}}) {
				if good != (err == nil) || !good && connect.CodeOf(err) != connect.CodeUnauthenticated {
					t.Errorf("%s, %s: %v", token, kind, err)
				}
			}
		}
		if as.Count(&as.Calls) != 0 {
			t.Error("the auth server was asked")
		}
	})
}

// Where the token is not sent, a rejection says nothing about it.
func TestOtherOriginsRejectNothing(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		as := &fakes.Server{}
		here, other := serve(t, &api{auth: as}), serve(t, &api{auth: as})
		s := sessionAt(t, here, as, protocol)
		s.url = other.URL
		for kind, err := range calls(t.Context(), s, nil) {
			if connect.CodeOf(err) != connect.CodeUnauthenticated {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if st := s.Status(); st.Generation != 1 || st.State != silentrefresh.StateLoggedIn || as.Count(&as.Refreshes) != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// The call that finds out that the session is over returns the server's error, as a request returns its 401.
func TestTheCallThatFindsOutReturnsTheServersError(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		as := &fakes.Server{}
		s := sessionAt(t, serve(t, &api{auth: as}), as, protocol)
		as.Revoke()
		as.Set(func() { as.Refresh = "" })
		err := say(t.Context(), procedure[text](s, echo), "x")
		if connect.CodeOf(err) != connect.CodeUnauthenticated || errors.Is(err, silentrefresh.ErrSessionOver) {
			t.Errorf("the first: %v", err)
		}
		for kind, err := range calls(t.Context(), s, nil) {
			if !errors.Is(err, silentrefresh.ErrSessionOver) {
				t.Errorf("%s after that: %v", kind, err)
			}
		}
	})
}
