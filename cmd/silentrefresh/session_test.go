package main

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// like reports whether text is pattern, in which # stands for what differs from run to run.
func like(text, pattern string) bool {
	quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), "#", `.+?`)
	return regexp.MustCompile(`^` + quoted + `$`).MatchString(text)
}

func TestLoginSaysHowThingsStand(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	got := b.ok("login", "--base", s.URL(), "-d", credentials)
	want := "Logged in to " + s.URL() + " as ada@example.com\n" +
		"  token    15 min, renewed about every 12 min\n" +
		"  session  until #, extended by each renewal\n" +
		"  stored   encrypted file, key in environment variable SILENTREFRESH_KEY\n" +
		"Next: silentrefresh request /me\n"
	if !like(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestKeyFileIsSaidAloud: where there is no keychain, once, at login.
func TestKeyFileIsSaidAloud(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems have a keychain, which is not for tests to write to")
	}
	if _, err := os.Stat("/run/user"); err == nil {
		t.Skip("there may be a keychain, which is not for tests to write to")
	}
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	delete(b.env, "SILENTREFRESH_KEY")
	r := b.run("login", "--base", s.URL(), "-d", credentials)
	if r.code != 0 || strings.Count(r.err, "sessions.key") != 1 || !strings.Contains(r.err, "OS keychain") {
		t.Errorf("login: %d %s", r.code, r.err)
	}
	if r := b.run("request", "/me"); r.code != 0 || r.err != "" {
		t.Errorf("request: %d %s", r.code, r.err)
	}
	b.fails(exitFailed, []string{"OS keychain is not available", "do:  name another place for the key: silentrefresh rekey --key-in file"}, "rekey")
	b.ok("rekey", "--key-in", "file")
}

// TestLoginAgainNeedsNothing: the settings are those of the session that is over.
func TestLoginAgainNeedsNothing(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	s.EndSessions()
	b.fails(exitLogin, []string{"silentrefresh login\n"}, "request", "/me")
	b.ok("login", "-d", credentials)
	b.ok("request", "/me")
}

// TestALoginOfSomebodyElseSaysWhoseSessionThatWas: without --session it goes where the only session is.
func TestALoginOfSomebodyElseSaysWhoseSessionThatWas(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{Users: map[string]string{"ada@example.com": "a", "grace@example.com": "g"}})
	b := newBox(t)
	const said = "that session was ada@example.com's; to have both, log in with --session NAME\n"
	for i, who := range []string{"ada@example.com", "ada@example.com", "grace@example.com"} {
		password := who[:1]
		r := b.run("login", "--base", s.URL(), "-d", `{"email": "`+who+`", "password": "`+password+`"}`)
		if r.code != 0 || strings.Contains(r.err, said) != (i == 2) {
			t.Errorf("login of %s: %d %s", who, r.code, r.err)
		}
	}
	if r := b.run("login", "--session", "two", "--base", s.URL(), "-d", `{"email": "ada@example.com", "password": "a"}`); r.err != "" {
		t.Errorf("a second session: %s", r.err)
	}
}

func TestSettingsAreStoredWithTheSession(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{Header: "X-Token", Bare: true, TokenName: "jwt"})
	b := newBox(t)
	file := b.config(s, map[string]any{
		"attach": map[string]any{"header": "X-Token", "scheme": ""}, "access_token": map[string]any{"json": "jwt"},
	})
	b.ok("login", "--config", file, "-d", credentials)
	os.Remove(file)
	b.ok("request", "/me")
	b.ok("status")
	b.ok("logout")
	b.fails(exitLogin, []string{"nobody is logged in"}, "request", "/me")
}

