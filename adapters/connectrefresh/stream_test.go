package connectrefresh_test

import (
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/resend"
)

// revoking is an API that revokes every token when the first call arrives.
func revoking(as *fakes.Server) *api {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	return &api{auth: as, judging: func() {
		select {
		case <-first:
			as.Revoke()
		default:
		}
	}}
}

// Messages are sent again as they were when they were sent, and headers too.
func TestAnUploadIsSentAgain(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		for name, sizes := range map[string][]int{
			"small messages": {100, 200, 300}, "a large one": {1 << 20}, "a large one and some more": {1 << 20, 30 << 10, 30 << 10}, "none": {},
		} {
			as := &fakes.Server{}
			a := revoking(as)
			s := procedure[number](sessionAt(t, serve(t, a), as, protocol), upload).CallClientStream(t.Context())
			message, sum := &text{}, 0
			for _, size := range sizes {
				message.Value = strings.Repeat("x", size) // one message for all, which Connect allows
				if err := s.Send(message); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				sum += size
			}
			message.Value = "changed"
			resp, err := s.CloseAndReceive()
			if err != nil || int(resp.Msg.Value) != sum {
				t.Errorf("%s: %v: %v", name, resp, err)
			}
			if _, refreshes, _ := as.Counts(); refreshes != 1 || a.arrived.Load() != 2 {
				t.Errorf("%s: %d refreshes, opened %d times", name, refreshes, a.arrived.Load())
			}
		}
	})
}

// More than is kept cannot be sent again. The next stream has the new token.
func TestAnUploadThatIsTooLongIsRejectedOnce(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		as := &fakes.Server{}
		a := revoking(as)
		uploading := procedure[number](sessionAt(t, serve(t, a), as, protocol), upload)
		s := uploading.CallClientStream(t.Context())
		for n := 0; n <= resend.MaxMessages; n++ {
			if err := s.Send(wrapperspb.String("x")); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		if _, err := s.CloseAndReceive(); connect.CodeOf(err) != connect.CodeUnauthenticated || a.arrived.Load() != 1 {
			t.Errorf("%v, opened %d times", err, a.arrived.Load())
		}
		if resp, err := uploading.CallClientStream(t.Context()).CloseAndReceive(); err != nil || resp.Msg.Value != 0 {
			t.Errorf("the next: %v", err)
		}
		if _, refreshes, _ := as.Counts(); refreshes != 1 || a.arrived.Load() != 2 {
			t.Errorf("%d refreshes, opened %d times", refreshes, a.arrived.Load())
		}
	})
}

func TestAServerStream(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		as := &fakes.Server{}
		a := revoking(as)
		req := connect.NewRequest(wrapperspb.String("hello"))
		req.Header().Set("X-Mine", "kept")
		s, err := procedure[text](sessionAt(t, serve(t, a), as, protocol), twice).CallServerStream(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		n := 0
		for s.Receive() {
			if n++; s.Msg().Value != "hello" {
				t.Errorf("message %d: %s", n, s.Msg().Value)
			}
		}
		if _, refreshes, _ := as.Counts(); s.Err() != nil || n != 2 || refreshes != 1 {
			t.Errorf("%v, %d messages, %d refreshes", s.Err(), n, refreshes)
		}
	})
}

// HTTP/1.1 has no trailers for gRPC and no bidirectional streams, and carries everything else.
func TestOverHTTP1(t *testing.T) {
	for _, name := range []string{"connect", "grpc-web"} {
		t.Run(name, func(t *testing.T) {
			as := &fakes.Server{}
			a := &api{auth: as}
			server := httptest.NewTLSServer(serve(t, a).Config.Handler)
			defer server.Close()
			s := sessionAt(t, server, as, protocols[name])
			for round := range 3 {
				as.Revoke()
				errs := calls(t.Context(), s, nil)
				delete(errs, "bidirectional")
				for kind, err := range errs {
					if err != nil {
						t.Errorf("round %d, %s: %v", round, kind, err)
					}
				}
			}
			if _, refreshes, _ := as.Counts(); refreshes != 3 {
				t.Errorf("%d refreshes", refreshes)
			}
		})
	}
}

// One goroutine sends while another one waits for the first message, for which the stream is opened again.
func TestSendersGoOnWhileTheStreamIsOpenedAgain(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		as := &fakes.Server{}
		renewing := make(chan struct{})
		as.After = fakes.Gated(renewing)
		s := procedure[text](sessionAt(t, serve(t, revoking(as)), as, protocol), chat).CallBidiStream(t.Context())
		const messages = resend.MaxMessages
		go func() {
			for i := range messages {
				if err := s.Send(wrapperspb.String(fmt.Sprint(i))); err != nil {
					t.Errorf("message %d: %v", i, err)
				}
				if i == messages/2 {
					close(renewing)
				}
			}
			s.CloseRequest()
		}()
		for i := range messages {
			if m, err := s.Receive(); err != nil || m.Value != fmt.Sprint(i) {
				t.Fatalf("message %d: %v, %v", i, m, err)
			}
		}
		if _, err := s.Receive(); !errors.Is(err, io.EOF) {
			t.Errorf("its end: %v", err)
		}
		if err := s.CloseResponse(); err != nil {
			t.Error(err)
		}
	})
}
