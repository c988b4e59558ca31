package acceptance

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// Trouble is what one call of a user's code does instead of its work, or before it.
type trouble struct {
	at   string // which call
	do   func()
	on   atomic.Bool
	met  atomic.Bool
	lost bool // what the auth server gave is lost with it
}

// meet makes trouble at the first call of that name.
func (tr *trouble) meet(name string) {
	if tr.at == name && tr.on.Load() && tr.met.CompareAndSwap(false, true) {
		tr.do()
	}
}

// Moody is an Exchanger, a Store, a slog.Handler and all the rest that a user may bring, with trouble in one place.
type moody struct {
	*fakes.Server
	fakes.Memory
	*trouble
	slog.Handler
}

func (m *moody) Exchange(ctx context.Context, hc *http.Client, g auth.Grant) (auth.Session, error) {
	m.meet("Exchanger")
	s, err := m.Server.Exchange(ctx, hc, g)
	if err == nil && g.Kind != auth.KindLogout {
		m.meet("Exchanger, after it has spent the credential")
		home, _ := url.Parse("https://api.example.com/")
		hc.Jar.SetCookies(home, []*http.Cookie{{Name: "token", Value: s.AccessToken.Reveal(), Path: "/"}, {Name: "csrf", Value: "x", Path: "/"}})
	}
	return s, err
}

func (m *moody) CheckRenewable(auth.Session) error { m.meet("CheckRenewable"); return nil }
func (m *moody) CheckToken(auth.Secret) error      { m.meet("CheckToken"); return nil }
func (m *moody) TokenCookie() string               { m.meet("TokenCookie"); return "token" }
func (m *moody) RefreshNeedsAccessToken() bool     { m.meet("RefreshNeedsAccessToken"); return false }
func (m *moody) SendsCookie(string) bool           { m.meet("SendsCookie"); return true }
func (m *moody) CSRFHeader(http.CookieJar, *url.URL, auth.Session) (name, value string) {
	m.meet("CSRFHeader")
	return "X-CSRF", "x"
}

func (m *moody) RoundTrip(req *http.Request) (*http.Response, error) {
	if cookie, err := req.Cookie("token"); err == nil {
		req.Header.Set("Authorization", "Bearer "+cookie.Value)
	}
	resp, err := m.Server.RoundTrip(req)
	resp.Header.Set("X-New", req.Header.Get("Authorization"))
	return resp, err
}

func (m *moody) Load(ctx context.Context, key string) ([]byte, error) {
	m.meet("Load")
	return m.Memory.Load(ctx, key)
}

func (m *moody) Update(ctx context.Context, key string, fn silentrefresh.UpdateFunc) error {
	m.meet("Update, before it calls back")
	err := m.Memory.Update(ctx, key, func(ctx context.Context, old []byte, save func([]byte) error) error {
		saves := 0
		err := fn(ctx, old, func(b []byte) error {
			if saves++; saves == 1 {
				m.meet("the save of the intent")
			}
			if saves == 2 {
				m.meet("the save of what came")
			}
			err := save(b)
			m.meet("save, when it has saved")
			return err
		})
		m.meet("Update, under its lock after the callback")
		return err
	})
	m.meet("Update, after its lock")
	return err
}

func (m *moody) WhenFree(string, func()) (forget func()) {
	m.meet("WhenFree")
	return func() { m.meet("forget of WhenFree") }
}

func (m *moody) Enabled(context.Context, slog.Level) bool { return true }

func (m *moody) Handle(context.Context, slog.Record) error { m.meet("Logger"); return nil }

func (m *moody) WithAttrs([]slog.Attr) slog.Handler { return m }

// troubled returns a logged-in client of m's.
func troubled(t *testing.T, m *moody) *silentrefresh.Client {
	return clientOf(t, m.Server, func(cfg *silentrefresh.Config) {
		cfg.Exchanger, cfg.Base, cfg.Store, cfg.Logger = m, m, m, slog.New(m)
		cfg.Timeout, cfg.HandOutHeader = 5*time.Second, "X-New"
		cfg.Rejected = func(resp *http.Response) bool { m.meet("Rejected"); return resp.StatusCode == 401 }
		cfg.Observe = func(silentrefresh.Event) { m.meet("Observe") }
		cfg.Credentials = func(context.Context) (any, error) { m.meet("Credentials"); return nil, nil }
	})
}

