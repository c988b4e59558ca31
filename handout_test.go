package silentrefresh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF56_HandedOutTokens(t *testing.T) {
	const header = "X-New-Token"
	for _, test := range []struct {
		name    string
		between func(c *Client)
		taken   bool
	}{
		{"in time", func(*Client) {}, true},
		{"after a refresh", func(c *Client) { c.Renew(context.Background()) }, false},
		{"after a logout", func(c *Client) { c.Logout(context.Background()) }, false},
		{"after another login", func(c *Client) { c.Login(context.Background(), nil) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				late := make(chan struct{})
				as.Set(func() {
					as.API = func(req *http.Request) (*http.Response, error) {
						<-late
						resp := fakes.ResponseTo(req, 200)
						resp.Header.Set(header, "handed-out")
						return resp, nil
					}
				})
				c := clientOf(t, as, func(cfg *Config) { cfg.HandOutHeader = header })
				time.Sleep(time.Second)
				done := make(chan struct{})
				go func() { get(c); close(done) }()
				synctest.Wait()
				test.between(c)
				close(late)
				<-done
				if taken := c.state.Load().session().AccessToken.Reveal() == "handed-out"; taken != test.taken {
					t.Errorf("taken: %v", taken)
				}
			})
		})
	}
}

// handing makes the API hand a token out with each response, and take it from then on.
func handing(as *fakes.Server, token func() string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp := fakes.ResponseTo(req, 200)
		fresh := token()
		as.Set(func() { as.Access[fresh] = true })
		resp.Header.Set("X-New", fresh)
		return resp, nil
	}
}

func takesHandOuts(cfg *Config) { cfg.HandOutHeader = "X-New" }

// A token that is handed out is no exchange: it does not hide one that another process makes meanwhile.
func TestF34_F56_HandedOutTokensDoNotHideAnothersRefresh(t *testing.T) {
	for _, handedOut := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			as := &fakes.Server{}
			store := &MemoryStore{}
			one := clientOf(t, as, in(store), takesHandOuts)
			other := strangerOf(t, as, in(store))
			n := 0
			as.Set(func() {
				as.Before = fakes.Slowly(auth.KindRefresh, time.Second)
				as.API = handing(as, func() string { n++; return fmt.Sprint("handed-out-", n) })
			})
			time.Sleep(time.Second)
			go other.Renew(t.Context())
			synctest.Wait()
			for range handedOut {
				time.Sleep(10 * time.Millisecond)
				mustGet(t, one)
			}
			time.Sleep(5 * time.Second) // all is saved
			err := errors.Join(one.Renew(t.Context()), other.Renew(t.Context()))
			if _, _, reuses := as.Counts(); reuses != 0 || err != nil {
				t.Errorf("%d handed out: %d times a spent credential was presented; %v", handedOut, reuses, err)
			}
		})
	}
}

func TestF56_WhatIsHandedOutAndNotTaken(t *testing.T) {
	end := func(in time.Duration) int64 { return time.Now().Add(in).Unix() }
	for _, test := range []struct {
		name   string
		token  func(t *testing.T) string
		status int
		taken  bool
	}{
		{"a later one", func(t *testing.T) string { return fakes.JWT(t, "sub", "1", "exp", end(time.Hour)) }, 200, true},
		{"another subject's", func(t *testing.T) string { return fakes.JWT(t, "sub", "2", "exp", end(time.Hour)) }, 200, false},
		{"one that ends earlier", func(t *testing.T) string { return fakes.JWT(t, "sub", "1", "exp", end(10*time.Minute)) }, 200, false},
		{"one with an error", func(t *testing.T) string { return fakes.JWT(t, "sub", "1", "exp", end(time.Hour)) }, 404, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				as := &fakes.Server{}
				c := clientOf(t, as, takesHandOuts)
				token := test.token(t)
				as.Set(func() {
					as.API = func(req *http.Request) (*http.Response, error) {
						resp := fakes.ResponseTo(req, test.status)
						resp.Header.Set("X-New", token)
						return resp, nil
					}
				})
				time.Sleep(time.Second)
				get(c)
				if got := c.state.Load().session().AccessToken.Reveal(); (got == token) != test.taken {
					t.Errorf("taken: %v", got == token)
				}
			})
		})
	}
}

func TestF56_TheSameTokenHandedOutAgainLivesNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, takesHandOuts)
		same := c.state.Load().session().AccessToken.Reveal()
		as.Set(func() { as.API = handing(as, func() string { return same }) })
		end := c.Status().Expires
		for range 10 {
			time.Sleep(time.Minute)
			mustGet(t, c)
		}
		if s := c.Status(); !s.Expires.Equal(end) || s.Generation != 1 {
			t.Errorf("it lives until %v instead of %v, generation %d", s.Expires, end, s.Generation)
		}
	})
}

// The token that is handed out during a backoff is due for renewal before that ends.
func TestF56_AHandOutDuringABackoffIsRenewedAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, takesHandOuts, atOnce)
		time.Sleep(time.Second)
		as.Set(func() {
			as.Before = func(context.Context, auth.Grant) error {
				return &auth.Error{Op: auth.KindRefresh, Status: 429, Unsent: true, Until: time.Now().Add(20 * time.Minute)}
			}
			as.API = handing(as, func() string { return "handed-out" })
		})
		c.Renew(t.Context())
		as.Set(func() { as.Before = nil })
		mustGet(t, c)
		as.Set(func() { as.API = nil })
		time.Sleep(time.Hour)
		if _, refreshes, _ := as.Counts(); refreshes == 0 || c.Status().NextRefresh.IsZero() {
			t.Errorf("%d refreshes in an hour, next at %v: the timer is dead", refreshes, c.Status().NextRefresh)
		}
	})
}

// Cookies that change with every response are saved now and then, not each by a goroutine of its own.
func TestF37_SavesOfCookiesDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		store := &fakes.HookStore{}
		c := clientOf(t, as, in(store), func(cfg *Config) { cfg.Attach.Cookies = true })
		var n atomic.Int64
		as.Set(func() {
			as.API = func(req *http.Request) (*http.Response, error) {
				resp := fakes.ResponseTo(req, 200)
				resp.Header.Set("Set-Cookie", fmt.Sprint("seen=", n.Add(1)))
				return resp, nil
			}
		})
		store.Locked = func(context.Context) { time.Sleep(500 * time.Millisecond) }
		before, saves := runtime.NumGoroutine(), store.Saves.Load()
		for range 400 {
			mustGet(t, c)
			time.Sleep(time.Millisecond)
		}
		if n := runtime.NumGoroutine() - before; n > 5 {
			t.Errorf("%d goroutines wait to save", n)
		}
		time.Sleep(10 * time.Second)
		if n := store.Saves.Load() - saves; n == 0 || n > 10 {
			t.Errorf("%d saves for 400 responses", n)
		}
		if got := fmt.Sprint(stored(t, store, c).Session.Cookies[0].Value.Reveal()); got != "400" {
			t.Errorf("the cookie that was saved is number %s, want the last", got)
		}
	})
}
