package silentrefresh

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// in makes a Config keep its session in store.
func in(store Store) func(*Config) { return func(cfg *Config) { cfg.Store = store } }

// hookStore is a MemoryStore whose saves and locks can be tampered with.
type hookStore struct {
	MemoryStore
	save   func(b []byte) error      // before a save; an error is the save's
	locked func(ctx context.Context) // after the lock was taken
	saves  atomic.Int64
	loads  atomic.Int64
	locks  atomic.Int64
}

func (s *hookStore) Load(ctx context.Context, key string) ([]byte, error) {
	s.loads.Add(1)
	return s.MemoryStore.Load(ctx, key)
}

func (s *hookStore) Update(ctx context.Context, key string, fn func(context.Context, []byte, func([]byte) error) error) error {
	return s.MemoryStore.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		s.locks.Add(1)
		if s.locked != nil {
			s.locked(ctx)
		}
		return fn(ctx, old, func(b []byte) error {
			if s.save != nil {
				if err := s.save(b); err != nil {
					return err
				}
			}
			s.saves.Add(1)
			return save(b)
		})
	})
}

// stored is the record that s has of c's session.
func stored(t *testing.T, s Store, c *Client) *record {
	t.Helper()
	b, err := s.Load(context.Background(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := decodeRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestF34_OneRefreshForAllWhoShareAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{before: func(context.Context, Grant) error { time.Sleep(50 * time.Millisecond); return nil }}
		store := &MemoryStore{}
		clients := []*Client{as.client(t, in(store))}
		for range 99 {
			clients = append(clients, as.stranger(t, in(store)))
		}
		as.revoke()
		times(100, func(i int) { mustGet(t, clients[i]) })
		if _, refreshes, reuses := as.counts(); refreshes != 1 || reuses != 0 {
			t.Errorf("%d refreshes, %d reuses; want 1 and 0", refreshes, reuses)
		}
	})
}

func TestF34_MemoryOnlySpendsEachCredentialOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &hookStore{save: func(b []byte) error {
			if bytes.Contains(b, []byte("access-secret")) {
				t.Error("an access token was written down")
			}
			return nil
		}}
		cautious := func(cfg *Config) { cfg.Store, cfg.MemoryOnly = store, true }
		clients := []*Client{as.client(t, cautious)}
		for range 19 {
			clients = append(clients, as.stranger(t, cautious))
		}
		times(20, func(i int) { mustGet(t, clients[i]) })
		if _, refreshes, reuses := as.counts(); refreshes > 20 || reuses != 0 {
			t.Errorf("%d refreshes, %d reuses", refreshes, reuses)
		}
	})
}

// A store whose lock was lost lets two exchange the same credential. The one that is refused finds the other's
// session, and does not delete it.
func TestF35_TheLoserOfARaceAdoptsTheWinners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		winner := as.client(t, in(store))
		loser := as.stranger(t, in(store))
		as.set(func() {
			as.before = func(_ context.Context, g Grant) error {
				as.before = nil
				// While the loser holds the lock, somebody without it renews and saves.
				s, err := as.Exchange(context.Background(), nil, g)
				if err != nil {
					return err
				}
				r := winner.state.Load().record.with(s.next(g.Old))
				b, _ := r.encode(false)
				store.records.Store(winner.key, b)
				return invalidGrant()
			}
		})
		if err := loser.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		mustGet(t, loser)
		if r := stored(t, store, loser); r.over != "" || r.session.RefreshToken.Reveal() != as.good() {
			t.Error("the winner's session is gone")
		}
	})
}

func TestF37_AValidTokenNeedsNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &hookStore{}
		as.client(t, in(store))
		stalled := make(chan struct{})
		holder := as.stranger(t, in(store))
		as.set(func() { as.before = func(context.Context, Grant) error { <-stalled; return nil } })
		go holder.Renew(context.Background())
		synctest.Wait()
		locks := store.locks.Load()
		other := as.stranger(t, in(store))
		began := time.Now()
		mustGet(t, other)
		if time.Since(began) > 0 || store.locks.Load() != locks {
			t.Error("a request with a valid token waited for another process")
		}
		close(stalled)
	})
}

func TestF38_PatienceOutlastsSlowHolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{before: func(_ context.Context, g Grant) error {
			if g.Kind == Refresh {
				time.Sleep(25 * time.Second) // each is slow, none is too slow
			}
			return nil
		}}
		store := &MemoryStore{}
		clients := []*Client{as.client(t, in(store), func(cfg *Config) { cfg.MemoryOnly = true })}
		for range 99 {
			clients = append(clients, as.stranger(t, in(store), func(cfg *Config) { cfg.MemoryOnly = true }))
		}
		times(100, func(i int) {
			if _, err := clients[i].Token(context.Background()); err != nil {
				t.Errorf("number %d: %v", i, err)
			}
		})
		if _, _, reuses := as.counts(); reuses != 0 {
			t.Errorf("%d reuses", reuses)
		}
	})
}