// places are where a user's code is called; on the goroutine of a request, or in the background, where everybody waits.
var places = map[string]bool{
	"Rejected": true, "CheckToken": true, "SendsCookie": true, "CSRFHeader": true,
	"CheckRenewable": false, "Exchanger": false, "Exchanger, after it has spent the credential": false,
	"Load": false, "Update, before it calls back": false, "the save of the intent": false, "the save of what came": false,
	"save, when it has saved": false, "Update, under its lock after the callback": false, "Update, after its lock": false,
	"WhenFree": false, "forget of WhenFree": false, "Logger": false, "Observe": false, "Credentials": false,
}

// Whatever a user's code does, and wherever: nobody else waits longer than the deadlines, nothing is lost, and the
// process lives.
func TestF65_TroubleInAUsersCode(t *testing.T) {
	var c *silentrefresh.Client
	moods := map[string]func(){
		"calls back":        func() { c.Status(); c.Token(context.Background()) },
		"panics":            func() { panic("mood") },
		"ends":              runtime.Goexit,
		"takes 2 s":         func() { time.Sleep(2 * time.Second) },
		"hangs for an hour": func() { time.Sleep(time.Hour) },
	}
	for at, onCaller := range places {
		for mood, do := range moods {
			for _, timer := range []bool{false, true} {
				if timer && onCaller {
					continue
				}
				name := at + " " + mood
				if timer {
					name += ", on the timer"
				}
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						m := &moody{Server: &fakes.Server{}, trouble: &trouble{at: at, do: do}}
						m.lost = at == "Exchanger, after it has spent the credential" && (mood == "panics" || mood == "ends")
						c = troubled(t, m)
						m.play(t, c, timer)
					})
				})
			}
		}
	}
}

// play lets trouble happen and looks at what is left.
func (m *moody) play(t *testing.T, c *silentrefresh.Client, timer bool) {
	if m.at == "Credentials" {
		m.Set(func() { m.Refresh = "" }) // the server has ended the session
	}
	m.on.Store(true)
	if timer {
		time.Sleep(13 * time.Minute)
	} else {
		go c.Renew(context.Background())
		go c.HTTPClient().Do(stream())
		synctest.Wait()
	}
	began := time.Now()
	c.Status()
	c.Token(context.Background())
	c.Renew(context.Background())
	get(c)
	if d := time.Since(began); d > time.Minute {
		t.Errorf("others waited %v", d)
	}
	time.Sleep(3 * time.Hour)
	if !m.met.Load() {
		t.Fatal("the test does not get there")
	}
	mustGet(t, c)
	logins, _, reuses := m.Counts()
	if want := 1; m.at != "Credentials" && !m.lost && (logins != want || reuses != 0) {
		t.Errorf("%d logins, %d reuses: something was lost", logins, reuses)
	}
	if s := c.Status(); s.State != silentrefresh.StateLoggedIn || !s.Saved {
		t.Errorf("status %v, %v", s.State, s.Err)
	}
	if r := stored(t, m, c); r == nil || r.Session.RefreshToken.Reveal() != m.Good() {
		t.Error("the newest session is not in the Store")
	}
}

// The same at a login, whose session the Store may take when it pleases.
func TestF65_TroubleAtALogin(t *testing.T) {
	for _, at := range []string{"Load", "Update, before it calls back", "the save of the intent", "save, when it has saved",
		"Update, under its lock after the callback", "Update, after its lock", "CheckRenewable"} {
		for mood, do := range map[string]func(){
			"panics": func() { panic("mood") }, "ends": runtime.Goexit, "hangs for an hour": func() { time.Sleep(time.Hour) },
		} {
			t.Run(at+" "+mood, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := &moody{Server: &fakes.Server{}, trouble: &trouble{at: at, do: do}}
					c := troubled(t, m)
					if err := c.Logout(t.Context()); err != nil {
						t.Fatal(err)
					}
					m.on.Store(true)
					began := time.Now()
					if err := c.Login(t.Context(), nil); err != nil || time.Since(began) > 20*time.Second {
						t.Errorf("Login: %v after %v", err, time.Since(began))
					}
					mustGet(t, c)
					time.Sleep(3 * time.Hour)
					mustGet(t, c)
					if r := stored(t, m, c); !c.Status().Saved || r == nil || r.Session.RefreshToken.Reveal() != m.Good() {
						t.Errorf("the session is not in the Store: %+v", c.Status())
					}
					if logins, _, reuses := m.Counts(); logins != 2 || reuses != 0 {
						t.Errorf("%d logins, %d reuses", logins, reuses)
					}
				})
			})
		}
	}
}

