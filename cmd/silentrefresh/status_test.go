package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestStatus(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	got := b.ok("status")
	want := s.URL() + " as ada@example.com: logged in\n" +
		"  token    until # by its lifetime (15 min left), next refresh about #\n" +
		"  session  until #, extended by each renewal\n" +
		"  stored   encrypted file, key in environment variable SILENTREFRESH_KEY\n"
	if !like(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s.EndSessions()
	b.run("request", "/me")
	r := b.fails(exitLogin, []string{"the session is over", "/auth/refresh returned 401 invalid_grant", "silentrefresh login"}, "status")
	if !strings.HasPrefix(r.out, s.URL()+" as ada@example.com: over\n") {
		t.Errorf("over: %q", r.out)
	}
}

func TestStatusAsJSON(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	var got struct {
		State       string    `json:"state"`
		Account     string    `json:"account"`
		Session     string    `json:"session"`
		BaseURL     string    `json:"base_url"`
		Stored      string    `json:"stored"`
		Expires     time.Time `json:"expires"`
		NextRefresh time.Time `json:"next_refresh"`
		Error       string    `json:"error"`
	}
	if err := json.Unmarshal([]byte(b.ok("status", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.State != "logged in" || got.Account != authtest.DefaultEmail || got.Session != "default" || got.BaseURL != s.URL() ||
		!strings.HasPrefix(got.Stored, "encrypted file") || got.Error != "" {
		t.Errorf("%+v", got)
	}
	if now := time.Now(); !got.Expires.After(now) || !got.NextRefresh.After(now) || !got.NextRefresh.Before(got.Expires) {
		t.Errorf("next refresh %v, end %v", got.NextRefresh, got.Expires)
	}
	s.EndSessions()
	b.run("request", "/me")
	r := b.run("status", "--json")
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != exitLogin || got.State != "over" || !strings.Contains(got.Error, "invalid_grant") {
		t.Errorf("over: %d, %v, %+v", r.code, err, got)
	}
}

// TestStatusOfNobodyAsJSON: a program that reads it finds a document in each case.
func TestStatusOfNobodyAsJSON(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	other := authtest.NewServer(t, authtest.Config{})
	nobody := newBoxBeside(b)
	for _, c := range []struct {
		b       *box
		session string
		args    []string
	}{
		{nobody, "default", nil},
		{nobody, "work", []string{"--session", "work"}},
		{nobody, "default", []string{"--base", s.URL()}},
		{b, "tow", []string{"--session", "tow"}},
		{b, "default", []string{"--base", other.URL()}},
	} {
		var got struct{ State, Session, Error string }
		r := c.b.run(append([]string{"status", "--json"}, c.args...)...)
		if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != exitLogin || r.err != "" {
			t.Errorf("%s: %d %v %s", c.args, r.code, err, r.err)
		}
		if got.State != "no session" || got.Session != c.session || got.Error == "" || strings.Contains(r.out, "stats") || strings.Contains(r.out, "null") {
			t.Errorf("%s: %s", c.args, r.out)
		}
	}
	b.ok("login", "--base", other.URL(), "-d", credentials)
}

// TestStatusOnlyLooks: it sends nothing, and leaves the record alone, even where a refresh is due.
func TestStatusOnlyLooks(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Second})
	time.Sleep(time.Until(expiry(t, b)) + 10*time.Millisecond)
	before := s.Counters()
	if got := b.ok("status"); !strings.Contains(got, ": logged in, token expired\n") || !strings.Contains(got, "the next request renews it") {
		t.Errorf("said %s", got)
	}
	if got := b.ok("status", "--json"); !strings.Contains(got, `"state": "offline"`) {
		t.Errorf("as JSON %s", got)
	}
	if s.Counters() != before {
		t.Error("something was sent")
	}
}

func expiry(t *testing.T, b *box) time.Time {
	t.Helper()
	var st struct {
		Expires time.Time `json:"expires"`
	}
	if err := json.Unmarshal([]byte(b.ok("status", "--json")), &st); err != nil {
		t.Fatal(err)
	}
	return st.Expires
}
