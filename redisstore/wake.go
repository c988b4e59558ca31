package redisstore

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/silentrefresh/silentrefresh/internal/lease"
)

const (
	// quietAfter is how long nobody takes a lock after the connection to Redis was back: so long, whoever saved
	// last has time to put back what Redis may have lost.
	quietAfter = time.Second
	// freeFor is how long no reconnection brings another such time: however short connections live, work is done.
	freeFor = 3 * time.Second
	// patience is how long a connection that is gone is waited for until a lock is tried for without it.
	patience = 2 * time.Second
	// pingAfter is how long the connection may be silent until it is pinged, and then until it is given up.
	pingAfter = 3 * time.Second
	// reconnectAfter is the pause before connecting again.
	reconnectAfter = 100 * time.Millisecond
)

// A listener hears of locks that were set free, and notices when Redis has been away. It starts with the first use
// of the Store, in one goroutine.
type listener struct {
	rdb     redis.UniversalClient
	channel string
	woken   func(tag string)
	back    func(context.Context) // called when the connection is there again

	once    sync.Once
	mu      sync.Mutex
	stop    context.CancelFunc // nil before start
	done    chan struct{}
	closed  bool
	heard   bool          // there was a connection once
	gone    bool          // it is not there now
	quiet   time.Time     // until when locks are left alone
	free    time.Time     // until when they are not left alone for another reconnection
	changed chan struct{} // closed when one of these changes; nil: nobody waits for that
}

func (l *listener) start() {
	l.once.Do(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.closed {
			return
		}
		ctx, stop := context.WithCancel(context.Background())
		l.stop, l.done = stop, make(chan struct{})
		go func() {
			defer close(l.done)
			l.run(ctx)
		}()
	})
}

func (l *listener) close() {
	l.mu.Lock()
	stop, done := l.stop, l.done
	l.closed, l.gone, l.quiet = true, false, time.Time{}
	l.changeLocked()
	l.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

func (l *listener) run(ctx context.Context) {
	for ctx.Err() == nil {
		l.listen(ctx)
		l.away()
		_ = lease.Pause(ctx, lease.Jittered(reconnectAfter), nil)
	}
}

// listen serves one connection until it fails or ctx ends.
func (l *listener) listen(ctx context.Context) {
	sub := l.rdb.Subscribe(ctx, l.channel)
	defer sub.Close()
	defer context.AfterFunc(ctx, func() { sub.Close() })() // ends a read
	pinged := false
	for {
		m, err := sub.ReceiveTimeout(ctx, pingAfter)
		switch {
		case err == nil:
			pinged = false
			l.hear(ctx, m)
		case !pinged && isTimeout(err):
			pinged = true
			if sub.Ping(ctx) != nil {
				return
			}
		default:
			return
		}
	}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

func (l *listener) hear(ctx context.Context, m any) {
	switch m := m.(type) {
	case *redis.Message:
		l.woken(m.Payload)
	case *redis.Subscription:
		if l.connected() {
			l.back(ctx)
		}
	}
}

// connected notes that there is a connection and reports whether there was one before. A time of quiet follows; but not soon
// after another one, or connections that break all the time would keep everybody from every lock.
func (l *listener) connected() (again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	again, l.heard, l.gone = l.heard, true, false
	if now := time.Now(); again && now.After(l.free) {
		l.quiet = now.Add(quietAfter)
		l.free = l.quiet.Add(freeFor)
	}
	l.changeLocked()
	return again
}

// away notes that the connection is gone.
func (l *listener) away() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = l.heard && !l.closed
	l.changeLocked()
}

// changeLocked lets those who settle look again.
func (l *listener) changeLocked() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// settle waits while locks are to be left alone, and for a connection that is gone: it may be back soon.
func (l *listener) settle(ctx context.Context) error {
	patient := time.Now().Add(patience)
	for {
		d, changed := l.unsettled(patient)
		if d <= 0 {
			return nil
		}
		if err := lease.Pause(ctx, d, changed); err != nil {
			return err
		}
	}
}

// unsettled is how long settle waits, unless something changes before.
func (l *listener) unsettled(patient time.Time) (d time.Duration, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d = time.Until(l.quiet)
	if l.gone {
		d = max(d, time.Until(patient))
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return d, l.changed
}
