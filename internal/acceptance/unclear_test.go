package acceptance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// refusesWith makes the server refuse each refresh with a copy of e.
func refusesWith(as *fakes.Server, e auth.Error) {
	as.Set(func() {
		as.Before = func(_ context.Context, g auth.Grant) error {
			failure := e
			failure.Op, failure.Path = g.Kind, "/auth/refresh"
			return &failure
		}
	})
}

// What is not understood ends nothing: after ten minutes the session is said to be unclear, in the server's words and with
// the setting that would decide it, and is asked about once an hour, however many requests there are. Once the server has
// thought better of it, the session goes on.
func TestF75_WhatIsNotUnderstoodIsAskedAboutOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		refusesWith(as, auth.Error{Status: 400, Said: "Bad Request", Hint: "set refresh.refused", Unrecognized: true})
		time.Sleep(time.Hour)
		st := c.Status()
		if st.State != silentrefresh.StateUnclear || errors.Is(st.Err, silentrefresh.ErrSessionOver) ||
			!strings.Contains(st.Err.Error(), "Bad Request") || !strings.Contains(st.Err.Error(), "set refresh.refused") {
			t.Errorf("state %q, %v", st.State, st.Err)
		}
		calls, asked := as.Count(&as.Calls), time.Time{}
		for range 24 * 60 {
			time.Sleep(time.Minute)
			get(c)
			if more := as.Count(&as.Calls); more != calls {
				if since := time.Since(asked); !asked.IsZero() && (since < time.Hour-time.Minute || more != calls+1) {
					t.Errorf("asked again after %v, %d times", since, more-calls)
				}
				calls, asked = more, time.Now()
			}
		}
		if time.Since(asked) > 80*time.Minute {
			t.Errorf("not asked for %v", time.Since(asked))
		}
		as.Set(func() { as.Before = nil })
		time.Sleep(80 * time.Minute)
		mustGet(t, c)
		if st := c.Status(); st.State != silentrefresh.StateLoggedIn {
			t.Errorf("state %q, %v: the server takes the credential again", st.State, st.Err)
		}
	})
}

// A 403 that may mean the session is believed when it repeats for ten minutes, and not before; a session that is renewed
// in between has lost nothing.
func TestF76_ADoubtfulRefusalHasToRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		doubtful := auth.Error{Status: 403, Doubtful: true}
		for range 3 {
			refusesWith(as, doubtful)
			if err := c.Renew(t.Context()); err == nil || errors.Is(err, silentrefresh.ErrSessionOver) {
				t.Errorf("Renew: %v", err)
			}
			time.Sleep(9 * time.Minute)
			if st := c.Status(); st.State == silentrefresh.StateOver {
				t.Fatalf("over after nine minutes: %v", st.Err)
			}
			as.Set(func() { as.Before = nil })
			time.Sleep(20 * time.Minute)
			mustGet(t, c)
		}
		refusesWith(as, doubtful)
		time.Sleep(time.Hour)
		if st := c.Status(); st.State != silentrefresh.StateOver {
			t.Errorf("state %q, %v: it has said so for an hour", st.State, st.Err)
		}
	})
}
