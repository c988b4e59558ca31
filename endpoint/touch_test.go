package endpoint

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF107_TheEndMayComeAlone(t *testing.T) {
	const header = `"access_token_header": "Authorization"`
	for _, tt := range []struct {
		name, settings, response, cookie string
		want                             time.Duration // the end after the refresh, counted from it; 0: no token
	}{
		{"expires_json", `{"refresh": {"url": "/extend", ` + header + `}, "access_token": {"expires_json": "session.expires_at"}}`,
			`{"session":{"expires_at":"` + "2000-01-01T03:00:00Z" + `"}}`, "", 150 * time.Minute},
		{"a usual name", `{"refresh": {"url": "/extend", ` + header + `}}`, `{"expires_in":7200}`, "", 2 * time.Hour},
		{"a cookie's Max-Age", `{"access_token": {"cookie": "sid"}, "refresh": {"method": "GET", "url": "/me"}}`, `{}`, "sid=t1; Max-Age=5400; Path=/", 90 * time.Minute},
		{"a touch", `{"access_token": {"cookie": "sid", "lifetime": "1h"}, "refresh": {"method": "GET", "url": "/me", "touch": true}}`, `{"user":1}`, "", time.Hour},
		{"a touch that states an end", `{"access_token": {"lifetime": "3h", "expires_json": "end"}, "refresh": {"url": "/me", "touch": true, ` + header + `}}`, `{"end":7200}`, "", 2 * time.Hour},
		{"a touch by a page", `{"access_token": {"cookie": "sid", "lifetime": "1h"}, "refresh": {"method": "GET", "url": "/me", "touch": true}}`, "<html>Hello", "", time.Hour},
		{"a touch without any end", `{"access_token": {"cookie": "sid"}, "refresh": {"method": "GET", "url": "/me", "touch": true}}`, `{}`, "", 30 * time.Minute},
		{"an earlier end", `{"refresh": {"url": "/extend", ` + header + `}}`, `{"expires_in":60}`, "", 0},
		{"no end", `{"refresh": {"url": "/extend", ` + header + `}}`, `{"ok":true}`, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call := callerOf(t, settingsOf(t, tt.settings), fakes.RespondJSON(200, tt.response))
				if strings.HasPrefix(tt.response, "<") {
					call.hc.Transport = call.record(fakes.Respond(200, "text/html", tt.response))
				}
				if tt.cookie != "" {
					call.hc.Transport = call.record(fakes.RespondJSON(200, tt.response, "Set-Cookie", tt.cookie))
				}
				call.setCookie("sid=t1; Path=/")
				old := auth.Session{AccessToken: auth.NewSecret("t1"), Issued: time.Now(), Expires: time.Now().Add(time.Hour)}
				time.Sleep(30 * time.Minute)
				s, err := call.refresh(old)
				if err != nil {
					t.Fatal(err)
				}
				if tt.want == 0 {
					if !s.AccessToken.IsZero() {
						t.Errorf("the token was renewed: ends %s after the refresh", lives(s))
					}
					return
				}
				if !s.AccessToken.Equal(old.AccessToken) || lives(s) != tt.want {
					t.Errorf("ends %s after the refresh, want %s", lives(s), tt.want)
				}
			})
		})
	}
}

func TestF107_TheSameTokenAgainIsFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := settingsOf(t, `{"refresh": {"access_token_header": "Authorization"}}`)
		old := auth.Session{AccessToken: auth.NewSecret("same"), Issued: time.Now(), Expires: time.Now().Add(15 * time.Minute)}
		time.Sleep(10 * time.Minute)
		call := callerOf(t, e, fakes.RespondJSON(200, `{"token":"same","expires_in":900}`))
		if s, err := call.refresh(old); err != nil || lives(s) != 15*time.Minute {
			t.Errorf("the token that renews itself lives %s, %v", lives(s), err)
		}
		token := fakes.JWT(t, "iat", old.Issued.Unix(), "exp", old.Expires.Unix())
		old.AccessToken = auth.NewSecret(token)
		call = callerOf(t, e, fakes.RespondJSON(200, `{"token":"`+token+`","expires_in":900}`))
		if s, err := call.refresh(old); err != nil || !s.Expires.Equal(old.Expires) {
			t.Errorf("a JWT that is handed out again ends %s, %v", s.Expires, err)
		}
	})
}

func TestF107_ALifetimeThatAPersonWroteDownCounts(t *testing.T) {
	for settings, want := range map[string]time.Duration{
		`{"access_token": {"lifetime": "3s"}}`: 3 * time.Second,
		`{"access_token": {"lifetime": "1d"}}`: time.Hour, // as the server says
		`{"access_token": {}}`:                 time.Hour,
	} {
		call := callerOf(t, settingsOf(t, settings), fakes.RespondJSON(200, `{"token":"t","expires_in":3600}`))
		if s, err := call.login(nil); err != nil || lives(s) != want {
			t.Errorf("%s: lives %s, %v; want %s", settings, lives(s), err, want)
		}
	}
	e := settingsOf(t, `{"access_token": {"cookie": "sid", "lifetime": "3s"}, "refresh": {"method": "GET", "url": "/me"}}`)
	call := callerOf(t, e, fakes.RespondJSON(200, `{}`, "Set-Cookie", "sid=s1; Path=/"))
	s, err := call.login(nil)
	if err != nil || lives(s) != 3*time.Second {
		t.Errorf("a session cookie lives %s, %v", lives(s), err)
	}
	if err := call.e.CheckRenewable(withCookies(s, call.jar)); err != nil {
		t.Errorf("not renewable: %v", err)
	}
	brought := call.e.Timeouts().LoggedIn(auth.Session{AccessToken: auth.NewSecret("s1"), Issued: time.Now()})
	if lives(brought) != 3*time.Second {
		t.Errorf("brought, it lives %s", lives(brought))
	}
}