func TestF38_AHungHolderIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		var warnings []string
		c := as.client(t, in(store), func(cfg *Config) {
			cfg.MaxWait = -1
			cfg.Observe = func(ev Event) {
				if ev.Kind == EventWarning {
					warnings = append(warnings, ev.Err.Error())
				}
			}
		})
		hung := make(chan struct{})
		go store.Update(context.Background(), c.key, func(context.Context, []byte, func([]byte) error) error { <-hung; return nil })
		synctest.Wait()
		err := c.Renew(context.Background())
		if err == nil || !strings.Contains(err.Error(), "another process has held the session's lock for 35s") {
			t.Errorf("error %v", err)
		}
		mustGet(t, c) // the token is still good
		synctest.Wait()
		if len(warnings) != 1 || !strings.Contains(warnings[0], "waiting for another process") {
			t.Errorf("warnings %q", warnings)
		}
		close(hung)
	})
}

func TestF40_TheIntentIsSavedFirstAndFoundAgain(t *testing.T) {
	for _, grace := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakeAS{}
			store := &hookStore{}
			c := as.client(t, in(store))
			// The process dies between the server's answer and the save: nothing of what follows is written.
			as.set(func() {
				as.before = func(_ context.Context, g Grant) error {
					if r := stored(t, store, c); r.spending.IsZero() {
						t.Error("the credential is being spent, and the record does not say so")
					}
					store.save = func([]byte) error { return errors.New("killed") }
					return nil
				}
			})
			old := as.good()
			c.Renew(context.Background())
			c.shut() // it is dead
			as.set(func() { as.before, store.save = nil, nil })
			if grace {
				as.refresh = old
				delete(as.spent, old)
			}
			time.Sleep(time.Hour)
			next := as.stranger(t, in(&store.MemoryStore))
			err := next.Renew(context.Background())
			switch {
			case grace && err != nil:
				t.Errorf("with a grace window: %v", err)
			case !grace && (!errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "interrupted")):
				t.Errorf("without: %v; want interrupted", err)
			}
		})
	}
}

func TestF41_NothingIsSpentIfTheStoreIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		full := errors.New("no space left on device")
		store := &hookStore{}
		c := as.client(t, in(store), func(cfg *Config) { cfg.MaxWait = -1 })
		calls := as.count(&as.calls)
		store.save = func([]byte) error { return full }
		if err := c.Renew(context.Background()); !errors.Is(err, full) || !strings.Contains(err.Error(), "not spent") {
			t.Errorf("error %v", err)
		}
		if as.count(&as.calls) != calls {
			t.Error("the credential was spent")
		}
		mustGet(t, c)
		store.save = nil
		time.Sleep(2 * time.Second)
		if err := c.Renew(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestF41_AFailedSaveIsTriedAgainAndSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		full := errors.New("no space left on device")
		store := &hookStore{}
		var kinds []EventKind
		c := as.client(t, in(store), func(cfg *Config) { cfg.Observe = func(ev Event) { kinds = append(kinds, ev.Kind) } })
		var isFull atomic.Bool
		store.save = func([]byte) error {
			if isFull.Load() {
				return full
			}
			return nil
		}
		as.set(func() { as.after = func(_ Grant, s Session) (Session, error) { isFull.Store(true); return s, nil } })
		if err := c.Renew(context.Background()); err != nil {
			t.Fatalf("the session is alive: %v", err)
		}
		mustGet(t, c)
		if c.Status().Saved {
			t.Error("Status says that it is saved")
		}
		isFull.Store(false)
		time.Sleep(time.Minute)
		if !c.Status().Saved || stored(t, store, c).session.RefreshToken.Reveal() != as.good() {
			t.Error("it was not saved later")
		}
		if !slices.Contains(kinds, EventNotSaved) || !slices.Contains(kinds, EventSaved) {
			t.Errorf("events %v", kinds)
		}
		c.Renew(context.Background())
		if err := c.Close(); !errors.Is(err, full) {
			t.Errorf("Close: %v", err)
		}
	})
}

// The intent is as long as what replaces it, so writing it proves that there is room.
func TestF41_TheIntentIsPadded(t *testing.T) {
	as := &fakeAS{}
	var sizes []int
	store := &hookStore{save: func(b []byte) error { sizes = append(sizes, len(b)); return nil }}
	c := as.client(t, in(store))
	c.Renew(context.Background())
	if len(sizes) != 3 || sizes[1] < sizes[2] {
		t.Errorf("sizes of login, intent and session: %v", sizes)
	}
}

