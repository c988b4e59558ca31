package grpcrefresh_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

type duplex = grpc.BidiStreamingClient[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]

// echo sends a message on a stream and receives one.
func echo(s duplex, first byte) error {
	if err := s.Send(&pb.StreamingOutputCallRequest{Payload: payload(first, 100)}); err != nil {
		return err
	}
	resp, err := s.Recv()
	if err == nil && resp.Payload.Body[0] != first {
		return status.Error(codes.DataLoss, "another message came back")
	}
	return err
}

// inTheMiddle revokes every token when total calls and streams have arrived. The first of them are judged at once, the
// others when that has happened.
func inTheMiddle(as *fakes.Server, first, total int64) func() {
	var n atomic.Int64
	revoked := make(chan struct{})
	return func() {
		switch arrived := n.Add(1); {
		case arrived <= first:
		case arrived == total:
			as.Revoke()
			close(revoked)
		default:
			<-revoked
		}
	}
}

// All tokens are revoked when 500 of 1,000 calls have been served and the others have arrived, while ten streams are in
// use and ten have just been opened.
func TestARevocationInTheMiddleOfCallsAndStreams(t *testing.T) {
	const calls, half, streams = 1000, 500, 10
	as := &fakes.Server{}
	a := &api{auth: as, judging: inTheMiddle(as, streams+half, streams+calls+streams)}
	client := clientOf(t, as, listed)
	service := dial(t, a, client)
	open := func() duplex {
		s, err := service.FullDuplexCall(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}

	inUse := make([]duplex, streams)
	for i := range inUse {
		inUse[i] = open()
		if err := echo(inUse[i], byte(i)); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	var failed atomic.Int64
	for i := range calls {
		if i == half {
			all.Wait() // those have been served
		}
		all.Go(func() {
			if _, err := service.UnaryCall(t.Context(), &pb.SimpleRequest{}); err != nil {
				failed.Add(1)
			}
		})
	}
	for i := range streams {
		all.Go(func() {
			if err := echo(open(), byte(i)); err != nil {
				failed.Add(1)
			}
		})
	}
	all.Wait()
	for _, s := range inUse {
		endsAndIsOpenedAgain(t, s, open)
	}
	_, refreshes, reuses := as.Counts()
	if failed.Load() != 0 || refreshes != 1 || reuses != 0 {
		t.Errorf("%d of %d calls and %d streams failed; %d refreshes, %d reuses", failed.Load(), calls, streams, refreshes, reuses)
	}
	if want := int64(calls + half + 4*streams); a.arrived.Load() != want {
		t.Errorf("%d calls and streams arrived, want %d", a.arrived.Load(), want)
	}
}

// endsAndIsOpenedAgain: a stream that was in use at a revocation is ended by the server, and opened again by who uses it.
func endsAndIsOpenedAgain(t *testing.T, s duplex, open func() duplex) {
	t.Helper()
	if err := echo(s, 1); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a stream in use: %v", err)
	}
	if err := echo(open(), 1); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

// A rejection that comes after the renewal, of the token before, renews nothing.
func TestALateRejectionRenewsNothing(t *testing.T) {
	as := &fakes.Server{}
	late, arrived := make(chan struct{}), make(chan struct{})
	var n atomic.Int64
	a := &api{auth: as, judging: func() {
		if n.Add(1) == 1 {
			close(arrived)
			<-late
		}
	}}
	client := clientOf(t, as, listed)
	service := dial(t, a, client)
	done := make(chan error)
	go func() {
		_, err := service.UnaryCall(context.Background(), &pb.SimpleRequest{Payload: payload(0, 1)})
		done <- err
	}()
	<-arrived
	as.Revoke()
	if err := client.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(late)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, refreshes, _ := as.Counts(); refreshes != 1 {
		t.Errorf("%d refreshes", refreshes)
	}
}

// A method that rejects every token costs a few refreshes, and other methods nothing.
func TestAMethodThatRejectsEveryToken(t *testing.T) {
	as := &fakes.Server{}
	a := &api{auth: as}
	client := clientOf(t, as, listed)
	service := dial(t, a, client)
	for range 50 {
		if _, err := service.EmptyCall(t.Context(), &pb.Empty{}); status.Code(err) != codes.Unauthenticated {
			t.Fatal(err)
		}
		if _, err := service.UnaryCall(t.Context(), &pb.SimpleRequest{Payload: payload(0, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, refreshes, _ := as.Counts(); refreshes > 5 {
		t.Errorf("%d refreshes", refreshes)
	}
}

// A call that waits for its connection is sent with the token of the moment when that is there.
func TestACallThatWaitsForItsConnection(t *testing.T) {
	as := &fakes.Server{}
	a := &api{auth: as}
	client := clientOf(t, as, listed)
	dialling, connected := make(chan struct{}), make(chan struct{})
	var once sync.Once
	service := dialVia(t, a, client, func(dial dialer) dialer {
		return func(ctx context.Context, address string) (net.Conn, error) {
			once.Do(func() { close(dialling) })
			<-connected
			return dial(ctx, address)
		}
	})
	done := make(chan error)
	go func() {
		_, err := service.UnaryCall(context.Background(), &pb.SimpleRequest{}, grpc.WaitForReady(true))
		done <- err
	}()
	<-dialling
	as.Revoke()
	if err := client.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(connected)
	if err := <-done; err != nil || a.arrived.Load() != 1 {
		t.Errorf("%v, it was made %d times", err, a.arrived.Load())
	}
}
