package auth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// respondCookies is a server that sets lines and shows date, "" for none. It remembers the last Cookie field.
type respondCookies struct {
	lines []string
	date  string
	got   []string
}

func (s *respondCookies) RoundTrip(req *http.Request) (*http.Response, error) {
	s.got = req.Header["Cookie"]
	w := httptest.NewRecorder()
	w.Header()["Set-Cookie"] = s.lines
	if s.date != "" {
		w.Header().Set("Date", s.date)
	}
	return w.Result(), nil
}

// visit makes a request for url as an auth call does: with a client whose Jar j is, and whose Transport j's.
func visit(tb testing.TB, j *Jar, server *respondCookies, url string) {
	tb.Helper()
	hc := &http.Client{Jar: j, Transport: j.Transport(server)}
	resp, err := hc.Get(url)
	if err != nil {
		tb.Fatal(err)
	}
	resp.Body.Close()
}

func TestF78_EndsCountByTheServersClock(t *testing.T) {
	const site = "https://example.com/"
	synctest.Test(t, func(t *testing.T) {
		for _, skew := range []time.Duration{-30 * 24 * time.Hour, -time.Hour, 0, time.Hour, 30 * 24 * time.Hour} {
			theirs := wall.Now().Add(-skew)
			server := &respondCookies{
				date: theirs.UTC().Format(http.TimeFormat),
				lines: []string{
					"in10m=1; Expires=" + theirs.Add(10*time.Minute).UTC().Format(http.TimeFormat),
					"asctime=1; expires=" + theirs.Add(10*time.Minute).UTC().Format(time.ANSIC),
					"age=1; Max-Age=600; Expires=" + theirs.Add(time.Hour).UTC().Format(http.TimeFormat),
					"gone=1; Expires=" + theirs.Add(-time.Second).UTC().Format(http.TimeFormat),
				},
			}
			j := NewJar(Cookie{Name: "gone", Value: NewSecret("0"), Domain: "example.com", HostOnly: true})
			visit(t, j, server, site)
			all := j.All()
			if len(all) != 3 {
				t.Errorf("clock off by %v: the jar has %s", skew, cookieNames(all))
			}
			for _, c := range all {
				if left := c.Expires.Sub(wall.Now()); left != 10*time.Minute {
					t.Errorf("clock off by %v: %s ends in %v, want 10m", skew, c.Name, left)
				}
			}
		}
	})
}

func TestF78_WhatHasEndedByThisClockAloneIsKeptAndCanBeRevived(t *testing.T) {
	const site = "https://example.com/auth/refresh"
	u := jarURL(t, site)
	j := &Jar{}
	setCookies(t, j, site, "refresh=r1; Max-Age=3600; Path=/auth", "other=1; Max-Age=3600; Path=/elsewhere")
	wall.Sleep(30 * 24 * time.Hour)
	if got := len(j.SentTo(u)); got != 0 {
		t.Errorf("%d cookies that have ended are sent", got)
	}
	j = NewJar(j.All()...) // a restart
	wall.Sleep(-30 * 24 * time.Hour)
	if got := cookieHeader(t, j, site); got != "refresh=r1" {
		t.Errorf("the clock was set right, and %q is sent", got)
	}
	wall.Sleep(30 * 24 * time.Hour)
	defer wall.Sleep(-30 * 24 * time.Hour)
	if !j.Revive(u) || cookieHeader(t, j, site) != "refresh=r1" {
		t.Errorf("revived, %q is sent", cookieHeader(t, j, site))
	}
	if j.Revive(u) {
		t.Error("there was something left to revive")
	}
	if j.Revive(jarURL(t, "ftp://example.com/")) {
		t.Error("revived for a URL without cookies")
	}
	setCookies(t, j, site, "refresh=; Max-Age=0; Path=/auth")
	if j.Revive(u) || cookieHeader(t, j, site) != "" {
		t.Error("what the server has deleted came back")
	}
}

func TestF79_TheEndIsPartOfTheCookie(t *testing.T) {
	const site = "https://example.com/"
	synctest.Test(t, func(t *testing.T) {
		j := &Jar{}
		setCookies(t, j, site, "sid=s1; Max-Age=1800")
		before := j.All()
		if !SameCookies(before, j.All()) {
			t.Error("a jar differs from itself")
		}
		time.Sleep(time.Minute)
		setCookies(t, j, site, "sid=s1; Max-Age=1800")
		if SameCookies(before, j.All()) || before[0].Equal(j.All()[0]) {
			t.Error("a cookie that ends a minute later is taken for the same")
		}
		time.Sleep(29*time.Minute + 30*time.Second)
		if got := cookieHeader(t, j, site); got != "sid=s1" {
			t.Errorf("after half an hour %q is sent", got)
		}
		for name, line := range map[string]string{"value": "sid=s2", "quotes": `sid="s1"`, "HttpOnly": "sid=s1; HttpOnly", "Secure": "sid=s1; Secure"} {
			a, b := &Jar{}, &Jar{}
			setCookies(t, a, site, "sid=s1")
			setCookies(t, b, site, line)
			if SameCookies(a.All(), b.All()) {
				t.Errorf("%s makes no difference", name)
			}
		}
	})
}

