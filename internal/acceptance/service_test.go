package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF60_CredentialsOnceForEachLostSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &silentrefresh.MemoryStore{}
		var asked, background atomic.Int64
		service := func(cfg *silentrefresh.Config) {
			cfg.Store = store
			cfg.Credentials = func(ctx context.Context) (any, error) {
				asked.Add(1)
				if !auth.Foreground(ctx) {
					background.Add(1)
				}
				time.Sleep(time.Second)
				return "password", nil
			}
		}
		var clients []*silentrefresh.Client
		for range 20 {
			clients = append(clients, strangerOf(t, as, service))
		}
		fakes.Times(20, func(i int) { mustGet(t, clients[i]) }) // no session at first
		as.Mu.Lock()
		as.Access, as.Refresh = nil, "" // the server ends it
		as.Mu.Unlock()
		fakes.Times(20, func(i int) { mustGet(t, clients[i]) })
		if logins, _, _ := as.Counts(); logins != 2 || asked.Load() != 2 || background.Load() != 0 {
			t.Errorf("%d logins, asked %d times, %d of them for nobody; want 2, 2, 0", logins, asked.Load(), background.Load())
		}
	})
}

func TestF60_RefusedCredentialsAreNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: func(context.Context, auth.Grant) error { return &auth.Error{Refused: true} }} // of what was asked for
		c := strangerOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Credentials = func(context.Context) (any, error) { return "wrong", nil }
		})
		for range 10 {
			if _, err := get(c); !errors.Is(err, silentrefresh.ErrSessionOver) || !strings.Contains(err.Error(), "Credentials were refused") {
				t.Errorf("error %v", err)
			}
			time.Sleep(time.Minute)
		}
		if as.Count(&as.Calls) != 1 {
			t.Errorf("%d logins with wrong credentials", as.Count(&as.Calls))
		}
	})
}

func TestF60_CredentialsThatFailAreNotAskedAgainAtOnce(t *testing.T) {
	for name, fail := range map[string]error{
		"another Client's session is over": fmt.Errorf("vault: %w", silentrefresh.ErrSessionOver),
		"no response":                      errors.New("vault: no response"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				var asked atomic.Int64
				c := strangerOf(t, as, atOnce, func(cfg *silentrefresh.Config) {
					cfg.Credentials = func(context.Context) (any, error) {
						asked.Add(1)
						return nil, fail
					}
				})
				for range 100 {
					if _, err := get(c); errors.Is(err, silentrefresh.ErrSessionOver) || !strings.Contains(err.Error(), "postponed until") {
						t.Errorf("error %v, want one that says until when", err)
					}
				}
				if n := asked.Load(); n != 1 {
					t.Errorf("asked %d times at once", n)
				}
			})
		})
	}
}

func TestServiceAccountsLogInAgainBeforeExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		x := unrenewable{as}
		c := strangerOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Exchanger = x
			cfg.Credentials = func(context.Context) (any, error) { return "secret", nil }
		})
		for range 100 {
			mustGet(t, c)
			time.Sleep(time.Minute)
		}
		if logins, refreshes, _ := as.Counts(); refreshes != 0 || logins < 7 || logins > 13 {
			t.Errorf("%d logins, %d refreshes in 100 minutes", logins, refreshes)
		}
		if w := c.Status().Stats.Waited; w != 1 {
			t.Errorf("%d requests waited, want only the first", w)
		}
	})
}

type unrenewable struct{ *fakes.Server }

func (unrenewable) CheckRenewable(auth.Session) error { return auth.ErrNotRenewable }

// A login by Credentials that hangs has the deadline of an exchange, even if nobody waits for it.
func TestF28_F60_ALoginByCredentialsHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := strangerOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Credentials = func(context.Context) (any, error) { return "password", nil }
		})
		mustGet(t, c)
		as.Set(func() {
			as.Refresh, as.Access = "", map[string]bool{} // the server ends the session
			as.Before = func(ctx context.Context, g auth.Grant) error {
				if g.Kind == auth.KindLogin {
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			}
		})
		time.Sleep(time.Hour) // the timer's flight has begun the login
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if _, err := getCtx(ctx, c); err == nil || time.Since(began) > 10*time.Minute {
			t.Errorf("a request was held for %v; %v", time.Since(began), err)
		}
	})
}
