package resend

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// fake is a Conn that has ended once end is closed.
type fake struct {
	mu     sync.Mutex
	sent   []any
	closed bool
	end    chan struct{}
	block  bool // Send waits for the end
}

func newFake() *fake { return &fake{end: make(chan struct{})} }

func (f *fake) Send(m any) error {
	if f.block {
		<-f.end
	}
	select {
	case <-f.end:
		return fmt.Errorf("wrapped: %w", io.EOF)
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, m)
	return nil
}

func (f *fake) CloseSend() error { f.closed = true; return nil }

func opening(f *fake) func() (*fake, error) { return func() (*fake, error) { return f, nil } }

func TestWhatWasSentIsSentAgainInOrder(t *testing.T) {
	first, second, third := newFake(), newFake(), newFake()
	s := New(first)
	for i := range 3 {
		if err := s.Send(i, 10); err != nil {
			t.Fatal(err)
		}
	}
	close(first.end)
	if err := errors.Join(s.Send(3, 10), s.CloseSend()); err != nil {
		t.Errorf("on a stream that has ended: %v", err)
	}
	for _, next := range []*fake{second, third} {
		if ok, err := s.Reopen(opening(next)); !ok || err != nil || s.Conn() != next {
			t.Fatalf("%v, %v", ok, err)
		}
		if !slices.Equal(next.sent, []any{0, 1, 2, 3}) || !next.closed {
			t.Errorf("%v, closed: %v", next.sent, next.closed)
		}
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	for name, test := range map[string]struct {
		sizes []int
		kept  bool
	}{
		"nothing":               {nil, true},
		"one, however large":    {[]int{10 << 20}, true},
		"one, of unknown size":  {[]int{-1}, true},
		"one more unknown":      {[]int{1, -1}, false},
		"as much as may be":     {[]int{10 << 20, MaxBytes}, true},
		"a byte more":           {[]int{0, MaxBytes, 1}, false},
		"as many as may be":     {make([]int, MaxMessages), true},
		"one more than may be":  {make([]int, MaxMessages+1), false},
		"little after too much": {[]int{0, MaxBytes + 1, 1}, false},
	} {
		s, next := New(newFake()), newFake()
		for i, size := range test.sizes {
			if err := s.Send(i, size); err != nil {
				t.Fatal(err)
			}
		}
		if ok, err := s.Reopen(opening(next)); ok != test.kept || err != nil || ok && len(next.sent) != len(test.sizes) {
			t.Errorf("%s: %v, %v, %d messages", name, ok, err, len(next.sent))
		}
	}
}

func TestASettledStreamIsNotOpenedAgain(t *testing.T) {
	first := newFake()
	s := New(first)
	s.Send(0, 1)
	s.Settle()
	if len(s.kept) != 0 {
		t.Error("it keeps messages")
	}
	ok, err := s.Reopen(func() (*fake, error) { t.Error("opened"); return nil, nil })
	if ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	close(first.end)
	if err := s.Send(1, 1); !errors.Is(err, io.EOF) {
		t.Errorf("sent on its end: %v", err)
	}
}

func TestFailuresToOpenAndToSend(t *testing.T) {
	s, no := New(newFake()), errors.New("no")
	s.Send(0, 1)
	if ok, err := s.Reopen(func() (*fake, error) { return nil, no }); ok || err != no {
		t.Errorf("%v, %v", ok, err)
	}
	ended := newFake()
	close(ended.end)
	if ok, err := s.Reopen(opening(ended)); !ok || err != nil {
		t.Errorf("a stream that ends at once: %v, %v", ok, err)
	}
}

// A sender that is blocked holds up neither the first response nor, once the stream has ended, the next Conn.
func TestABlockedSenderHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newFake(), newFake()
		first.block = true
		s := New(first)
		go s.Send("blocked", 1)
		synctest.Wait()
		if s.Settled() || s.Conn() != first {
			t.Error("settled")
		}
		close(first.end) // it may still have the lock
		if ok, err := s.Reopen(opening(second)); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		if !slices.Equal(second.sent, []any{"blocked"}) {
			t.Errorf("%v", second.sent)
		}
		second.block = true
		go s.Send("blocked", 1)
		synctest.Wait()
		s.Settle() // or the test hangs
		close(second.end)
	})
}
