package silentrefresh

import (
	"context"
	"log/slog"
	"sync"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// queueLimit is how many events may wait for a slow observer.
const queueLimit = 256

// events wait to be delivered, in order and outside every lock. A goroutine delivers them only while there are any.
type events struct {
	deliver    func(Event)
	waiting    []Event
	delivering bool
	telling    bool // one of them, just now
	dropped    uint64
}

// tell queues an event that no change of state makes true.
func (s *session) tell(ev Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emitLocked(ev)
}

// warn tells of something to look at.
func (s *session) warn(err error) { s.tell(Event{Kind: EventWarning, Err: err}) }

// emitLocked completes ev with what is true now and queues it, or drops it where the observer is too slow.
func (s *session) emitLocked(ev Event) {
	if s.policy.onlyWarnings && ev.level() < slog.LevelWarn {
		return
	}
	if len(s.events.waiting) >= queueLimit {
		s.events.dropped++
		return
	}
	st := s.state.Load()
	ev.Name, ev.Time, ev.Generation, ev.Expires = s.name, wall.Now(), st.generation, st.expires()
	ev.Account = st.session().Account
	if ev.Next.IsZero() {
		ev.Next = s.renewalLocked(st)
	}
	s.events.waiting = append(s.events.waiting, ev)
	if !s.events.delivering {
		s.events.delivering = true
		go s.deliver()
	}
}

// deliver delivers what waits, and what comes meanwhile.
func (s *session) deliver() {
	for ev, ok := s.nextEvent(); ok; ev, ok = s.nextEvent() {
		s.events.deliver(ev)
	}
}

// nextEvent takes an event off the queue. When there is none, the delivery ends.
func (s *session) nextEvent() (Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events.waiting) == 0 {
		s.events.delivering, s.events.telling, s.events.waiting = false, false, nil
		return Event{}, false
	}
	ev := s.events.waiting[0]
	s.events.telling, s.events.waiting = true, s.events.waiting[1:]
	return ev, true
}

// deliver hands an event to the logger and the observer. A panic in one of them is told to the logger.
func (s *shared) deliver(ev Event) {
	if s.cfg.Logger != nil || s.cfg.Observe == nil {
		s.guardedly("Logger", func() {
			s.logger().LogAttrs(context.Background(), ev.level(), "silentrefresh: "+string(ev.Kind), ev.attrs()...)
		})
	}
	if s.cfg.Observe != nil {
		s.guardedly("Observe", func() { s.cfg.Observe(ev) })
	}
}

// guardedly runs fn on a goroutine of its own, and logs that it did not return.
func (s *shared) guardedly(what string, fn func()) {
	_, err := guarded(context.Background(), what, func() (struct{}, error) { fn(); return struct{}{}, nil }, nil)
	if err != nil && s.warned.first(err.Error()) {
		s.log(err)
	}
}

// observeWait tells ObserveWait that a caller begins to wait, and returns what tells it the end.
func (s *shared) observeWait(ctx context.Context, w Wait) (over func(Wait)) {
	hook := s.cfg.ObserveWait
	if hook == nil {
		return func(Wait) {}
	}
	var told func(Wait)
	s.observed(func() { told = hook(ctx, w) })
	return func(w Wait) {
		if told != nil {
			s.observed(func() { told(w) })
		}
	}
}

// observed runs fn, which is ObserveWait's, on the caller's goroutine, and logs a panic.
func (s *shared) observed(fn func()) {
	err := shielded("ObserveWait", func() error { fn(); return nil })
	if err != nil && s.warned.first(err.Error()) {
		s.log(err)
	}
}

// logger is the Logger, or where warnings go that would otherwise reach nobody.
func (s *shared) logger() *slog.Logger {
	if s.cfg.Logger != nil {
		return s.cfg.Logger
	}
	return slog.Default()
}

// log warns of something that is no single session's.
func (s *shared) log(err error) {
	_ = shielded("Logger", func() error {
		s.logger().Warn("silentrefresh: "+string(EventWarning), slog.String("error", err.Error()))
		return nil
	})
}

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
