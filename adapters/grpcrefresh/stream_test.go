package grpcrefresh_test

import (
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/resend"
)

// revoking is an API that revokes every token when the first call arrives. The caller closes gate to let it judge.
func revoking(as *fakes.Server, gate <-chan struct{}) *api {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	return &api{auth: as, judging: func() {
		select {
		case <-first:
			as.Revoke()
			<-gate
		default:
		}
	}}
}

// What was sent before the rejection, and what is sent after it and before anybody has noticed, arrives in order.
func TestAnUploadIsSentAgain(t *testing.T) {
	for name, sizes := range map[string][]int{
		"small messages":            {100, 200, 300},
		"a large one":               {1 << 20},
		"a large one and some more": {1 << 20, 30 << 10, 30 << 10},
		"none":                      {},
	} {
		t.Run(name, func(t *testing.T) {
			as, gate := &fakes.Server{}, make(chan struct{})
			a := revoking(as, gate)
			s, err := dial(t, a, clientOf(t, as, listed)).StreamingInputCall(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sum := 0
			for i, size := range sizes {
				if err := s.Send(&pb.StreamingInputCallRequest{Payload: payload(0, size)}); err != nil {
					t.Fatal(err)
				}
				if sum += size; i == 0 {
					close(gate)
				}
			}
			if len(sizes) == 0 {
				close(gate)
			}
			resp, err := s.CloseAndRecv()
			if err != nil || int(resp.AggregatedPayloadSize) != sum {
				t.Errorf("%v, %d bytes of %d arrived", err, resp.GetAggregatedPayloadSize(), sum)
			}
			if _, refreshes, _ := as.Counts(); refreshes != 1 || a.arrived.Load() != 2 {
				t.Errorf("%d refreshes, opened %d times", refreshes, a.arrived.Load())
			}
		})
	}
}

// More than is kept cannot be sent again. The next stream has the new token.
func TestAnUploadThatIsTooLongIsRejectedOnce(t *testing.T) {
	as, gate := &fakes.Server{}, make(chan struct{})
	close(gate)
	a := revoking(as, gate)
	service := dial(t, a, clientOf(t, as, listed))
	s, err := service.StreamingInputCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if err := s.Send(&pb.StreamingInputCallRequest{Payload: payload(0, 1000)}); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		} else if n > 10_000 {
			t.Fatal("it does not end")
		}
	}
	if _, err := s.CloseAndRecv(); status.Code(err) != codes.Unauthenticated || a.arrived.Load() != 1 {
		t.Errorf("%v, opened %d times", err, a.arrived.Load())
	}
	s, err = service.StreamingInputCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := s.CloseAndRecv(); err != nil || resp.AggregatedPayloadSize != 0 {
		t.Errorf("the next: %v", err)
	}
	if _, refreshes, _ := as.Counts(); refreshes != 1 || a.arrived.Load() != 2 {
		t.Errorf("%d refreshes, opened %d times", refreshes, a.arrived.Load())
	}
}

// One goroutine sends while another one waits for the first message, for which the stream is opened again.
func TestSendersGoOnWhileTheStreamIsOpenedAgain(t *testing.T) {
	as, gate := &fakes.Server{}, make(chan struct{})
	close(gate)
	renewing := make(chan struct{})
	as.After = fakes.Gated(renewing)
	s, err := dial(t, revoking(as, gate), clientOf(t, as, listed)).FullDuplexCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const messages = resend.MaxMessages
	go func() {
		for i := range messages {
			if err := s.Send(&pb.StreamingOutputCallRequest{Payload: payload(byte(i), 10)}); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
			if i == messages/2 {
				close(renewing)
			}
		}
		s.CloseSend()
	}()
	for i := range messages {
		resp, err := s.Recv()
		if err != nil || resp.Payload.Body[0] != byte(i) {
			t.Fatalf("message %d: %v, %v", i, resp, err)
		}
	}
	if _, err := s.Recv(); err != io.EOF {
		t.Errorf("its end: %v", err)
	}
}

func TestAServerStream(t *testing.T) {
	as, gate := &fakes.Server{}, make(chan struct{})
	close(gate)
	s, err := dial(t, revoking(as, gate), clientOf(t, as, listed)).StreamingOutputCall(t.Context(), &pb.StreamingOutputCallRequest{
		Payload: payload(0, 100_000), ResponseParameters: []*pb.ResponseParameters{{Size: 1}, {Size: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 2} {
		if resp, err := s.Recv(); err != nil || len(resp.Payload.Body) != want {
			t.Fatalf("message %d: %v", want, err)
		}
	}
	if _, err := s.Recv(); err != io.EOF {
		t.Error(err)
	}
	if _, refreshes, _ := as.Counts(); refreshes != 1 {
		t.Errorf("%d refreshes", refreshes)
	}
}

// The token that a stream has ended with is rejected, so the same stream gets the next one when it is opened again.
func TestAStreamInUseIsRejectedOnce(t *testing.T) {
	as := &fakes.Server{}
	client := clientOf(t, as, listed)
	service := dial(t, &api{auth: as}, client)
	for round := range 3 {
		s, err := service.FullDuplexCall(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := echo(s, 1); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		as.Revoke()
		if err := echo(s, 2); status.Code(err) != codes.Unauthenticated {
			t.Errorf("round %d: %v", round, err)
		}
		if err := s.Send(&pb.StreamingOutputCallRequest{}); err != io.EOF {
			t.Errorf("round %d: sent on a stream that has ended: %v", round, err)
		}
	}
	if _, err := client.Token(t.Context()); err != nil { // and so does whatever comes next
		t.Error(err)
	}
	if _, refreshes, _ := as.Counts(); refreshes != 3 {
		t.Errorf("%d refreshes", refreshes)
	}
}
