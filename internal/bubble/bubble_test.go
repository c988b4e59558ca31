package bubble_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/bubble"
)

// Should a later Go give bubbles another clock, this fails.
func TestInside(t *testing.T) {
	if bubble.Inside() || bubble.Owns(t) || bubble.Outsider(t) {
		t.Error("outside of any bubble")
	}
	outside := t
	synctest.Test(t, func(t *testing.T) {
		check := func(when string) {
			if !bubble.Inside() || !bubble.Owns(t) || bubble.Outsider(t) {
				t.Errorf("%s: not noticed", when)
			}
			if bubble.Owns(outside) || !bubble.Outsider(outside) {
				t.Errorf("%s: the test from outside passes for the bubble's own", when)
			}
		}
		check("at its start")
		time.Sleep(50 * 365 * 24 * time.Hour)
		check("after fifty years")
		done := make(chan bool)
		time.AfterFunc(time.Second, func() { check("on a timer's goroutine"); close(done) })
		<-done
	})
	in := make(chan bool)
	go func() { in <- bubble.Inside() }()
	if <-in {
		t.Error("outside again")
	}
}

// A TB that somebody wrapped has no Deadline: the clock alone says where it is.
func TestWrapped(t *testing.T) {
	type wrapped struct{ testing.TB }
	synctest.Test(t, func(t *testing.T) {
		if bubble.Outsider(wrapped{t}) {
			t.Error("a wrapped TB passes for one from outside")
		}
	})
}
