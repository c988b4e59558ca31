package memnet

import (
	"sync"
	"time"
)

// A deadline is a moment that can be moved and waited for.
type deadline struct {
	mu      sync.Mutex
	timer   *time.Timer   // nil if none is set, or the moment has come
	expired chan struct{} // closed when the moment comes
}

func newDeadline() *deadline { return &deadline{expired: make(chan struct{})} }

// passed is closed once the moment has come. Moving the deadline also moves it for those who wait already, unless
// their moment has come.
func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.expired
}

// set moves the moment to t; the zero t means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reset()
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		close(d.expired)
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.timer == timer { // else the deadline was moved while this waited for the lock
			d.timer = nil
			close(d.expired)
		}
	})
	d.timer = timer
}

func (d *deadline) reset() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if done(d.expired) {
		d.expired = make(chan struct{})
	}
}

func done(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
