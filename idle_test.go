package silentrefresh

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestF23_AnIdleSessionStopsRefreshing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		c := as.client(t, func(cfg *Config) { cfg.IdleStop = time.Hour })
		mustGet(t, c)
		time.Sleep(24 * time.Hour)
		_, refreshes, _ := as.counts()
		if refreshes < 3 || refreshes > 8 {
			t.Errorf("%d refreshes in a day of which an hour was not idle", refreshes)
		}
		as.revoke()
		mustGet(t, c) // refreshes first
		if as.count(&as.refused) != 0 {
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