func TestF107_HintsNameSettingsThatHelp(t *testing.T) {
	const settings = `{"access_token": {"cookie": "sid"%s}, "refresh": {"method": "GET", "url": "/me"}%s}`
	call := callerOf(t, settingsOf(t, strings.NewReplacer("%s", "").Replace(settings)), fakes.RespondJSON(200, `{}`, "Set-Cookie", "sid=s1; Path=/"))
	s, err := call.login(nil)
	if err != nil {
		t.Fatal(err)
	}
	why := call.e.CheckRenewable(withCookies(s, call.jar))
	for setting, document := range map[string]string{
		"access_token.lifetime":     `{"access_token": {"cookie": "sid", "lifetime": "1h"}, "refresh": {"method": "GET", "url": "/me"}}`,
		"session.idle_timeout":      `{"access_token": {"cookie": "sid"}, "refresh": {"method": "GET", "url": "/me"}, "session": {"idle_timeout": "1h"}}`,
		"access_token.expires_json": `{"access_token": {"cookie": "sid", "expires_json": "end"}, "refresh": {"method": "GET", "url": "/me"}}`,
	} {
		if !isNotRenewable(why) || !strings.Contains(why.Error(), setting) {
			t.Errorf("%v does not name %s", why, setting)
		}
		call := callerOf(t, settingsOf(t, document), fakes.RespondJSON(200, `{"end":3600}`, "Set-Cookie", "sid=s1; Path=/"))
		s, err := call.login(nil)
		if err == nil {
			err = call.e.CheckRenewable(withCookies(s, call.jar))
		}
		if err != nil {
			t.Errorf("%s does not help: %v", setting, err)
		}
	}
}

func TestF79_ARollingCookieIsProlonged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := callerOf(t, settingsOf(t, `{"access_token": {"cookie": "sid"}, "refresh": {"method": "GET", "url": "/me", "touch": true}}`),
			fakes.RespondJSON(200, `{}`, "Set-Cookie", "sid=s1; Max-Age=1800; Path=/"))
		s, err := call.login(nil)
		for range 100 {
			if err != nil || lives(s) != 30*time.Minute {
				t.Fatalf("lives %s, %v", lives(s), err)
			}
			before := call.jar.All()
			time.Sleep(20 * time.Minute)
			if s, err = call.refresh(s); auth.SameCookies(before, call.jar.All()) {
				t.Fatal("the jar says that nothing has changed")
			}
		}
	})
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`"90s"`: 90 * time.Second, `"30m"`: 30 * time.Minute, `"14d"`: 14 * 24 * time.Hour, `"2 weeks"`: 14 * 24 * time.Hour, `""`: 0, `"1h30m"`: 90 * time.Minute,
	} {
		var d Duration
		if err := json.Unmarshal([]byte(text), &d); err != nil || time.Duration(d) != want {
			t.Errorf("%s is %s, %v", text, d, err)
		}
		if b, err := json.Marshal(d); err != nil || json.Unmarshal(b, &d) != nil || time.Duration(d) != want {
			t.Errorf("%s is written %s, %v", text, b, err)
		}
	}
	for _, text := range []string{`"30"`, `30`, `"x"`, `"-5m"`, `"0s"`, `"2026-01-01T00:00:00Z"`, `"1.5"`} {
		var d Duration
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s is taken for %s", text, d)
		}
	}
	e := Settings{AccessToken: AccessTokenAt{Lifetime: 300}, Session: SessionTimeouts{IdleTimeout: -1, AbsoluteTimeout: 5}}
	_, err := e.Bind(fakes.URL(t, asOrigin), auth.Attach{})
	for _, want := range []string{"access_token.lifetime is 300ns", "session.idle_timeout is negative", "session.absolute_timeout is 5ns"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in %v", want, err)
		}
	}
}

func TestF107_APageThatIsTouchedStatesNoEnd(t *testing.T) {
	const me = `{"expires_in":5,"trial":{"expires":7}}`
	old := auth.Session{AccessToken: auth.NewSecret("t1"), Expires: time.Now().Add(time.Hour)}
	for method, want := range map[string]time.Duration{"GET": time.Hour, "PATCH": 5 * time.Second} {
		e := Settings{Refresh: Call{Method: method, URL: "/me", Touch: true, AccessTokenHeader: "Authorization"}}
		s, err := callerOf(t, e, fakes.RespondJSON(200, me)).refresh(old)
		if err != nil || lives(s).Round(time.Second) != want {
			t.Errorf("%s: ends in %s, %v; want %s", method, lives(s), err, want)
		}
	}
}
