package main

import (
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestNextCommandWorks: what a login prints can be typed, whichever other sessions there are.
func TestNextCommandWorks(t *testing.T) {
	s, other := authtest.NewServer(t, authtest.Config{}), authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--base", s.URL(), "--session", "work"}, "request /me"},
		{[]string{"--base", s.URL(), "--session", "default"}, "request /me"},
		{[]string{"--base", s.URL(), "--session", "o'neil"}, `request --session 'o'\''neil' /me`},
		{[]string{"--base", other.URL()}, "request --base " + other.URL() + " /me"},
		{[]string{"--base", other.URL(), "--session", "work"}, "request --session work --base " + other.URL() + " /me"},
	} {
		got := b.ok(append([]string{"login", "-d", credentials}, c.args...)...)
		if !strings.HasSuffix(got, "\nNext: silentrefresh "+c.want+"\n") {
			t.Errorf("%s: want %s in\n%s", c.args, c.want, got)
		}
		words := strings.Fields(strings.ReplaceAll(c.want, `'o'\''neil'`, "o'neil"))
		before := s.Counters().API + other.Counters().API
		b.ok(words...)
		if s.Counters().API+other.Counters().API != before+1 {
			t.Errorf("%s: nothing was requested", c.want)
		}
	}
	b.env["SILENTREFRESH_SESSION"] = "play" // which stays for the next command
	if got := b.ok("login", "-d", credentials, "--base", s.URL()); !strings.Contains(got, "Next: silentrefresh request /me") {
		t.Errorf("got\n%s", got)
	}
	b.ok("request", "/me")
}

// TestLoginAgainNamesTheSession that is over, and no other.
func TestLoginAgainNamesTheSession(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	b.ok("login", "--base", s.URL(), "--session", "work", "-d", credentials)
	s.EndSessions()
	b.fails(exitLogin, []string{"do:  silentrefresh login --session work\n"}, "request", "--session", "work", "/me")
	b.fails(exitLogin, []string{"do:  silentrefresh login\n"}, "request", "--session", "default", "/me")
}

// TestF101_TheWholeBaseCounts: two paths of one origin are two servers.
func TestF101_TheWholeBaseCounts(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	b.fails(exitLogin, []string{"nobody is logged in", "do:  silentrefresh login --base " + s.URL() + "/v2\n"}, "request", "--base", s.URL()+"/v2", "/me")
	b.ok("request", "--base", strings.ToUpper(s.URL()[:4])+s.URL()[4:]+"/", "/me")
	got := b.ok("login", "--base", s.URL()+"/v2", "-d", credentials)
	if want := "Next: silentrefresh request --base " + s.URL() + "/v2 /me\n"; !strings.HasSuffix(got, want) {
		t.Errorf("want %s in\n%s", want, got)
	}
	b.ok("logout", "--base", s.URL()+"/v2/")
	b.ok("request", "/me") // the other one is there still
}

// TestF101_OnlyHarmlessFieldsAreEchoed: what nobody has thought of is a password.
func TestF101_OnlyHarmlessFieldsAreEchoed(t *testing.T) {
	for _, field := range []string{"email", "E-Mail", "user.email", "user[email]", "username", "user_name", "tenant", "phone-number", "/login", "data.user"} {
		if secret(field) {
			t.Errorf("%s is not echoed", field)
		}
	}
	for _, field := range []string{
		"pwd", "pw", "mfa", "PIN", "otp", "password", "passwort", "mot_de_passe", "email_code", "user.pwd", "recovery", "answer",
		"", ".", "emails secret", "token", "tan",
	} {
		if !secret(field) {
			t.Errorf("%s is echoed", field)
		}
	}
}
