package silentrefresh

import (
	"context"
	"log/slog"
	"sync"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// queueLimit is how many events may wait for a slow observer.
const queueLimit = 256

// queue hands events to the observer in order, outside every lock. A goroutine drains it only while it is not
// empty.
type queue struct {
	mu       sync.Mutex
	waiting  []Event
	draining bool
	dropped  uint64
}

// put appends ev, or drops it where the observer is too slow.
func (q *queue) put(ev Event, handle func(Event)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= queueLimit {
		q.dropped++
		return
	}
	q.waiting = append(q.waiting, ev)
	if !q.draining {
		q.draining = true
		go q.drain(handle)
	}
}

func (q *queue) drain(handle func(Event)) {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.draining = false
			q.waiting = nil
			q.mu.Unlock()
			return
		}
		ev := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		guard(func() error { handle(ev); return nil })
	}
}

func (q *queue) drops() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// tell completes ev with what is known now and hands it to the observer and the logger.
func (c *Client) tell(ev Event) {
	if c.cfg.KeepAnswer && !ev.Response.IsZero() {
		c.response.Store(&ev.Response)
	}
	if c.cfg.Observe == nil && c.cfg.Logger == nil {
		return
	}
	st := c.state.Load()
	ev.Name, ev.Time, ev.Generation, ev.Expires = c.name, wall.Now(), st.generation, st.expires()
	ev.Account = st.session().Account
	if ev.Next.IsZero() {
		c.mu.Lock()
		ev.Next = c.book.renewDue
		c.mu.Unlock()
	}
	c.events.put(ev, c.handle)
}

func (c *Client) handle(ev Event) {
	if c.cfg.Logger != nil {
		c.cfg.Logger.LogAttrs(context.Background(), ev.level(), "silentrefresh: "+string(ev.Kind), ev.attrs()...)
	}
	if c.cfg.Observe != nil {
		c.cfg.Observe(ev)
	}
}

// warn tells of something to look at.
func (c *Client) warn(err error) { c.tell(Event{Kind: EventWarning, Err: err}) }

// level is how loud an event is.
func (ev Event) level() slog.Level {
	switch ev.Kind {
	case EventOver, EventNotRenewable, EventNotSaved, EventWarning, EventRetrying:
		return slog.LevelWarn
	case EventRejected, EventAdopted, EventUnchanged, EventHandedOut:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func (ev Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("session", ev.Name), slog.Uint64("generation", ev.Generation)}
	if ev.Account != "" {
		attrs = append(attrs, slog.String("account", ev.Account))
	}
	if ev.Trigger != "" {
		attrs = append(attrs, slog.String("trigger", string(ev.Trigger)))
	}
	if ev.Took != 0 {
		attrs = append(attrs, slog.Duration("took", ev.Took))
	}
	if !ev.Expires.IsZero() {
		attrs = append(attrs, slog.Time("expires", ev.Expires))
	}
	if !ev.Next.IsZero() {
		attrs = append(attrs, slog.Time("next", ev.Next))
	}
	if ev.Err != nil {
		attrs = append(attrs, slog.String("error", ev.Err.Error()))
	}
	return attrs
}

// onceEach warns once about each of a bounded number of things.
type onceEach struct {
	mu   sync.Mutex
	seen map[string]bool
}

// first reports whether s was not seen before. After 100 things it has said enough.
func (o *onceEach) first(s string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[s] || len(o.seen) >= 100 {
		return false
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[s] = true
	return true
}
