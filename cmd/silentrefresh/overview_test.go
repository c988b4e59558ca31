package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/seal"
)

// TestF104_StatusShowsAllSessions, in lines that fit a terminal, and what is wrong with which.
func TestF104_StatusShowsAllSessions(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	other := authtest.NewServer(t, authtest.Config{})
	b.ok("login", "--base", s.URL(), "--session", "work", "-d", credentials)
	b.ok("login", "--base", other.URL(), "-d", credentials)
	got := b.ok("status")
	want := regexp.MustCompile(`^SESSION  SERVER  +STATE      TOKEN\n` +
		`(default|work)  +http://127.0.0.1:\d+  logged in  1[45] min left\n` +
		`(default|work)  +http://127.0.0.1:\d+  logged in  1[45] min left\n` +
		`(default|work)  +http://127.0.0.1:\d+  logged in  1[45] min left\n$`)
	if !want.MatchString(got) {
		t.Errorf("got\n%s", got)
	}
	s.EndSessions()
	b.run("request", "--session", "work", "/me")
	r := b.fails(exitLogin, []string{"(session work): the session is over", "do:  silentrefresh login --session work\n"}, "status")
	if strings.Count(r.out, "logged in") != 2 || !strings.Contains(r.out, "over       -\n") || strings.Contains(r.err, other.URL()) {
		t.Errorf("got\n%s%s", r.out, r.err)
	}
	if got := b.ok("status", "--base", other.URL()); strings.Contains(got, "SESSION") || !strings.Contains(got, "stored ") {
		t.Errorf("one that is named:\n%s", got)
	}
}

