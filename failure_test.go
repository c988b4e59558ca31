package silentrefresh

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF27_TheEndOfASessionLatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var kinds []EventKind
		c := clientOf(t, as, func(cfg *Config) { cfg.Observe = func(ev Event) { kinds = append(kinds, ev.Kind) } })
		as.Set(func() { as.Before = func(context.Context, auth.Grant) error { return fakes.InvalidGrant() } })
		c.Renew(context.Background())
		calls := as.Count(&as.Calls)
		for range 100 {
			if _, err := get(c); !errors.Is(err, ErrSessionOver) {
				t.Fatalf("error %v", err)
			}
			time.Sleep(time.Minute)
		}
		if as.Count(&as.Calls) != calls {
			t.Errorf("%d auth calls after the end", as.Count(&as.Calls)-calls)
		}
		as.Set(func() { as.Before = nil })
		if err := c.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		mustGet(t, c)
		synctest.Wait()
		if n := len(slices.DeleteFunc(slices.Clone(kinds), func(k EventKind) bool { return k != EventOver })); n != 1 {
			t.Errorf("%d events that the session is over, want 1: %v", n, kinds)
		}
	})
}

func TestF29_ALostResponseIsNotALogout(t *testing.T) {
	for _, grace := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			var lose atomic.Bool
			as.Set(func() {
				as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
					if g.Kind == auth.KindRefresh && lose.Swap(false) {
						if grace { // the server takes the old one once more
							as.Mu.Lock()
							as.Refresh = g.Old.RefreshToken.Reveal()
							delete(as.Spent, as.Refresh)
							as.Mu.Unlock()
						}
						return auth.Session{}, &auth.Error{Op: auth.KindRefresh, Status: 502, MaybeSpent: true}
					}
					return s, nil
				}
			})
			c := clientOf(t, as)
			lose.Store(true)
			err := c.Renew(context.Background()) // waits through the backoff and presents the credential again
			switch {
			case grace && err != nil:
				t.Errorf("with a grace window: %v", err)
			case grace:
				mustGet(t, c)
			case !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "interrupted"):
				t.Errorf("without: %v; want over, and that it was interrupted", err)
			case c.Status().State != StateInterrupted:
				t.Errorf("state %q", c.Status().State)
			}
		})
	}
}

func TestF31_WhatIsOmittedIsCarriedForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		as.Set(func() {
			as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
				if g.Kind == auth.KindRefresh { // the server does not rotate
					as.Mu.Lock()
					as.Refresh = g.Old.RefreshToken.Reveal()
					delete(as.Spent, as.Refresh)
					as.Mu.Unlock()
					s = auth.Session{AccessToken: s.AccessToken, Issued: s.Issued, Expires: s.Expires}
				}
				return s, nil
			}
		})
		c := clientOf(t, as, func(cfg *Config) { cfg.Exchanger = byRefreshToken{as} })
		for range 3 {
			if err := c.Renew(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if s := c.Status(); s.Account != "ada@example.com" || !s.Renewable || c.state.Load().session().Subject != "1" {
			t.Errorf("status %+v", s)
		}
	})
}

// byRefreshToken renews sessions that have a refresh token.
type byRefreshToken struct{ *fakes.Server }

func (byRefreshToken) CheckRenewable(s auth.Session) error {
	if s.RefreshToken.IsZero() {
		return auth.ErrNotRenewable
	}
	return nil
}

func TestF55_NoNewTokenDoesNotSpin(t *testing.T) {
	for name, after := range map[string]func(g auth.Grant, s auth.Session) (auth.Session, error){
		"none": func(g auth.Grant, s auth.Session) (auth.Session, error) { s.AccessToken = auth.Secret{}; return s, nil },
		"the same string": func(g auth.Grant, s auth.Session) (auth.Session, error) {
			s.AccessToken = g.Old.AccessToken
			return s, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				as.Set(func() {
					as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
						if g.Kind != auth.KindRefresh {
							return s, nil
						}
						return after(g, s)
					}
				})
				c := clientOf(t, as)
				for range 100 {
					mustGet(t, c)
				}
				fakes.Times(100, func(int) {
					if err := c.renew(context.Background(), 1, TriggerAsked); err != nil {
						t.Error(err)
					}
				})
				if _, refreshes, _ := as.Counts(); refreshes != 1 {
					t.Errorf("%d refreshes for 100 callers at once, want 1", refreshes)
				}
				mustGet(t, c)
				calls := as.Count(&as.Calls)
				time.Sleep(10 * time.Minute)
				if n := as.Count(&as.Calls) - calls; n > 30 {
					t.Errorf("%d refreshes in 10 minutes", n)
				}
			})
		})
	}
}

func TestF55_RefusedAndNotReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		as.Set(func() {
			as.After = func(g auth.Grant, s auth.Session) (auth.Session, error) {
				if g.Kind == auth.KindRefresh {
					s.AccessToken = auth.Secret{}
				}
				return s, nil
			}
		})
		c := clientOf(t, as)
		as.Revoke()
		for range 100 {
			if status, err := get(c); status != 401 {
				t.Fatalf("status %d, error %v", status, err)
			}
		}
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes, want 1", refreshes)
		}
	})
}

// A credential whose response was lost may be spent: no failure after that makes its refusal a plain one.
func TestF29_ALostResponseIsNotForgottenOverAnotherFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, atOnce)
		as.Set(func() {
			as.After = func(auth.Grant, auth.Session) (auth.Session, error) {
				return auth.Session{}, &auth.Error{Op: auth.KindRefresh, Status: 502, MaybeSpent: true}
			}
		})
		c.Renew(t.Context())
		as.Set(func() { as.Before, as.After = func(context.Context, auth.Grant) error { return fakes.Down() }, nil })
		time.Sleep(time.Second)
		c.Renew(t.Context())
		as.Set(func() { as.Before = nil })
		time.Sleep(time.Minute)
		if err := c.Renew(t.Context()); !errors.Is(err, ErrSessionOver) || !strings.Contains(err.Error(), "interrupted") {
			t.Errorf("%v; want over, and that it was interrupted", err)
		}
	})
}
