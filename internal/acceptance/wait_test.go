package acceptance

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

type callerKey struct{}

// A waitLog keeps what ObserveWait and Observe are told.
type waitLog struct {
	mu sync.Mutex
	waits
}

type waits struct {
	begun  []any                      // the callers that began to wait
	over   []silentrefresh.Wait       // in the order of their ends
	told   map[any]silentrefresh.Wait // by caller
	events []silentrefresh.Event      // of refreshes
}

func (l *waitLog) observe(cfg *silentrefresh.Config) {
	l.told = map[any]silentrefresh.Wait{}
	cfg.ObserveWait = func(ctx context.Context, w silentrefresh.Wait) func(silentrefresh.Wait) {
		caller := ctx.Value(callerKey{})
		l.mu.Lock()
		defer l.mu.Unlock()
		l.begun = append(l.begun, caller)
		return func(w silentrefresh.Wait) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.over = append(l.over, w)
			l.told[caller] = w
		}
	}
	cfg.Observe = func(ev silentrefresh.Event) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if ev.Refresh != 0 {
			l.events = append(l.events, ev)
		}
	}
}

// now waits until everything is told, and returns a copy.
func (l *waitLog) now() waits {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return waits{slices.Clone(l.begun), slices.Clone(l.over), maps.Clone(l.told), slices.Clone(l.events)}
}

// as is a context of a caller's.
func as(t *testing.T, caller string) context.Context {
	return context.WithValue(t.Context(), callerKey{}, caller)
}

func TestWhoWaitsForWhichRefreshIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, 2*time.Second)}
		var log waitLog
		c := clientOf(t, server, log.observe)
		mustGet(t, c)
		if begun := log.now().begun; len(begun) != 0 {
			t.Fatalf("a request with a good token is told of: %v", begun)
		}
		server.Revoke()
		go getCtx(as(t, "first"), c)
		time.Sleep(time.Second)
		go getCtx(as(t, "second"), c)
		gone, cancel := context.WithTimeout(as(t, "gone"), 500*time.Millisecond)
		defer cancel()
		go c.Token(gone)
		if now := log.now(); len(now.begun) != 3 || len(now.over) != 0 {
			t.Errorf("%v wait, %v do not any more", now.begun, now.over)
		}
		time.Sleep(time.Minute)
		now := log.now()

		for caller, want := range map[string]silentrefresh.Wait{
			"first":  {Name: "default", Trigger: silentrefresh.TriggerRejected, Refresh: 1, Took: 2 * time.Second},
			"second": {Name: "default", Trigger: silentrefresh.TriggerExpired, Refresh: 1, Took: time.Second},
			"gone":   {Name: "default", Trigger: silentrefresh.TriggerExpired, Refresh: 1, Took: 500 * time.Millisecond, Err: context.DeadlineExceeded},
		} {
			if got := now.told[caller]; got != want {
				t.Errorf("%s: %+v, want %+v", caller, got, want)
			}
		}
		if ev := now.events[0]; len(now.events) != 1 || ev.Refresh != 1 || ev.Took != 2*time.Second || ev.Kind != silentrefresh.EventRenewed {
			t.Errorf("%+v", now.events)
		}
	})
}

// Every end of a refresh is told with its number, what asked for it and how long it took.
func TestEveryEndOfARefreshIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakes.Server{}
		var log waitLog
		c := clientOf(t, server, log.observe)
		server.Set(func() {
			server.Before = func(context.Context, auth.Grant) error { time.Sleep(time.Second); return fakes.Down() }
		})
		time.Sleep(20 * time.Second)
		server.Revoke()
		go getCtx(as(t, "patient"), c)
		time.Sleep(1100 * time.Millisecond)
		server.Set(func() { server.Before = fakes.Slowly(auth.KindRefresh, time.Second) })
		time.Sleep(time.Minute)
		if now := log.now(); now.told["patient"].Err != nil || now.told["patient"].Refresh != 2 || len(now.over) != 1 {
			t.Errorf("who waited through a failure: %+v", now.over)
		}
		server.Set(func() { server.Refresh = "" })
		c.Renew(t.Context())
		server.Revoke()
		getCtx(as(t, "last"), c)

		now := log.now()
		var kinds []string
		for i, ev := range now.events {
			kinds = append(kinds, string(ev.Kind))
			if ev.Refresh != uint64(i+1) || ev.Trigger == "" || ev.Took != time.Second {
				t.Errorf("%+v", ev)
			}
		}
		if got := strings.Join(kinds, ", "); got != "retrying, renewed, not renewable" {
			t.Errorf("%s", got)
		}
		if len(now.over) != 2 || !errors.Is(now.told["last"].Err, silentrefresh.ErrSessionOver) {
			t.Errorf("the last: %+v", now.told["last"])
		}
	})
}

// What is told may ask back, return nothing, and panic: the caller gets its token.
func TestTroubleInObserveWait(t *testing.T) {
	for name, hook := range map[string]func(c *silentrefresh.Client) func(silentrefresh.Wait){
		"nothing to be told":   func(*silentrefresh.Client) func(silentrefresh.Wait) { return nil },
		"a panic at the start": func(*silentrefresh.Client) func(silentrefresh.Wait) { panic("hunter2") },
		"a panic at the end": func(*silentrefresh.Client) func(silentrefresh.Wait) {
			return func(silentrefresh.Wait) { panic("hunter2") }
		},
		"it asks back": func(c *silentrefresh.Client) func(silentrefresh.Wait) {
			c.Status()
			return func(silentrefresh.Wait) { c.Renew(context.Background()) }
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			var said lockedBuffer
			server := &fakes.Server{}
			var c *silentrefresh.Client
			c = clientOf(t, server, func(cfg *silentrefresh.Config) {
				cfg.Logger = slog.New(slog.NewTextHandler(&said, nil))
				cfg.ObserveWait = func(context.Context, silentrefresh.Wait) func(silentrefresh.Wait) { return hook(c) }
			})
			for range 2 {
				server.Revoke()
				mustGet(t, c)
				time.Sleep(time.Minute)
			}
			panics := strings.Count(said.String(), "ObserveWait panicked")
			if want := strings.Contains(name, "panic"); (panics == 1) != want || strings.Contains(said.String(), "hunter2") {
				t.Errorf("%s: the log says %s", name, said.String())
			}
		})
	}
}
