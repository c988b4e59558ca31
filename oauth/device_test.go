package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/oauth"
	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// entering is a person who enters the code after a while, on a device of their own. The code would be good for 10
// minutes, but nobody waits that long for it.
func entering(t *testing.T, op *oauthtest.Provider, account string, after time.Duration) func(oauth.Prompt) {
	return func(p oauth.Prompt) {
		if p.URL != op.URL()+"/device" || !strings.Contains(p.CompleteURL, p.Code) || time.Until(p.Expires) != 5*time.Minute {
			t.Errorf("prompt %+v", p)
		}
		time.AfterFunc(after, func() { op.Decide(p.Code, account) })
	}
}

func TestDeviceLogin(t *testing.T) {
	for _, secret := range []string{"", "s3cret"} {
		config := oauthtest.Config{Secret: secret}
		bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) { c.Prompt = entering(t, op, "ada", time.Minute) },
			func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
				began := time.Now()
				if err := cl.Login(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				if got := me(t, cl, op); got != ada {
					t.Errorf("logged in as %s", got)
				}
				if took := time.Since(began); took < time.Minute || took > 66*time.Second {
					t.Errorf("took %v", took)
				}
				if n := op.Calls("/token"); n > 13 {
					t.Errorf("%d polls in a minute, one every 5 s was agreed", n)
				}
			})
	}
}

// TestDeviceSlowsDown: slow_down adds 5 s to the interval, for good (RFC 8628 section 3.5).
func TestDeviceSlowsDown(t *testing.T) {
	var polls []time.Time
	config := oauthtest.Config{Interval: 2}
	config.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/token" {
			return false
		}
		polls = append(polls, time.Now())
		return len(polls) <= 2 && response("/token", 400, `{"error":"slow_down"}`, nil)(w, r)
	}
	bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) { c.Prompt = entering(t, op, "ada", 25*time.Second) },
		func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
			began := time.Now()
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			want := []time.Duration{2, 9, 21, 33} // 2 s, then 7 s, then 12 s each
			for i, at := range polls {
				if i >= len(want) || at.Sub(began) != want[i]*time.Second {
					t.Errorf("poll %d after %v", i, at.Sub(began))
				}
			}
		})
}

// TestDeviceProviderAwayMeanwhile: polls without a response are not the end, and grow rarer.
func TestDeviceProviderAwayMeanwhile(t *testing.T) {
	began := time.Time{}
	config := oauthtest.Config{}
	config.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
		return time.Since(began) < 2*time.Minute && response("/token", 502, "<html>", nil)(w, r)
	}
	bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) { c.Prompt = entering(t, op, "ada", time.Second) },
		func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
			began = time.Now()
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if n := op.Calls("/token"); n > 6 {
				t.Errorf("%d polls of a provider that is away", n)
			}
		})
}

// unlimited is a provider whose codes have no expires_in, and that goes away for good.
func unlimited(w http.ResponseWriter, r *http.Request) bool {
	return response("/device_authorization", 200, `{"device_code":"d","user_code":"u","verification_uri":"https://op.example.com/device"}`, nil)(w, r) ||
		response("/token", 502, "", nil)(w, r)
}

func TestDeviceEnds(t *testing.T) {
	never := func(oauth.Prompt) {}
	for _, test := range []struct {
		name   string
		fault  func(http.ResponseWriter, *http.Request) bool
		change func(*oauthtest.Provider, *oauth.Config)
		want   string
	}{
		{"declined", nil, func(op *oauthtest.Provider, c *oauth.Config) { c.Prompt = entering(t, op, "", time.Minute) }, "access_denied"},
		{"expired", nil, func(_ *oauthtest.Provider, c *oauth.Config) { c.Prompt, c.Patience = never, time.Hour }, "expired"},
		{"nobody came", nil, func(_ *oauthtest.Provider, c *oauth.Config) { c.Prompt, c.Patience = never, time.Minute }, "nobody logged in within 1m0s"},
		{"nobody came, and the code does not expire", unlimited, func(_ *oauthtest.Provider, c *oauth.Config) { c.Prompt, c.Patience = never, time.Minute }, "nobody logged in within 1m0s"},
		{"no code", response("/device_authorization", 200, `{}`, nil), func(_ *oauthtest.Provider, c *oauth.Config) { c.Prompt = never }, "no code for a person"},
		{"not allowed", response("/device_authorization", 400, `{"error":"unauthorized_client"}`, nil), func(_ *oauthtest.Provider, c *oauth.Config) { c.Prompt = never }, "does not allow this flow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := oauthtest.Config{Intercept: test.fault}
			bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) { test.change(op, c) }, func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
				err := cl.Login(t.Context(), nil)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Error(err)
				}
			})
		})
	}
}

func TestDeviceGivenUp(t *testing.T) {
	config := oauthtest.Config{}
	ctx, interrupt := context.WithCancel(t.Context())
	bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) { c.Prompt = func(oauth.Prompt) { interrupt() } }, func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
		if err := cl.Login(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestDevicePromptExpires: a person is told how long the code is waited for, whatever ends that.
func TestDevicePromptExpires(t *testing.T) {
	endless := response("/device_authorization", 200, `{"device_code":"d","user_code":"u","verification_uri":"https://op.example.com/device"}`, nil)
	for _, test := range []struct {
		name     string
		fault    func(http.ResponseWriter, *http.Request) bool
		patience time.Duration
		caller   time.Duration
		want     time.Duration
	}{
		{"the code ends", nil, time.Hour, 2 * time.Hour, 10 * time.Minute},
		{"patience ends", nil, 3 * time.Minute, 2 * time.Hour, 3 * time.Minute},
		{"the caller's context ends", nil, time.Hour, time.Minute, time.Minute},
		{"the code has no end", endless, 3 * time.Minute, 2 * time.Hour, 3 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			var left time.Duration
			config := oauthtest.Config{Intercept: test.fault}
			bubble(t, config, func(op *oauthtest.Provider, c *oauth.Config) {
				c.Patience = test.patience
				c.Prompt = func(p oauth.Prompt) { left = time.Until(p.Expires) }
			}, func(t *testing.T, op *oauthtest.Provider, cl *silentrefresh.Client) {
				ctx, cancel := context.WithTimeout(t.Context(), test.caller)
				defer cancel()
				if err := cl.Login(ctx, nil); err == nil {
					t.Error("nobody entered the code, and the login succeeded")
				}
			})
			if left != test.want {
				t.Errorf("told %v, want %v", left, test.want)
			}
		})
	}
}
