package main

import (
	"slices"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// How long half of those who wait for a new token may take.
const (
	woken   = 250 * time.Millisecond // half of them would find it in that time if nothing woke them
	settled = woken + time.Second    // after a reconnection everybody leaves locks alone for a second
)

// settle waits until all replicas have the token of one more refresh, so that for a while no timer makes another.
func (s *stage) settle() error {
	renewed, err := s.awaitSince(s.mark(), "a refresh", 30*time.Second, 1, is(silentrefresh.EventRenewed))
	if err != nil {
		return err
	}
	_, err = s.await("its token", 10*time.Second, s.replicas, func(r report) bool { return newToken(r) && r.Version >= renewed[0].Version })
	return err
}

// revoke revokes all access tokens and waits until all replicas have new ones. The one refresh takes so long that all
// others wait for it, and half of them must have the new token within so long after it was saved.
func (s *stage) revoke(within time.Duration) error {
	s.auth.Change(func(c *authtest.Config) { c.RefreshDelay = 2 * every })
	defer s.auth.Change(func(c *authtest.Config) { c.RefreshDelay = 0 })
	before, mark := s.auth.Counters().Refreshes, s.mark()
	s.auth.RevokeAccess()
	got, err := s.awaitSince(mark, "a new token", 30*time.Second, s.replicas, newToken)
	if err != nil {
		return err
	}
	var saved time.Time
	var delays []time.Duration
	for _, r := range got {
		if r.Kind == string(silentrefresh.EventRenewed) {
			saved = r.Time
		}
	}
	for _, r := range got {
		if r.Kind == string(silentrefresh.EventAdopted) {
			delays = append(delays, max(0, r.Time.Sub(saved))) // the one who saved may be the last to say so
		}
	}
	slices.Sort(delays)
	s.check(s.auth.Counters().Refreshes == before+1, "all tokens revoked at once: %d refresh", s.auth.Counters().Refreshes-before)
	if len(delays) > 0 && !saved.IsZero() {
		median, last := delays[len(delays)/2].Round(time.Millisecond), delays[len(delays)-1].Round(time.Millisecond)
		s.check(median < within+s.options.slack, "%d adopted the new token; after it was saved, half of them within %v, all within %v", len(delays), median, last)
		s.measure("half of them, all of them have the new token after", "%v, %v", median, last)
	}
	return nil
}

// waiting measures the CPU of those who have waited since mark, each from its word that it waits to the new token.
func (s *stage) waiting(mark int) {
	began, _ := s.heard(mark, is(silentrefresh.EventWarning))
	ends, _ := s.heard(mark, newToken)
	var share float64
	for _, b := range began {
		for _, e := range ends {
			if took := e.Time.Sub(b.Time); e.Replica == b.Replica && took > 0 {
				share += (e.CPU - b.CPU).Seconds() / took.Seconds()
			}
		}
	}
	s.measure("CPU of those who wait", "%.0f %% of a core for %d", 100*share, len(began))
}

// epilogue ends the fleet and checks what holds in every scene.
func (s *stage) epilogue(alive int) error {
	requests, failed, err := s.finish(alive)
	if err != nil {
		return err
	}
	n := s.auth.Counters()
	s.check(failed == 0, "%d of %d requests failed", failed, requests)
	for _, r := range s.failures() {
		s.say("        replica %d: %s", r.Replica, r.Err)
	}
	s.measure("requests failed, reuses", "%d of %d, %d", failed, requests, n.Reuses)
	s.check(n.Reuses == 0, "%d reuses of a spent refresh token", n.Reuses)
	s.check(n.ConcurrentRefreshes <= 1 || n.GraceUses > 0, "at most %d refresh at a time", n.ConcurrentRefreshes)
	if n.Logins > 1 {
		return nil
	}
	version, err := s.version() // a login has 1, each refresh one more
	if err != nil {
		return err
	}
	s.check(version == uint64(n.Refreshes-n.GraceUses+1), "%d refreshes for %d generations, %d repeated within the grace period", n.Refreshes, version-1, n.GraceUses)
	return nil
}

func (s *stage) failures() []report {
	found, _ := s.heard(0, func(r report) bool { return r.Kind == kindFailed })
	return found[:min(len(found), 3)]
}

// version is that of the stored session.
func (s *stage) version() (uint64, error) {
	store, err := s.open()
	if err != nil {
		return 0, err
	}
	defer store.Close()
	c, err := silentrefresh.New(silentrefresh.Config{BaseURL: s.auth.URL(), Store: store})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.Status().Version, nil
}
