package main

import (
	"slices"
	"syscall"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// longLived are tokens that are renewed only when they are revoked.
var longLived = authtest.Config{AccessTTL: time.Hour}

func is(kinds ...silentrefresh.EventKind) func(report) bool {
	return func(r report) bool { return slices.Contains(kinds, silentrefresh.EventKind(r.Kind)) }
}

// newToken is how a replica comes to a new token.
var newToken = is(silentrefresh.EventRenewed, silentrefresh.EventAdopted, silentrefresh.EventLoggedIn)

// steady: one refresh a generation.
func steady(s *stage) error {
	ttl := s.options.ttl
	if err := s.begin(authtest.Config{AccessTTL: ttl}, false); err != nil {
		return err
	}
	before, start := s.auth.Counters().Refreshes, time.Now()
	if err := sleep(s.ctx, s.options.steady); err != nil {
		return err
	}
	quiet, took := s.auth.Counters(), time.Since(start)
	refreshes := quiet.Refreshes - before
	most := int(took.Seconds()/(0.75*ttl.Seconds())) + 2 // two, because the first may be due at once, and early
	s.check(refreshes <= most, "%d replicas: %d refreshes in %.1f s, with tokens of %v; no token is due before 75 %% of that: at most %d",
		s.replicas, refreshes, took.Seconds(), ttl, most)
	s.check(quiet.APIUnauthorized == 0, "%d of %d requests met a token that had ended", quiet.APIUnauthorized, quiet.API)
	s.measure("refreshes", "%d in %.0f s", refreshes, took.Seconds())
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.revoke(woken); err != nil {
		return err
	}
	return s.epilogue(s.replicas)
}

// catch makes a refresh hang at the auth server, and returns the replica that has sent it.
func (s *stage) catch(f authtest.Fault) (leader int, err error) {
	mark := s.mark()
	s.auth.Fault(f)
	s.auth.RevokeAccess()
	sent, err := s.awaitSince(mark, "a refresh to be sent", 20*time.Second, 1, func(r report) bool { return r.Kind == kindRefreshing })
	if err != nil {
		return 0, err
	}
	return sent[0].Replica, s.until("the refresh to hang", func(n authtest.Counters) bool { return n.Hanging == 1 })
}

// killed: the auth server has the dead leader's request, but has not begun with it.
func killed(s *stage) error {
	if err := s.begin(longLived, false); err != nil {
		return err
	}
	asleep := s.mark()
	leader, err := s.catch(authtest.Fault{Kind: authtest.Hang})
	if err != nil {
		return err
	}
	mark, start := s.mark(), time.Now()
	s.procs[leader].Process.Signal(syscall.SIGKILL)
	if err := s.takenOver(mark, start, s.replicas-1); err != nil {
		return err
	}
	s.waiting(asleep)
	return s.epilogue(s.replicas - 1)
}

// takenOver waits until another replica has renewed, and the rest has the token.
func (s *stage) takenOver(mark int, start time.Time, alive int) error {
	renewed, err := s.awaitSince(mark, "another replica to take over", 30*time.Second, 1, is(silentrefresh.EventRenewed))
	if err != nil {
		return err
	}
	took := renewed[0].Time.Sub(start)
	s.check(took < lease+2*time.Second, "replica %d took over after %.1f s; a lease lasts %v", renewed[0].Replica, took.Seconds(), lease)
	s.measure("taken over after", "%.1f s", took.Seconds())
	_, err = s.awaitSince(mark, "a new token", 30*time.Second, alive, newToken)
	return err
}

// stopped: the auth server had rotated the credential before the leader was stopped, and takes the old one again for
// a while; without such a grace period it could not be helped that the session ends.
func stopped(s *stage) error {
	c := longLived
	c.Grace = time.Minute
	if err := s.begin(c, false); err != nil {
		return err
	}
	leader, err := s.catch(authtest.Fault{Kind: authtest.Hang, Commit: true})
	if err != nil {
		return err
	}
	mark, start := s.mark(), time.Now()
	s.procs[leader].Process.Signal(sigStop)
	if err := s.takenOver(mark, start, s.replicas-1); err != nil {
		return err
	}
	before, err := s.engine.record(s.ctx)
	if err != nil {
		return err
	}
	mark = s.mark()
	s.procs[leader].Process.Signal(sigCont)
	s.auth.Release()
	if _, err := s.awaitSince(mark, "the leader to go on", 30*time.Second, 1, func(r report) bool { return r.Replica == leader && newToken(r) }); err != nil {
		return err
	}
	after, err := s.engine.record(s.ctx)
	if err != nil {
		return err
	}
	s.check(before == after, "the leader that was stopped has overwritten nothing (the server takes a spent refresh token again for %v)", c.Grace)
	return s.epilogue(s.replicas)
}

// restart: nothing is lost, and nobody notices.
func restart(s *stage) error {
	if err := s.begin(longLived, false); err != nil {
		return err
	}
	s.say("for %s: %s", s.kind.title, s.kind.outage)
	if err := s.engine.takeAway(s.ctx); err != nil {
		return err
	}
	if err := s.engine.start(s.ctx); err != nil {
		return err
	}
	if err := s.revoke(settled); err != nil {
		return err
	}
	s.check(len(s.losses()) == 0, "%d replicas report a loss", len(s.losses()))
	return s.epilogue(s.replicas)
}

func (s *stage) losses() []report {
	found, _ := s.heard(0, func(r report) bool { return r.Kind == kindLoss })
	return found
}

// away: a refresh falls due while the engine is away, and the token outlives that.
func away(s *stage) error {
	ttl := 2*s.options.away + 20*time.Second // so that an engine that takes long to start is in time, too
	if err := s.begin(authtest.Config{AccessTTL: ttl}, false); err != nil {
		return err
	}
	if err := s.revoke(woken); err != nil {
		return err
	}
	latest := ttl*3/4 - 2*time.Second // nobody renews before three quarters; the rest is for a busy machine
	if err := sleep(s.ctx, min(ttl*17/20-s.options.away, latest)); err != nil {
		return err
	}
	s.say("for %s: %s", s.kind.title, s.kind.outage)
	before, mark, start := s.auth.Counters(), s.mark(), time.Now()
	if err := s.engine.takeAway(s.ctx); err != nil {
		return err
	}
	if err := sleep(s.ctx, s.options.away); err != nil {
		return err
	}
	// One that it refuses tries again later, and one that it lets wait says so.
	tried, err := s.awaitSince(mark, "a replica to find it away", ttl, 1, is(silentrefresh.EventRetrying, silentrefresh.EventWarning))
	if err != nil {
		return err
	}
	during := s.auth.Counters()
	s.say("it is away for %.1f s, tokens of %v; %d replicas wanted to refresh meanwhile", time.Since(start).Seconds(), ttl, len(tried))
	s.check(during.RefreshCalls == before.RefreshCalls, "%d credentials were spent whose successor could not have been saved", during.RefreshCalls-before.RefreshCalls)
	s.served(before, during)
	mark = s.mark()
	if err := s.engine.start(s.ctx); err != nil {
		return err
	}
	waited := func(r report) bool { // another may have renewed early, and need nothing for a lifetime
		return newToken(r) && slices.ContainsFunc(tried, func(t report) bool { return t.Replica == r.Replica })
	}
	if _, err := s.awaitSince(mark, "a new token", time.Minute, len(tried), waited); err != nil {
		return err
	}
	return s.epilogue(s.replicas)
}

// served checks that requests were served meanwhile.
func (s *stage) served(before, during authtest.Counters) {
	n := during.API - during.APIUnauthorized - before.API + before.APIUnauthorized
	s.measure("requests served meanwhile", "%d", n)
	s.check(n >= s.replicas, "%d requests were served meanwhile", n)
}

// writing: nobody can take over from a replica that is stopped with the lock of the file, however long its lease is
// over. It has written, but not all, what its refresh gave: were it killed, it would be as the leader that was stopped.
func writing(s *stage) error {
	s.stopsSaving = true
	if err := s.begin(longLived, false); err != nil {
		return err
	}
	before, mark := s.auth.Counters(), s.mark()
	s.procs[0].Process.Signal(sigRenew)
	if _, err := s.awaitSince(mark, "a replica to stop while it saves", 20*time.Second, 1, func(r report) bool { return r.Kind == kindStopped }); err != nil {
		return err
	}
	start := time.Now()
	for _, other := range s.procs[1:] {
		other.Process.Signal(sigRenew)
	}
	if err := sleep(s.ctx, lease+2*time.Second); err != nil {
		return err
	}
	waiting, err := s.awaitSince(mark, "the others to wait", 20*time.Second, s.replicas-1, is(silentrefresh.EventWarning))
	if err != nil {
		return err
	}
	during := s.auth.Counters()
	s.say("replica 0 is stopped for %.1f s, a lease lasts %v; %d others would renew meanwhile", time.Since(start).Seconds(), lease, len(waiting))
	s.check(during.RefreshCalls == before.RefreshCalls+1, "%d credentials were spent whose successor could not have been saved", during.RefreshCalls-before.RefreshCalls-1)
	s.served(before, during)
	s.procs[0].Process.Signal(sigCont)
	if _, err := s.awaitSince(mark, "its token", 30*time.Second, s.replicas, newToken); err != nil {
		return err
	}
	return s.epilogue(s.replicas)
}

// lost: Redis had confirmed the save of a new session, and comes back with the one before.
func lost(s *stage) error {
	server := s.engine.(*redisServer)
	server.args = whenAsked
	if err := s.begin(longLived, false); err != nil {
		return err
	}
	if err := server.rdb.Save(s.ctx).Err(); err != nil {
		return err
	}
	if err := s.revoke(woken); err != nil {
		return err
	}
	newest, err := s.engine.record(s.ctx)
	if err != nil {
		return err
	}
	if err := s.engine.takeAway(s.ctx); err != nil {
		return err
	}
	if err := s.engine.start(s.ctx); err != nil {
		return err
	}
	reported, err := s.await("the loss to be reported", 10*time.Second, 1, func(r report) bool { return r.Kind == kindLoss })
	if err != nil {
		return err
	}
	now, err := s.engine.record(s.ctx)
	if err != nil {
		return err
	}
	s.check(now == newest, "replica %d has put back what Redis had lost", reported[0].Replica)
	if err := s.revoke(settled); err != nil {
		return err
	}
	return s.epilogue(s.replicas)
}

// ended: one login for all.
func ended(s *stage) error {
	if err := s.begin(longLived, true); err != nil {
		return err
	}
	before, mark := s.auth.Counters(), s.mark()
	s.auth.EndSessions()
	if _, err := s.awaitSince(mark, "a new session", 30*time.Second, s.replicas, newToken); err != nil {
		return err
	}
	n := s.auth.Counters()
	s.check(n.LoginCalls == before.LoginCalls+1, "%d login for %d replicas", n.LoginCalls-before.LoginCalls, s.replicas)
	return s.epilogue(s.replicas)
}