func TestF42_AnotherAccountIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ada, bob := &fakeAS{}, &fakeAS{}
		bob.set(func() {
			bob.after = func(_ Grant, s Session) (Session, error) {
				s.Subject, s.Account = "2", "bob@example.com"
				return s, nil
			}
		})
		store := &MemoryStore{}
		c := ada.client(t, in(store))
		refreshing := make(chan struct{})
		go func() { // another process logs in as bob while ada's refresh waits for the lock
			bob.client(t, in(store))
			close(refreshing)
		}()
		<-refreshing
		if err := c.Renew(context.Background()); !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "another account") {
			t.Errorf("error %v", err)
		}
		if r := stored(t, store, c); r.session.Account != "bob@example.com" {
			t.Error("bob's session was overwritten")
		}
		if _, err := get(c); !errors.Is(err, ErrSessionOver) {
			t.Errorf("a request: %v", err)
		}
	})
}

func TestF43_LogoutDuringARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &hookStore{}
		c := as.client(t, in(store))
		gate := make(chan struct{})
		as.set(func() {
			as.after = func(g Grant, s Session) (Session, error) {
				if g.Kind == Refresh {
					<-gate
				}
				return s, nil
			}
		})
		as.revoke()
		waiting := make(chan error)
		go func() { _, err := get(c); waiting <- err }()
		synctest.Wait()
		done := make(chan error)
		go func() { done <- c.Logout(context.Background()) }()
		synctest.Wait()
		select {
		case <-waiting:
		default:
			t.Error("a waiting request was not released")
		}
		if _, err := get(c); !errors.Is(err, ErrNoSession) {
			t.Errorf("a request during the logout: %v", err)
		}
		close(gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(as.logouts) != 1 || as.logouts[0] != "refresh-secret-2" || as.good() != "" {
			t.Errorf("revoked %q; want the newest, and nothing left at the server", as.logouts)
		}
		if b, _ := store.Load(context.Background(), c.key); b == nil || len(b) != 0 {
			t.Error("the store has no tombstone")
		}
		if _, err := get(c); !errors.Is(err, ErrNoSession) {
			t.Errorf("a request after the logout: %v", err)
		}
	})
}

func TestF43_LogoutWhereTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		c := as.client(t, in(store))
		as.set(func() { as.before = func(context.Context, Grant) error { return errors.New("no route to host") } })
		err := c.Logout(context.Background())
		if err == nil || !strings.Contains(err.Error(), "the session is gone here") {
			t.Errorf("error %v", err)
		}
		if _, err := get(c); !errors.Is(err, ErrNoSession) {
			t.Errorf("a request: %v", err)
		}
		if as.stranger(t, in(store)).Status().State != StateNone {
			t.Error("the next start finds the session")
		}
	})
}

func TestLogoutEndsTheSessionElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		one := as.client(t, in(store))
		other := as.stranger(t, in(store))
		if err := one.Logout(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := other.Renew(context.Background()); !errors.Is(err, ErrSessionOver) {
			t.Errorf("error %v", err)
		}
		time.Sleep(2 * time.Second)
		if err := one.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		mustGet(t, other) // a login in one is seen by the other
	})
}

func TestARestartNeedsNoLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		as.client(t, in(store)).Close()
		calls := as.count(&as.calls)
		c := as.stranger(t, in(store))
		mustGet(t, c)
		synctest.Wait()
		if as.count(&as.calls) != calls {
			t.Error("a start with a usable token went to the auth server")
		}
		c.Close()
		time.Sleep(time.Hour)
		c = as.stranger(t, in(store))
		synctest.Wait()
		if as.count(&as.calls) != calls+1 {
			t.Error("a start without one did not refresh in the background")
		}
		mustGet(t, c)
		if as.count(&as.refused) != 0 {
			t.Error("the first request was sent to be refused")
		}
	})
}

func TestAnUnreadableRecordIsAnErrorAndNoLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		first := as.client(t, in(store))
		good, _ := store.Load(context.Background(), first.key)
		first.Close()
		calls := as.count(&as.calls)
		for _, bad := range [][]byte{[]byte("x"), bytes.TrimRight(good, " ")[:200], []byte(`{"format":99}`)} {
			store.records.Store(first.key, bad)
			c := as.stranger(t, in(store))
			if _, err := get(c); err == nil || errors.Is(err, ErrNoSession) || !strings.Contains(err.Error(), "log in again") {
				t.Errorf("error %v", err)
			}
			if now, _ := store.Load(context.Background(), first.key); !bytes.Equal(now, bad) || as.count(&as.calls) != calls {
				t.Error("it was overwritten, or something was spent")
			}
			time.Sleep(2 * time.Second)
			store.records.Store(first.key, good)
			mustGet(t, c)
		}
	})
}

func TestF60_CredentialsOnceForEachLostSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		var asked, background atomic.Int64
		service := func(cfg *Config) {
			cfg.Store = store
			cfg.Credentials = func(ctx context.Context) (any, error) {
				asked.Add(1)
				if !Foreground(ctx) {
					background.Add(1)
				}
				time.Sleep(time.Second)
				return "password", nil
			}
		}
		var clients []*Client
		for range 20 {
			clients = append(clients, as.stranger(t, service))
		}
		times(20, func(i int) { mustGet(t, clients[i]) }) // no session at first
		as.mu.Lock()
		as.access, as.refresh = nil, "" // the server ends it
		as.mu.Unlock()
		times(20, func(i int) { mustGet(t, clients[i]) })
		if logins, _, _ := as.counts(); logins != 2 || asked.Load() != 2 || background.Load() != 0 {
			t.Errorf("%d logins, asked %d times, %d of them for nobody; want 2, 2, 0", logins, asked.Load(), background.Load())
		}
	})
}

func TestF60_RefusedCredentialsAreNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{before: func(context.Context, Grant) error {
			return &RefreshError{Op: Login, Path: "/auth/login", Status: 401, Refused: true}
		}}
		c := as.stranger(t, func(cfg *Config) {
			cfg.Credentials = func(context.Context) (any, error) { return "wrong", nil }
		})
		for range 10 {
			if _, err := get(c); !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "Credentials were refused") {
				t.Errorf("error %v", err)
			}
			time.Sleep(time.Minute)
		}
		if as.count(&as.calls) != 1 {
			t.Errorf("%d logins with wrong credentials", as.count(&as.calls))
		}
	})
}

func TestServiceAccountsLogInAgainBeforeExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		x := unrenewable{as}
		c := as.stranger(t, func(cfg *Config) {
			cfg.Exchanger = x
			cfg.Credentials = func(context.Context) (any, error) { return "secret", nil }
		})
		for range 100 {
			mustGet(t, c)
			time.Sleep(time.Minute)
		}
		if logins, refreshes, _ := as.counts(); refreshes != 0 || logins < 7 || logins > 13 {
			t.Errorf("%d logins, %d refreshes in 100 minutes", logins, refreshes)
		}
		if w := c.Status().Stats.Waited; w != 1 {
			t.Errorf("%d requests waited, want only the first", w)
		}
	})
}

type unrenewable struct{ *fakeAS }

func (unrenewable) Renewable(Session) error { return ErrNotRenewable }

// conflictStore fails the save after the exchange, as a store does whose lease ran out.
type conflictStore struct {
	MemoryStore
	mu      sync.Mutex
	meddle  func() // what somebody else does meanwhile
	saves   int
	failing int // the save that meets a conflict
}

type meddledError struct{}

func (meddledError) Error() string  { return "the record was changed by somebody else" }
func (meddledError) Conflict() bool { return true }

func (s *conflictStore) Update(ctx context.Context, key string, fn func(context.Context, []byte, func([]byte) error) error) error {
	return s.MemoryStore.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		return fn(ctx, old, func(b []byte) error {
			s.mu.Lock()
			s.saves++
			failing := s.saves == s.failing
			s.mu.Unlock()
			if failing {
				if s.meddle != nil {
					s.meddle()
				}
				return meddledError{}
			}
			return save(b)
		})
	})
}

func TestAConflictIsReadAgainBeforeItIsSaved(t *testing.T) {
	for _, newer := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakeAS{}
			store := &conflictStore{failing: 3} // login, intent, session
			c := as.client(t, in(store))
			if newer {
				store.meddle = func() {
					s := as.issue()
					b, _ := c.state.Load().record.with(s).with(s).encode(false)
					store.records.Store(c.key, b)
				}
			}
			if err := c.Renew(context.Background()); err != nil {
				t.Fatal(err)
			}
			mustGet(t, c)
			r := stored(t, store, c)
			if got := c.state.Load().session().RefreshToken; !r.session.RefreshToken.equal(got) || got.Reveal() != as.good() || !r.spending.IsZero() {
				t.Errorf("newer %v: store and client disagree", newer)
			}
		})
	}
}

func TestAStoreThatLostAWriteIsCorrected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakeAS{}
		store := &MemoryStore{}
		var warned atomic.Bool
		c := as.client(t, in(store), func(cfg *Config) {
			cfg.Observe = func(ev Event) { warned.Store(warned.Load() || ev.Kind == EventWarning) }
		})
		before, _ := store.Load(context.Background(), c.key)
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		store.records.Store(c.key, before)
		if err := c.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, _, reuses := as.counts(); reuses != 0 || !warned.Load() {
			t.Errorf("%d reuses, warned %v", reuses, warned.Load())
		}
	})
}