// TestF104_HintsFitTheirCause: a file that cannot be read is no server that is down.
func TestF104_HintsFitTheirCause(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	for _, name := range glob(t, b.dir, "sessions/*.session") {
		if err := os.WriteFile(name, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := b.run("request", "/me"); r.code != exitFailed || strings.Contains(r.err, "server is up") || !strings.Contains(r.err, "damaged") {
		t.Errorf("a damaged file: %+v", r)
	}
	for what, want := range map[string]string{
		s.URL() + "/me":        "",
		"http://127.0.0.1:1/x": "do:  see whether the server is up, and whether its URL is right: http://127.0.0.1:1/x\n",
	} {
		b := newBoxBeside(b)
		b.ok("login", "--base", s.URL(), "-d", credentials)
		if r := b.run("request", what); !strings.Contains(r.err, want) {
			t.Errorf("%s: %s", what, r.err)
		}
	}
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	return names
}

func TestStatusOfAllAsJSON(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	type session struct {
		State, Error, Do string
		Name             string `json:"session"`
		BaseURL          string `json:"base_url"`
	}
	var got struct {
		session
		Sessions []session
	}
	read := func(r ended, code int) {
		t.Helper()
		got.session, got.Sessions = session{}, nil
		if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != code || r.err != "" {
			t.Fatalf("%v: %+v", err, r)
		}
	}
	read(b.run("status", "--json"), 0)
	if len(got.Sessions) != 1 || got.Sessions[0] != got.session || got.State != "logged in" || got.BaseURL != s.URL() {
		t.Errorf("one: %+v", got)
	}
	b.ok("login", "--base", s.URL(), "--session", "work", "-d", credentials)
	s.EndSessions()
	b.run("request", "--session", "work", "/me")
	read(b.run("status", "--json"), 0) // the one called default is what others would use, and does not know yet
	if len(got.Sessions) != 2 || got.Name != "default" {
		t.Errorf("two: %+v", got)
	}
	read(b.run("status", "--json", "--session", "work"), exitLogin)
	if got.State != "over" || got.Do != "silentrefresh login --session work" || !strings.Contains(got.Error, "invalid_grant") || len(got.Sessions) != 2 {
		t.Errorf("one that is over: %+v", got)
	}
	read(b.run("status", "--json", "--session", "play"), exitLogin)
	if got.State != "no session" || got.Do == "" || len(got.Sessions) != 2 {
		t.Errorf("one that is not there: %+v", got)
	}
	b.ok("login", "--base", s.URL(), "--session", "play", "-d", credentials)
	b.ok("logout", "--session", "default")
	read(b.run("status", "--json"), exitLogin) // nobody knows which one is meant: the worst counts
	if got.State != "" || len(got.Sessions) != 2 {
		t.Errorf("several: %+v", got)
	}
}

func TestList(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	b.ok("login", "--base", s.URL(), "--session", "work", "-d", credentials)
	if got, want := b.ok("list"), "default\t"+s.URL()+"\nwork\t"+s.URL()+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var got []listed
	if err := json.Unmarshal([]byte(b.ok("list", "--json")), &got); err != nil || len(got) != 2 || got[1] != (listed{"work", s.URL()}) {
		t.Errorf("%v: %+v", err, got)
	}
	if got := newBoxBeside(b).ok("list", "--json"); got != "[]\n" {
		t.Errorf("none: %q", got)
	}
}

func TestRenew(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	first := b.ok("token")
	if got := b.ok("renew"); !strings.HasPrefix(got, "Renewed "+s.URL()+"\n  token    15 min, ") || s.Counters().Refreshes != 1 || b.ok("token") == first {
		t.Errorf("got %s, %+v", got, s.Counters())
	}
	s.EndSessions()
	b.fails(exitLogin, []string{s.URL() + " was not renewed: the session is over", "do:  silentrefresh login\n"}, "renew")
	b.fails(exitUsage, []string{"did you mean renew?"}, "refresh")
	b.fails(exitUsage, []string{"did you mean renew?"}, "refesh")
}

func TestTokenAsJSON(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	var got struct {
		AccessToken string    `json:"access_token"`
		TokenType   string    `json:"token_type"`
		ExpiresIn   int       `json:"expires_in"`
		ExpiresAt   time.Time `json:"expires_at"`
	}
	if err := json.Unmarshal([]byte(b.ok("token", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.AccessToken != strings.TrimSpace(b.ok("token")) || got.TokenType != "Bearer" || got.ExpiresIn < 880 || got.ExpiresIn > 900 ||
		time.Until(got.ExpiresAt).Round(time.Minute) != 15*time.Minute {
		t.Errorf("%+v", got)
	}
	b.fails(exitUsage, []string{"both given"}, "token", "--json", "--format", "exec-credential")
}

// TestRekey moves sessions to a key that is kept elsewhere, and back.
func TestRekey(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	b.ok("login", "--base", s.URL(), "--session", "work", "-d", credentials)
	if got := b.ok("rekey"); got != "Encrypted anew: 0; the old key is not needed any more\n" {
		t.Errorf("the key that they have: %s", got)
	}
	if got := b.ok("rekey", "--key-in", "file"); !strings.HasPrefix(got, "Encrypted anew: 2;") {
		t.Errorf("said %s", got)
	}
	b.env["SILENTREFRESH_KEY"] = seal.FormatKey(seal.NewKey())
	if got := b.ok("status", "--session", "work"); !strings.Contains(got, "key in file ") {
		t.Errorf("got %s", got)
	}
	if got := b.ok("rekey"); !strings.HasPrefix(got, "Encrypted anew: 2;") {
		t.Errorf("said %s", got)
	}
	b.ok("request", "/me")
	b.fails(exitUsage, []string{"did you mean keychain?"}, "rekey", "--key-in", "keychian")
	delete(b.env, "SILENTREFRESH_KEY")
	b.fails(exitUsage, []string{"there is no key in the environment", "set SILENTREFRESH_KEY"}, "rekey", "--key-in", "environment")
	b.fails(exitFailed, []string{"not all sessions have the new key; 0 were changed now", "do:  the others have their old key still"}, "rekey", "--key-in", "file")
}

// TestKeyIn keeps the key of a new session where it is told to.
func TestKeyIn(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	b.env["SILENTREFRESH_KEY_IN"] = "file"
	if got := b.ok("login", "--base", s.URL(), "-d", credentials); !strings.Contains(got, "stored   encrypted file, key in file "+b.dir) {
		t.Errorf("got %s", got)
	}
	b.ok("request", "/me")
}
