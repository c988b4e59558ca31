package connectrefresh_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

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

// All tokens are revoked when 100 of 200 calls have been served and the others have arrived, while ten streams are in
// use and ten have just been opened.
func TestARevocationInTheMiddleOfCallsAndStreams(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		const calls, half, streams = 200, 100, 10
		as := &fakes.Server{}
		a := &api{auth: as, judging: inTheMiddle(as, streams+half, streams+calls+streams)}
		session := sessionAt(t, serve(t, a), as, protocol)
		talking, saying := procedure[text](session, chat), procedure[text](session, echo)
		open := func() *talk {
			s := talking.CallBidiStream(t.Context())
			t.Cleanup(func() { s.CloseRequest(); s.CloseResponse() })
			return s
		}

		inUse := make([]*talk, streams)
		for i := range inUse {
			inUse[i] = open()
			if err := converse(inUse[i], fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		var all sync.WaitGroup
		for i := range calls {
			if i == half {
				all.Wait() // those have been served
			}
			all.Go(func() {
				if err := say(t.Context(), saying, fmt.Sprint(i)); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		for i := range streams {
			all.Go(func() {
				if err := converse(open(), fmt.Sprint(i)); err != nil {
					t.Errorf("stream %d: %v", i, err)
				}
			})
		}
		all.Wait()
		for _, s := range inUse {
			endsAndIsOpenedAgain(t, s, open)
		}
		if _, refreshes, reuses := as.Counts(); refreshes != 1 || reuses != 0 {
			t.Errorf("%d refreshes, %d reuses", refreshes, reuses)
		}
		if want := int64(calls + half + 4*streams); a.arrived.Load() != want {
			t.Errorf("%d calls and streams arrived, want %d", a.arrived.Load(), want)
		}
	})
}

type talk = connect.BidiStreamForClient[text, text]

// endsAndIsOpenedAgain: a stream that was in use at a revocation is ended by the server, and opened again by who uses it.
func endsAndIsOpenedAgain(t *testing.T, s *talk, open func() *talk) {
	t.Helper()
	if err := converse(s, "more"); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a stream in use: %v", err)
	}
	if err := converse(open(), "again"); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

// A procedure that rejects every token is called twice at most, costs a few refreshes, and other procedures nothing.
func TestAProcedureThatRejectsEveryToken(t *testing.T) {
	each(t, func(t *testing.T, protocol connect.ClientOption) {
		as := &fakes.Server{}
		a := &api{auth: as}
		session := sessionAt(t, serve(t, a), as, protocol)
		bad, good := procedure[text](session, never), procedure[text](session, echo)
		const times = 30
		for range times {
			if err := say(t.Context(), bad, "x"); connect.CodeOf(err) != connect.CodeUnauthenticated {
				t.Fatal(err)
			}
			if err := say(t.Context(), good, "x"); err != nil {
				t.Fatal(err)
			}
		}
		if _, refreshes, _ := as.Counts(); refreshes > 5 || a.arrived.Load() > 2*times+5 {
			t.Errorf("%d refreshes, %d calls arrived", refreshes, a.arrived.Load())
		}
	})
}
