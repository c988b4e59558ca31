package silentrefresh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// client returns a logged-in Client of f's.
func clientOf(tb testing.TB, f *fakes.Server, change ...func(*Config)) *Client {
	tb.Helper()
	c := strangerOf(tb, f, change...)
	if err := c.Login(context.Background(), nil); err != nil {
		tb.Fatal(err)
	}
	return c
}

// stranger returns a Client of f's that is not logged in.
func strangerOf(tb testing.TB, f *fakes.Server, change ...func(*Config)) *Client {
	tb.Helper()
	cfg := Config{BaseURL: "https://api.example.com", Exchanger: f, Base: f, AuthBase: f}
	for _, ch := range change {
		ch(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// get sends one request and returns the status, 0 with an error.
func get(c *Client) (int, error) { return getCtx(context.Background(), c) }

func getCtx(ctx context.Context, c *Client) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "https://api.example.com/me", nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.HTTPClient().Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}

// mustGet fails unless one request succeeds with 200.
func mustGet(tb testing.TB, c *Client) {
	tb.Helper()
	if status, err := get(c); status != 200 {
		tb.Fatalf("GET /me: status %d, error %v", status, err)
	}
}

// atOnce makes a request that finds no token fail instead of waiting.
func atOnce(cfg *Config) { cfg.MaxWait = -1 }

// stream is a request whose body can be sent only once.
func stream() *http.Request {
	req, _ := http.NewRequest("POST", "https://api.example.com/items", onlyReader{strings.NewReader("x")})
	return req
}

// Without a Logger, warnings go to slog.Default: these tests provoke them by the hundred.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// in makes a Config keep its session in store.
func in(store Store) func(*Config) { return func(cfg *Config) { cfg.Store = store } }

// stored is the record that s has of c's session.
func stored(t *testing.T, s Store, c *Client) *record.Record {
	t.Helper()
	b, err := s.Load(context.Background(), c.StoreKey())
	if err != nil {
		t.Fatal(err)
	}
	r, err := record.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// credential is the refresh token that c goes on with.
func credential(c *Client) string { return c.state.Load().session().RefreshToken.Reveal() }

// onlyReader hides that a body could be read again.
type onlyReader struct{ io.Reader }

// What the Store could not take is newer than what it has, be that an older session or a tombstone.
func TestF41_ALoginThatWasNotSavedIsNotUndone(t *testing.T) {
	for name, before := range map[string]func(*testing.T, *Client) error{
		"an older session is stored": func(*testing.T, *Client) error { return nil },
		"a tombstone is stored":      func(t *testing.T, c *Client) error { return c.Logout(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				store := &fakes.HookStore{}
				c := clientOf(t, as, in(store), atOnce)
				if err := before(t, c); err != nil {
					t.Fatal(err)
				}
				store.Full.Store(true)
				if err := c.Login(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				if err := c.Renew(t.Context()); !errors.Is(err, fakes.ErrFull) {
					t.Errorf("Renew with a full store: %v", err)
				}
				mustGet(t, c)
				if credential(c) != as.Good() {
					t.Errorf("the session is %q again, the login gave %q", credential(c), as.Good())
				}
				store.Full.Store(false)
				time.Sleep(time.Minute)
				if err := c.Renew(t.Context()); err != nil || stored(t, store, c).Session.RefreshToken.Reveal() != as.Good() {
					t.Errorf("once there is room: %v; it is saved as well: %v", err, c.Status().Saved)
				}
			})
		})
	}
}

// The save that is tried again waits for a refresh, which spends what it was going to save.
func TestF34_F41_ALateSaveDoesNotBringASpentCredentialBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HookStore{}
		store.Full.Store(true)
		c := clientOf(t, as, in(store))
		store.Full.Store(false)
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 10*time.Second) })
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := stored(t, store, c).Session.RefreshToken.Reveal(); got != as.Good() {
			t.Errorf("the store has %q, which is spent", got)
		}
		other := strangerOf(t, as, in(store))
		err := other.Renew(t.Context())
		if _, _, reuses := as.Counts(); reuses != 0 || err != nil {
			t.Errorf("another process: %d reuses, %v", reuses, err)
		}
	})
}

