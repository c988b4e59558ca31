package endpoint

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

func TestF80_TheTokenIsTheCookieAsTheServerSetIt(t *testing.T) {
	signed := fakes.JWT(t, "sub", "7", "iss", "https://as.test", "exp", time.Now().Add(time.Hour).Unix())
	e := Settings{AccessToken: AccessTokenAt{Cookie: "access_token"}, Issuer: "https://as.test", Refresh: Call{Method: "GET"},
		Verify: func(*jwt.Token) (any, error) { return fakes.JWTKey, nil }}
	for pair, want := range map[string]string{
		"access_token=" + signed:               signed,
		`access_token="Bearer ` + signed + `"`: "Bearer " + signed,
		"access_token=Bearer " + signed:        "Bearer " + signed,
		"access_token=Bearer%20" + signed:      "Bearer%20" + signed,
	} {
		call := callerOf(t, e, fakes.RespondJSON(200, `{}`, "Set-Cookie", pair+"; Path=/; HttpOnly"))
		s, err := call.login(nil)
		if err != nil || s.AccessToken.Reveal() != want || s.Subject != "7" || lives(s).Round(time.Minute) != time.Hour {
			t.Errorf("%.30s: %v, token %.20q, lives %s", pair, err, s.AccessToken.Reveal(), lives(s))
		}
		if err := call.e.CheckToken(s.AccessToken); err != nil {
			t.Errorf("%.30s: what was taken does not verify: %v", pair, err)
		}
		if _, err := call.refresh(s); err != nil || call.last().header.Get("Cookie") != pair {
			t.Errorf("%.30s went out as %q, %v", pair, call.last().header.Get("Cookie"), err)
		}
	}
	call := callerOf(t, e, fakes.RespondJSON(200, `{}`, "Set-Cookie", "access_token=forged"))
	if s, err := call.login(nil); err == nil || !s.AccessToken.IsZero() {
		t.Errorf("a cookie that does not verify was taken: %v", err)
	}
}

func TestF80_AwkwardValues(t *testing.T) {
	e := Settings{AccessToken: AccessTokenAt{Cookie: "t"}, Refresh: Call{Method: "GET"}}
	for _, value := range []string{`a"b`, `a\b`, "a,b", "a b", `{"k":"v, w"}`, `"quoted"`, "é", "%7B"} {
		call := callerOf(t, e, fakes.RespondJSON(200, `{}`, "Set-Cookie", "t="+value+"; Path=/"))
		s, err := call.login(nil)
		if err != nil || s.AccessToken.Reveal() != strings.Trim(value, `"`) && s.AccessToken.Reveal() != value {
			t.Errorf("%s: token %q, %v", value, s.AccessToken.Reveal(), err)
			continue
		}
		if _, err := call.refresh(s); err != nil || call.last().header.Get("Cookie") != "t="+value {
			t.Errorf("%s went out as %q, %v", value, call.last().header.Get("Cookie"), err)
		}
	}
	for _, value := range []string{"", "\xff"} {
		call := callerOf(t, e, fakes.RespondJSON(200, `{}`, "Set-Cookie", "t="+value+"; Path=/"))
		if s, err := call.login(nil); !s.AccessToken.IsZero() || value != "" && err == nil {
			t.Errorf("%q was taken, %v", value, err)
		}
	}
}

func TestF80_ACookieThatIsNotTakenIsSaid(t *testing.T) {
	e := Settings{AccessToken: AccessTokenAt{Cookie: "t"}}
	for line, want := range map[string]string{
		"t=1; Domain=other.test":            "Domain",
		"t=1; Path=/auth":                   "",
		"__Secure-t=1":                      "",
		"t=" + strings.Repeat("x", 5000):    "contradict",
		"t=1; Path=/old; SameSite=None":     "contradict",
		"t=1; Path=/; SameSite=None;Secure": "",
	} {
		call := callerOf(t, e, fakes.RespondJSON(200, `{}`, "Set-Cookie", line))
		_, err := call.login(nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", line, err, want)
		}
	}
}

func TestF80_AMovedCookieIsOne(t *testing.T) {
	e := Settings{AccessToken: AccessTokenAt{Cookie: "t"}, Refresh: Call{Method: "GET", URL: "/auth/refresh"}}
	set := func(line string) http.HandlerFunc { return fakes.RespondJSON(200, `{}`, "Set-Cookie", line) }
	call := callerOf(t, e, fakes.InTurn(set("t=1; Path=/auth"), set("t=2; Path=/"), set("t=3; Path=/auth/refresh")))
	s, err := call.login(nil)
	for _, want := range []string{"2", "3"} {
		if err == nil {
			s, err = call.refresh(s)
		}
		if err != nil || s.AccessToken.Reveal() != want || strings.Count(call.last().header.Get("Cookie"), "t=") != 1 || len(call.jar.All()) != 1 {
			t.Fatalf("token %q, sent %q, jar %v, %v", s.AccessToken.Reveal(), call.last().header.Get("Cookie"), call.jar.All(), err)
		}
	}
}

func TestF78_AnEndedRefreshCookieIsPresentedOnce(t *testing.T) {
	for name, first := range map[string]string{"alone": "", "beside another": "device=d1; Path=/; HttpOnly"} {
		alive := true
		h := func(w http.ResponseWriter, r *http.Request) {
			if c, err := r.Cookie("refresh"); err != nil || c.Value != "r1" || !alive {
				fakes.RespondJSON(401, `{"error":"invalid_grant"}`)(w, r)
				return
			}
			fakes.RespondJSON(200, `{"token":"t2"}`, "Set-Cookie", "refresh=r2; Max-Age=3600; Path=/")(w, r)
		}
		for _, alive = range []bool{true, false} {
			call := callerOf(t, Settings{}, h)
			call.setCookie("refresh=r1; Max-Age=3600; Path=/; HttpOnly")
			if first != "" {
				call.setCookie(first)
			}
			wall.Sleep(30 * 24 * time.Hour)
			if err := call.e.CheckRenewable(auth.Session{Cookies: call.jar.All()}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			s, err := call.refresh(auth.Session{})
			wall.Sleep(-30 * 24 * time.Hour)
			if alive && (err != nil || s.AccessToken.Reveal() != "t2") {
				t.Errorf("%s: a good session was given up: %v", name, err)
			}
			if !alive && (!failure(t, err).Refused || call.last().cookie("refresh") != "r1") {
				t.Errorf("%s: given up without having asked: %v", name, err)
			}
			if len(call.seen) > 2 {
				t.Errorf("%s: asked %d times", name, len(call.seen))
			}
		}
	}
}

func TestF78_ALoginByAWrongClock(t *testing.T) {
	for _, skew := range []time.Duration{-30 * 24 * time.Hour, 30 * 24 * time.Hour} {
		theirs := time.Now().Add(skew)
		call := callerOf(t, Settings{}, fakes.RespondJSON(200, `{"token":"t1"}`, "Date", theirs.UTC().Format(http.TimeFormat),
			"Set-Cookie", "refresh=r1; HttpOnly; Path=/; Expires="+theirs.Add(time.Hour).UTC().Format(http.TimeFormat)))
		s, err := call.login(nil)
		if err != nil || s.Ends.Sub(s.Issued).Round(time.Minute) != time.Hour || len(call.jar.SentTo(call.e.base)) != 1 {
			t.Errorf("clock off by %s: %v, ends in %s, %d cookies", skew, err, s.Ends.Sub(s.Issued), len(call.jar.SentTo(call.e.base)))
		}
	}
}