func TestSeveralSessionsAreListed(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	other := authtest.NewServer(t, authtest.Config{})
	b.ok("login", "--base", s.URL(), "--session", "work", "-d", credentials)
	b.ok("login", "--base", other.URL(), "-d", credentials)
	choices := []string{
		"--base " + s.URL() + " --session default", "--base " + s.URL() + " --session work", "--base " + other.URL() + " --session default",
	}
	b.fails(exitUsage, append(choices, "there are 3 sessions"), "request", "/me")
	if got := b.ok("--base", s.URL(), "status"); strings.Contains(got, "work") {
		t.Errorf("not the one called default:\n%s", got)
	}
	if r := b.fails(exitLogin, append(choices, `there is no session "play"`, "there are:", "or begin it: silentrefresh login --base URL --session play"), "--session", "play", "status"); strings.Contains(r.err, "why:") {
		t.Errorf("a list is no reason: %s", r.err)
	}
	b.ok("--session", "work", "request", "/me")
	b.ok("request", "/me", "--base", other.URL()+"/")
	b.ok("logout", "--session", "work")
	b.ok("logout", "--base", other.URL())
	b.ok("request", "/me")
}

// TestF50_OnlyTheOwnerReads what is on the disk, settings included.
func TestF50_OnlyTheOwnerReads(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has ACLs instead")
	}
	b, _ := loggedIn(t, authtest.Config{})
	files := 0
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !d.IsDir() {
			files++
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 2 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestLogout(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	if got := b.ok("logout"); got != "Logged out of "+s.URL()+"\n" {
		t.Errorf("said %q", got)
	}
	if len(s.Sessions()) != 0 {
		t.Error("the session lives on at the server")
	}
	b.fails(exitLogin, []string{"nobody is logged in", "silentrefresh login --base URL"}, "status")
}

// TestLogoutWithoutTheServer: the session is gone here all the same, and it is said that the server may not know.
func TestLogoutWithoutTheServer(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	s.Close()
	b.fails(exitFailed, []string{"logged out of " + s.URL() + ", but not of everything", "the auth server may not know",
		"do:  end it in the server's own list of sessions, or let it expire\n"}, "logout")
	b.fails(exitLogin, nil, "request", "/me")
}

func TestToken(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	first := strings.TrimSpace(b.ok("token"))
	if again := strings.TrimSpace(b.ok("token", "--min-ttl", "1m")); again != first || s.Counters().RefreshCalls != 0 {
		t.Error("a token that is good for long was renewed")
	}
	req, err := http.NewRequest("GET", s.URL()+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+first)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the token: %v, %v", resp, err)
	}
	resp.Body.Close()
}

// TestTokenIsRenewedInTime: what is valid for less than --min-ttl is renewed, but not more than twice in its life.
func TestTokenIsRenewedInTime(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: 6 * time.Second})
	first := b.ok("token", "--min-ttl", "1h")
	if s.Counters().RefreshCalls != 0 {
		t.Error("renewed in the first half of its life")
	}
	time.Sleep(time.Until(expiry(t, b).Add(-2500 * time.Millisecond)))
	if b.ok("token", "--min-ttl", "1s") != first {
		t.Error("renewed though it is good for as long as asked")
	}
	if b.ok("token", "--min-ttl", "1h") == first || s.Counters().Refreshes != 1 {
		t.Errorf("not renewed, or too often: %+v", s.Counters())
	}
}

// TestTokenOfUnknownEnd: what nobody has said the end of is handed over as it is, without a word.
func TestTokenOfUnknownEnd(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{Opaque: true, NoExpiresIn: true})
	r := b.run("token", "--min-ttl", "1h")
	if r.code != 0 || r.err != "" || s.Counters().RefreshCalls != 0 {
		t.Errorf("%v, %+v", r, s.Counters())
	}
}

// TestTokenIsNotDropped: one that is still good is handed over at once where the server does not renew it, and
// before it ends where the server does not respond.
func TestTokenIsNotDropped(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: 12 * time.Second})
	first := b.ok("token", "--min-ttl", "1s")
	s.Down(authtest.Unavailable)
	time.Sleep(time.Until(expiry(t, b).Add(-4 * time.Second)))
	began := time.Now()
	r := b.run("token", "--min-ttl", "1h")
	if r.code != 0 || r.out != first || !strings.Contains(r.err, "was not renewed: ") {
		t.Errorf("%+v", r)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s, and the token had 4 s left", took)
	}
}