func TestF42_ALateSaveDoesNotOverwriteAnotherAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ada, bob := &fakes.Server{}, &fakes.Server{After: fakes.AsBob}
		store := &fakes.HookStore{}
		store.Full.Store(true)
		c := clientOf(t, ada, in(store))
		store.Full.Store(false)
		clientOf(t, bob, in(store))
		time.Sleep(time.Minute)
		if r := stored(t, store, c); r.Session.Account != "bob@example.com" {
			t.Error("bob's later session was overwritten by ada's earlier one")
		}
	})
}

// The response is the observer's: neither the state nor the record has it.
func TestF71_TheSessionDoesNotHoldTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{After: func(_ auth.Grant, s auth.Session) (auth.Session, error) {
			s.Response = auth.NewResponse([]byte(`{"name":"ada"}`))
			return s, nil
		}}
		seen := 0
		c := clientOf(t, as, func(cfg *Config) {
			cfg.Observe = func(ev Event) {
				var said struct{ Name string }
				if ev.Response.Decode(&said) == nil && said.Name == "ada" {
					seen++
				}
			}
		})
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var said any
		if held := c.state.Load().session(); seen != 2 || held.Response.Decode(&said) == nil {
			t.Errorf("the observer has seen %d; the session holds %v", seen, said)
		}
	})
}

// Of two logins at a time one wins, here and in the Store; the other is revoked.
func TestF34_TwoLoginsAgreeOnOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindLogin, time.Second)}
		store := &MemoryStore{}
		c := strangerOf(t, as, in(store))
		errs := make([]error, 2)
		fakes.Times(2, func(i int) { errs[i] = c.Login(t.Context(), nil) })
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("want one of them to win: %v", errs)
		}
		kept, revoked := stored(t, store, c).Session.RefreshToken.Reveal(), as.Revoked()
		if kept != credential(c) || len(revoked) != 1 || revoked[0] == kept {
			t.Errorf("the store has %q, the client %q; revoked %q", kept, credential(c), revoked)
		}
	})
}

// A Login that Close has overtaken is revoked, and then the Store must not have it either.
func TestF09_ALoginThatCloseHasOvertakenLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindLogin, time.Second)}
		store := &MemoryStore{}
		c := strangerOf(t, as, in(store))
		done := make(chan error)
		go func() { done <- c.Login(t.Context(), nil) }()
		synctest.Wait()
		c.Close()
		if err := <-done; !errors.Is(err, ErrClosed) || as.Good() != "" {
			t.Errorf("Login: %v; the server still takes %q", err, as.Good())
		}
		if r := stored(t, store, c); r != nil {
			t.Error("the store has a session that was revoked")
		}
	})
}

// A login endpoint may set nothing but a cookie: the token comes with the first refresh.
func TestF07_ALoginWithoutATokenRefreshesBeforeTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{After: func(g auth.Grant, s auth.Session) (auth.Session, error) {
			if g.Kind == auth.KindLogin {
				s.AccessToken = auth.Secret{}
			}
			return s, nil
		}}
		c := clientOf(t, as)
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes by the end of the login, want 1", refreshes)
		}
		mustGet(t, c)
		if as.Count(&as.Refused) != 0 {
			t.Error("a request was sent without a token")
		}
	})
}

// A login whose response has a token nowhere to be found, and nothing to get one with, replaces nothing.
func TestALoginWithoutATokenReplacesNothing(t *testing.T) {
	responses := []string{`{"token":"a1","refreshToken":"r1"}`, `{"session_token":"abc","ttl":60}`}
	base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := fakes.ResponseTo(req, 200)
		resp.Header.Set("Content-Type", "application/json")
		resp.Body = io.NopCloser(strings.NewReader(responses[0]))
		responses = responses[1:]
		return resp, nil
	})
	c, err := New(Config{BaseURL: "https://api.example.com", Base: base})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	err = c.Login(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "access_token") || errors.Is(err, ErrSessionOver) {
		t.Errorf("error %v; want one that names the setting", err)
	}
	if token, err := c.Token(t.Context()); err != nil || token.Value.Reveal() != "a1" {
		t.Errorf("the session before: %v", err)
	}
}