// The same at a Logout: the session is gone here and at the auth server, whatever becomes of the Store.
func TestF65_TroubleAtALogout(t *testing.T) {
	for _, at := range []string{"Load", "Update, before it calls back", "the save of the intent", "save, when it has saved",
		"Update, under its lock after the callback", "Update, after its lock"} {
		for mood, do := range map[string]func(){
			"panics": func() { panic("mood") }, "ends": runtime.Goexit, "hangs for an hour": func() { time.Sleep(time.Hour) },
		} {
			t.Run(at+" "+mood, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := &moody{Server: &fakes.Server{}, trouble: &trouble{at: at, do: do}}
					c := troubled(t, m)
					m.on.Store(true)
					began := time.Now()
					err := c.Logout(t.Context())
					if m.met.Load() && err == nil && at != "Load" || time.Since(began) > 20*time.Second {
						t.Errorf("Logout: %v after %v", err, time.Since(began))
					}
					if s := c.Status().State; s != silentrefresh.StateNone || m.Good() != "" {
						t.Errorf("state %s; the server still takes %q", s, m.Good())
					}
					began = time.Now()
					if c.Close(); time.Since(began) > 20*time.Second {
						t.Errorf("Close took %v", time.Since(began))
					}
					time.Sleep(2 * time.Hour)
				})
			})
		}
	}
}

// A save that takes longer than anybody waits, and ends after a Logout, brings nothing back.
func TestF43_F65_ASaveThatEndsAfterTheLogoutBringsNothingBack(t *testing.T) {
	for at, do := range map[string]func(*silentrefresh.Client){
		"the save of the intent":  func(c *silentrefresh.Client) { c.Login(context.Background(), nil) },
		"the save of what came":   func(c *silentrefresh.Client) { c.Renew(context.Background()) },
		"save, when it has saved": func(c *silentrefresh.Client) { c.Login(context.Background(), nil) },
	} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &moody{Server: &fakes.Server{}, trouble: &trouble{at: at, do: func() { time.Sleep(time.Hour) }}}
				c := troubled(t, m)
				m.on.Store(true)
				do(c)
				c.Logout(t.Context())
				c.Close()
				time.Sleep(2 * time.Hour)
				if r := stored(t, m, c); !m.met.Load() || r != nil || m.Good() != "" {
					t.Errorf("met %v; the store has %v; the server takes %q", m.met.Load(), r != nil, m.Good())
				}
			})
		})
	}
}

// A base that returns nothing, or panics, harms its own request alone.
func TestF65_ABaseThatReturnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		nothing := fakes.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, nil })
		c := clientOf(t, as)
		req, _ := http.NewRequest("GET", "https://api.example.com/me", nil)
		resp, err := c.Transport(nothing).RoundTrip(req)
		if resp != nil || err == nil || !strings.Contains(err.Error(), "RoundTripFunc returned neither a response nor an error") {
			t.Errorf("%v, %v", resp, err)
		}
		for range 3 {
			func() {
				defer func() { recover() }()
				c.Transport(fakes.RoundTripFunc(func(*http.Request) (*http.Response, error) { panic("base") })).RoundTrip(req)
				t.Error("a panic of the caller's own was kept from the caller")
			}()
		}
		mustGet(t, c)
		if err := c.Renew(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The same for the auth calls: their base is a user's, too.
func TestF65_AnAuthBaseThatReturnsNothing(t *testing.T) {
	for name, base := range map[string]fakes.RoundTripFunc{
		"returns nothing": func(*http.Request) (*http.Response, error) { return nil, nil },
		"panics":          func(*http.Request) (*http.Response, error) { panic("base") },
		"ends":            func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Base: base, AuthBase: base, MaxWait: -1})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := c.Login(t.Context(), map[string]string{"email": "ada"}); err == nil {
					t.Error("a login out of nothing")
				}
				if err := c.Resume(t.Context(), auth.Session{RefreshToken: auth.NewSecret("r")}); err == nil {
					t.Error("a refresh out of nothing")
				}
				time.Sleep(time.Hour)
			})
		})
	}
}

// What an Exchanger is asked when the Client is made is no exception.
func TestF65_NewSaysWhatPanicked(t *testing.T) {
	for _, at := range []string{"TokenCookie", "RefreshNeedsAccessToken"} {
		m := &moody{Server: &fakes.Server{}, trouble: &trouble{at: at, do: func() { panic("mood") }}}
		m.on.Store(true)
		_, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Exchanger: m})
		if err == nil || !strings.Contains(err.Error(), "the Exchanger panicked with a string") {
			t.Errorf("%s: %v", at, err)
		}
	}
}
