package acceptance

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// deaf makes exchanges of one kind take an hour after they have taken effect, whatever their context says.
func deaf(as *fakes.Server, kind auth.Kind) {
	as.Set(func() {
		as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
			if g.Kind == kind {
				time.Sleep(time.Hour)
			}
			return s, nil
		}
	})
}

// patiently fails unless do returns within most.
func patiently(t *testing.T, what string, most time.Duration, do func()) {
	t.Helper()
	began := time.Now()
	if do(); time.Since(began) > most {
		t.Errorf("%s took %v, want at most %v", what, time.Since(began), most)
	}
}

// moment is how long code that was told to end is waited for, and a little more.
const moment = 2 * time.Second

// An Exchanger that ignores its context for an hour holds nobody longer than Timeout. What it brings at last is taken.
func TestF68_ADeafExchangerHoldsNobody(t *testing.T) {
	const timeout, wait = 30 * time.Second, 10 * time.Second
	for name, most := range map[string]time.Duration{"Renew": timeout + moment, "Token": timeout + wait + moment, "request": timeout + wait + moment, "Close": timeout + moment} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				c := clientOf(t, as)
				deaf(as, auth.KindRefresh)
				token, _ := c.Token(t.Context())
				c.Reject(token)
				do := map[string]func(){
					"Renew":   func() { c.Renew(t.Context()) },
					"Token":   func() { c.Token(t.Context()) },
					"request": func() { get(c) },
					"Close":   func() { go c.Renew(t.Context()); synctest.Wait(); c.Close() },
				}
				patiently(t, name, most, do[name])
				if name == "Close" {
					time.Sleep(2 * time.Hour)
					return
				}
				as.Set(func() { as.After = nil })
				time.Sleep(61 * time.Minute)
				mustGet(t, c)
				if _, refreshes, reuses := as.Counts(); reuses != 0 || refreshes > 4 {
					t.Errorf("%d refreshes, %d reuses: the credential was spent twice", refreshes, reuses)
				}
			})
		})
	}
}

// While an Exchanger is deaf, its credential is not spent once more, whoever asks and however often.
func TestF68_WhatIsUnderWayIsNotSpentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		deaf(as, auth.KindRefresh)
		time.Sleep(20 * time.Minute) // the token ends
		calls := as.Count(&as.Calls)
		busily(3, 20*time.Minute, func() { c.Renew(t.Context()); get(c) })
		if n := as.Count(&as.Calls) - calls; n != 0 {
			t.Errorf("%d more exchanges while one was under way", n)
		}
		as.Set(func() { as.After = nil })
		time.Sleep(time.Hour)
		mustGet(t, c)
		if _, _, reuses := as.Counts(); reuses != 0 {
			t.Errorf("%d reuses", reuses)
		}
	})
}

// A login that comes when nobody waits for it any more is revoked.
func TestF68_ALateLoginIsRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := strangerOf(t, as)
		deaf(as, auth.KindLogin)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		patiently(t, "Login", 5*time.Second+moment, func() {
			if err := c.Login(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Login: %v", err)
			}
		})
		patiently(t, "Login without a deadline of its own", 30*time.Second+moment, func() {
			if err := c.Login(t.Context(), nil); err == nil {
				t.Error("a login out of nothing")
			}
		})
		late := as.Good()
		time.Sleep(2 * time.Hour)
		if as.Good() != "" || !slices.Contains(as.Revoked(), late) || c.Status().State != silentrefresh.StateNone {
			t.Errorf("the server still takes %q; revoked %q", as.Good(), as.Revoked())
		}
	})
}

// Logout waits for a refresh as long as that may take, and revokes what it brings, also when that comes too late.
func TestF68_LogoutOfADeafExchanger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		deaf(as, auth.KindRefresh)
		go c.Renew(context.Background())
		synctest.Wait()
		successor := as.Good()
		patiently(t, "Logout", 30*time.Second+moment, func() { c.Logout(t.Context()) })
		if s := c.Status().State; s != silentrefresh.StateNone {
			t.Errorf("state %s", s)
		}
		time.Sleep(2 * time.Hour)
		if as.Good() != "" || !slices.Contains(as.Revoked(), successor) {
			t.Errorf("the server still takes %q; revoked %q", as.Good(), as.Revoked())
		}
	})
}

// A Logout whose own call is not heard ends, too.
func TestF68_LogoutThatIsNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		deaf(as, auth.KindLogout)
		patiently(t, "Logout", 30*time.Second+moment, func() {
			if err := c.Logout(t.Context()); err == nil {
				t.Error("nobody heard it, and that was not said")
			}
		})
		time.Sleep(2 * time.Hour)
	})
}

// A stream that can be sent but once, inside the margin, with the auth server silent: it is sent before the token has
// ended, or with the next one.
func TestF69_AStreamIsNotSentWithATokenThatHasEnded(t *testing.T) {
	for _, left := range []time.Duration{5 * time.Second, time.Second, 50 * time.Millisecond, 0} {
		for _, silent := range []time.Duration{time.Second, 8 * time.Second, time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.IdleTimeout = time.Minute }) // nothing renews it before
				end := c.Status().Expires
				as.Set(func() {
					as.Before = func(ctx context.Context, g auth.Grant) error {
						if g.Kind != auth.KindRefresh {
							return nil
						}
						timer := time.NewTimer(silent)
						defer timer.Stop()
						select {
						case <-timer.C:
							return nil
						case <-ctx.Done():
							return ctx.Err()
						}
					}
				})
				time.Sleep(time.Until(end) - left)
				var mu sync.Mutex
				sent := 0
				as.Set(func() {
					for token := range as.Access { // the server, too, knows when tokens end
						time.AfterFunc(left, func() { as.Set(func() { delete(as.Access, token) }) })
					}
				})
				fakes.Times(10, func(int) {
					resp, err := c.HTTPClient().Do(stream())
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						sent++
					}
					if err == nil && resp.StatusCode != 200 {
						t.Errorf("%v left, silent for %v: sent in vain", left, silent)
					}
				})
				if sent < 10 && (left > 0 || silent < time.Minute) {
					t.Errorf("%v left, silent for %v: %d of 10 sent", left, silent, sent)
				}
			})
		}
	}
}