func TestF80_ValuesGoOutAsTheyCameIn(t *testing.T) {
	const site = "https://example.com/"
	for _, pair := range []string{
		`a=1`, `a="1"`, `a=""`, `a="Bearer x"`, `a=Bearer x`, `a=x,y`, `a="x,y"`, `a=x"y`, `a="x`, `a=x"`, `a="`, `a=x\y`, `a={"k":"v"}`,
		"a=x\ty", `a=x=y==`, "a=\xe9t\xe9", `a=%7B`, `user[id]=1`, `a b=1`, "a\xc3\xa9=1",
	} {
		server := &respondCookies{lines: []string{pair + "; Path=/; Secure; HttpOnly"}}
		j := &Jar{}
		visit(t, j, server, site)
		j = NewJar(j.All()...)
		visit(t, j, server, site)
		if len(server.got) != 1 || server.got[0] != pair {
			t.Errorf("%q went out as %q", pair, server.got)
		}
	}
	for _, line := range []string{"", "a", "=1", " = ", "a=1\x01", "a\x7f=1", "; a=1"} {
		j := &Jar{}
		visit(t, j, &respondCookies{lines: []string{line}}, site)
		if len(j.All()) > 0 {
			t.Errorf("%q was taken: %v", line, j.All())
		}
	}
}

func TestF80_OneCookieOfAName(t *testing.T) {
	h := http.Header{"Cookie": {"own=1; a=theirs", "b=2;c=3; a=again;;"}}
	SetCookieHeader(h, []Cookie{{Name: "a", Value: NewSecret("ours x"), Quoted: true}, {Name: "c", Value: NewSecret("4")}})
	if got, want := h["Cookie"], `own=1; b=2; a="ours x"; c=4`; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
	h = http.Header{"Cookie": {" ;"}}
	if SetCookieHeader(h, nil); len(h) > 0 {
		t.Errorf("got %v", h)
	}
	j := &Jar{}
	setCookies(t, j, "https://example.com/auth/login", "t=1", "t=2; Path=/", "x=1; Path=/", "t=3; Path=/api")
	if c, ok := j.Sole("t"); !ok || c.Value.Reveal() != "3" || len(j.All()) != 2 {
		t.Errorf("kept %v", j.All())
	}
	if _, ok := j.Sole("nosuch"); ok || len(j.All()) != 2 {
		t.Errorf("kept %v", j.All())
	}
}

func TestF80_ClearedCookies(t *testing.T) {
	long, past := "Thu, 01 Jan 2099 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"
	for line, want := range map[string]bool{
		"t=1": false, "t=": true, `t=""`: true, "t=deleted; Expires=" + past: true, "t=1; Max-Age=0": true, "t=1; Max-Age=-1": true,
		"t=1; Max-Age=60; Expires=" + past: false, "t=1; Max-Age=0; Expires=" + long: true, "other=; Max-Age=0": false, "t=1; Max-Age=x": false,
		"t=1; Max-Age=99999999999999999999": false,
	} {
		if got := ClearsCookie(http.Header{"Set-Cookie": {line}}, "t"); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
	if ClearsCookie(http.Header{"Set-Cookie": {"t=; Max-Age=0; Path=/old", "t=1; Path=/"}}, "t") {
		t.Error("the last field counts")
	}
}

// Whatever a server sends, what is read can be sent, and net/http reads nothing that is not read here.
func FuzzReadSetCookies(f *testing.F) {
	for _, seed := range []string{
		"a=1; Max-Age=60; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax", `a="b c"; Expires=Thu, 01 Jan 2099 00:00:00 GMT`,
		"a=;;=; Max-Age=-", "=", "a=\x80; Path=\x00", "__Host-a=1; Path=/; Secure",
	} {
		f.Add(seed, "Thu, 01 Jan 2026 00:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, line, date string) {
		h := http.Header{"Set-Cookie": {line}, "Date": {date}}
		ours := ReadSetCookies(h)
		theirs := (&http.Response{Header: h}).Cookies()
		if strings.ContainsFunc(line, isControl) {
			theirs = nil // net/http ignores them in attributes, the RFC refuses the whole cookie
		}
		if len(theirs) > 0 && !theirs[0].Quoted {
			theirs[0].Value = trimBlanks(theirs[0].Value) // net/http keeps blanks around a value that has no quotes
		}
		if len(theirs) > 0 && (len(ours) != 1 || ours[0].Name != theirs[0].Name || ours[0].Value != theirs[0].Value) {
			t.Fatalf("net/http reads %v, we %v", theirs, ours)
		}
		j := &Jar{}
		j.SetCookies(jarURL(t, "https://www.example.com/"), ours)
		out := http.Header{}
		SetCookieHeader(out, j.All())
		if len(j.All()) > 0 && out.Get("Cookie") == "" {
			t.Fatalf("%q was taken and cannot be sent", line)
		}
		ClearsCookie(h, "a")
	})
}
