package silentrefresh

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF23_AnIdleSessionStopsRefreshing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, func(cfg *Config) { cfg.IdleTimeout = time.Hour })
		mustGet(t, c)
		time.Sleep(24 * time.Hour)
		_, refreshes, _ := as.Counts()
		if refreshes < 3 || refreshes > 8 {
			t.Errorf("%d refreshes in a day of which an hour was not idle", refreshes)
		}
		as.Revoke()
		mustGet(t, c) // refreshes first
		if as.Count(&as.Refused) != 0 {
			t.Error("the first request after the pause was sent with an expired token")
		}
		for range 8 {
			time.Sleep(10 * time.Minute)
			mustGet(t, c)
		}
		if w := c.Status().Stats.Waited; w != 1 {
			t.Errorf("%d requests waited, want only the first", w)
		}
	})
}

// Starting and logging in are uses: nobody who has just done so finds the session asleep.
func TestF23_AStartAndALoginCountAsRequests(t *testing.T) {
	idleStop := func(cfg *Config) { cfg.IdleTimeout = time.Hour }
	for name, begin := range map[string]func(*testing.T, *fakes.Server) *Client{
		"a login, long after the start": func(t *testing.T, as *fakes.Server) *Client {
			c := strangerOf(t, as, idleStop)
			time.Sleep(2 * time.Hour)
			if err := c.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			return c
		},
		"a start with a stored session": func(t *testing.T, as *fakes.Server) *Client {
			store := &MemoryStore{}
			clientOf(t, as, in(store)).Close()
			return strangerOf(t, as, in(store), idleStop)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				c := begin(t, as)
				time.Sleep(14 * time.Minute)
				if _, refreshes, _ := as.Counts(); refreshes == 0 || c.dozing.Load() {
					t.Errorf("%d refreshes in the next 14 minutes, dozing %v", refreshes, c.dozing.Load())
				}
			})
		})
	}
}

// Requests that come together wake the session, and none disturbs the others.
func TestF23_ManyRequestsWakeTheSessionTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{TTL: time.Hour}
		c := clientOf(t, as, func(cfg *Config) { cfg.IdleTimeout = 10 * time.Minute })
		time.Sleep(56 * time.Minute)
		if !c.dozing.Load() {
			t.Fatal("the session is awake")
		}
		fakes.Times(50, func(int) {
			resp, err := c.HTTPClient().Do(stream()) // looks at when the renewal is due
			if err != nil || resp.StatusCode != 200 {
				t.Error(resp, err)
			}
		})
		time.Sleep(4 * time.Minute)
		if _, refreshes, _ := as.Counts(); refreshes < 1 || c.dozing.Load() {
			t.Errorf("%d refreshes, dozing %v: the session is in use again", refreshes, c.dozing.Load())
		}
	})
}