// bubbleGoroutines counts the goroutines of the bubble. Others come and go as they like.
func bubbleGoroutines() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return bytes.Count(stacks, []byte("synctest bubble"))
}

func TestF09_AnIdleSessionHasNoGoroutineAndCloseEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		before := bubbleGoroutines()
		var clients []*Client
		for range 100 {
			clients = append(clients, clientOf(t, as))
		}
		synctest.Wait()
		if n := bubbleGoroutines() - before; n > 0 {
			t.Errorf("100 idle sessions have %d goroutines", n)
		}
		for _, c := range clients {
			if err := errors.Join(c.Close(), c.Close()); err != nil {
				t.Error(err)
			}
		}
		calls := as.Count(&as.Calls)
		time.Sleep(24 * time.Hour)
		if as.Count(&as.Calls) != calls {
			t.Error("a closed client refreshed")
		}
		if _, err := get(clients[0]); !errors.Is(err, ErrClosed) {
			t.Errorf("a request after Close: %v", err)
		}
	})
}

func TestF09_CloseWaitsForARefreshToBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, time.Second)}
		store := &MemoryStore{}
		c := clientOf(t, as, func(cfg *Config) { cfg.Store = store })
		go c.Renew(context.Background())
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		b, _ := store.Load(context.Background(), c.StoreKey())
		r, err := record.Decode(b)
		if err != nil || r.Session.RefreshToken.Reveal() != as.Good() || r.Spent() {
			t.Errorf("the refresh that was under way was not saved: %v", err)
		}
	})
}

// A refresh that takes nearly as long as it may leaves the save after it as much time as any.
func TestF09_CloseHasTimeToSaveWhatCameLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as, store, saves := &fakes.Server{}, &fakes.HookStore{}, 0
		c := clientOf(t, as, in(store), func(cfg *Config) { cfg.Timeout = 10 * time.Second })
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 9*time.Second) })
		store.Save = func([]byte) error {
			if saves++; saves == 2 { // the first is of the intent
				return fakes.ErrFull
			}
			if saves > 2 {
				time.Sleep(2 * time.Second)
			}
			return nil
		}
		go c.Renew(context.Background())
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if r := stored(t, store, c); r.Session.RefreshToken.Reveal() != as.Good() {
			t.Error("what the refresh gave was not saved")
		}
	})
}

// What queues for an exchange has not spent anything: Close need not wait for its turn.
func TestF09_CloseCallsOffARefreshThatQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		busy := clientOf(t, as, func(cfg *Config) { cfg.MaxExchanges = 1 })
		queued, err := busy.Fork("queued")
		if err != nil {
			t.Fatal(err)
		}
		if err := queued.Login(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 20*time.Second) })
		go busy.Renew(t.Context())
		synctest.Wait()
		done := make(chan error)
		go func() { done <- queued.Renew(t.Context()) }()
		synctest.Wait()
		began := time.Now()
		queued.Close()
		if err := <-done; !errors.Is(err, ErrClosed) || time.Since(began) > 0 {
			t.Errorf("Close and what queued took %v; %v", time.Since(began), err)
		}
	})
}

// A timer that joins a flight which found no slot comes back by itself, although that flight had no part in it.
func TestATimerThatJoinsABusyFlightComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		seen, gate := c.state.Load().generation, make(chan struct{})
		go c.flight.join(t.Context(), nil, func() landing {
			<-gate
			return landing{flew: true, from: seen, err: errBusy}
		})
		synctest.Wait()
		c.mu.Lock()
		due := *c.state.Load() // as when the timer fires
		due.renewAt = time.Now()
		c.state.Store(&due)
		c.schedule.renewing = true
		c.mu.Unlock()
		go func() {
			defer c.done()
			c.renew(context.Background(), seen, TriggerTimer)
		}()
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if next := c.Status().NextRefresh; next.IsZero() {
			t.Error("nothing will renew the session")
		}
		time.Sleep(time.Minute)
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes", refreshes)
		}
	})
}
