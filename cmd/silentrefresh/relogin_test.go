package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// A passwordServer has no refresh: when a token is good no more, one logs in again.
type passwordServer struct {
	*httptest.Server
	mu       sync.Mutex
	password string
	good     string   // the token that is good
	logins   []string // the passwords that were presented
}

func newPasswordServer(t *testing.T) *passwordServer {
	if runtime.GOOS == "windows" {
		t.Skip("the commands of these tests are those of Unix")
	}
	s := &passwordServer{password: "pw-one"}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var given struct{ Email, Password string }
		json.NewDecoder(r.Body).Decode(&given)
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Method == http.MethodGet {
			if r.Header.Get("Authorization") != "Bearer "+s.good {
				w.WriteHeader(401)
			}
			return
		}
		s.logins = append(s.logins, given.Password)
		w.Header().Set("Content-Type", "application/json")
		if given.Password != s.password || given.Email != "ada@example.com" {
			w.WriteHeader(401)
			fmt.Fprint(w, `{"message":"wrong"}`)
			return
		}
		s.good = fmt.Sprintf("token%d", len(s.logins))
		fmt.Fprintf(w, `{"token":%q,"expires_in":3600}`, s.good)
	}))
	t.Cleanup(s.Close)
	return s
}

// change sets another password, and returns how many logins there were.
func (s *passwordServer) change(password string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if password != "" {
		s.password = password
	}
	return len(s.logins)
}

// revoke ends the token.
func (s *passwordServer) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good = "none"
}

// settings is a config file with those credentials.
func (s *passwordServer) settings(b *box, credentials string) string {
	return b.file("config.json", fmt.Sprintf(`{"base_url": %q, "refresh": {"url": "-"}, "logout": {"url": "-"}, "credentials": %s}`, s.URL, credentials))
}

// hides fails if a run, or a file in the tool's folder, shows the secret.
func (b *box) hides(t *testing.T, secret string, runs ...ended) {
	t.Helper()
	for _, r := range runs {
		if strings.Contains(r.out+r.err, secret) {
			t.Errorf("%s is shown:\n%s%s", secret, r.out, r.err)
		}
	}
	filepath.WalkDir(b.dir, func(path string, d os.DirEntry, err error) error {
		if content, _ := os.ReadFile(path); strings.Contains(string(content), secret) {
			t.Errorf("%s has %s in the clear", path, secret)
		}
		return nil
	})
}

func TestF106_ACommandGivesTheCredentials(t *testing.T) {
	for name, printed := range map[string]string{
		"a line":      "pw-one\nurl: https://example.com\n",
		"a CRLF":      "pw-one\r\n",
		"no line end": "pw-one",
		"an object":   `{"email": "ada@example.com", "password": "pw-one"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newPasswordServer(t)
			b := newBox(t)
			secret := b.file("secret", printed)
			command, err := json.Marshal(map[string]any{"command": []string{"cat", secret}, "fields": map[string]string{"email": "ada@example.com"}})
			if err != nil {
				t.Fatal(err)
			}
			first := b.run("login", "--config", s.settings(b, string(command)))
			if first.code != 0 || strings.Contains(first.out, "BUT") {
				t.Fatalf("login: %+v", first)
			}
			s.revoke()
			again := b.run("request", "/me")
			if again.code != 0 || s.change("") != 2 {
				t.Errorf("not logged in again: %+v, %d logins", again, s.change(""))
			}
			b.hides(t, "pw-one", first, again)
		})
	}
}

func TestF106_WhatWasRefusedIsNeverPresentedAgain(t *testing.T) {
	for _, source := range []string{`{"keep": true}`, `{"command": ["cat", SECRET], "fields": {"email": "ada@example.com"}}`} {
		t.Run(source[2:6], func(t *testing.T) {
			s := newPasswordServer(t)
			b := newBox(t)
			secret := b.file("secret", "pw-one")
			config := s.settings(b, strings.ReplaceAll(source, "SECRET", fmt.Sprintf("%q", secret)))
			runs := []ended{b.run("login", "--config", config, "-d", `{"email": "ada@example.com", "password": "pw-one"}`)}
			s.revoke()
			if again := b.run("request", "/me"); again.code != 0 || s.change("") != 2 {
				t.Fatalf("not logged in again: %+v, %d logins", again, s.change(""))
			}
			before := s.change("pw-two")
			s.revoke()
			for range 3 {
				r := b.run("request", "/me")
				if r.code == 0 {
					t.Errorf("exit status 0\n%s", r.err)
				}
				runs = append(runs, r)
			}
			if got := s.change("") - before; got != 1 {
				t.Errorf("the password was presented %d times after it was changed", got)
			}
			b.hides(t, "pw-one", runs...)
			if strings.Contains(source, "command") { // corrected where it is kept
				if err := os.WriteFile(secret, []byte("pw-two"), 0o600); err != nil {
					t.Fatal(err)
				}
			} else {
				b.ok("login", "-d", `{"email": "ada@example.com", "password": "pw-two"}`)
			}
			if r := b.run("request", "/me"); r.code != 0 {
				t.Errorf("after the correction: %+v", r)
			}
			b.hides(t, "pw-two", runs...)
		})
	}
}

func TestF106_KeptCredentialsGoWithTheSession(t *testing.T) {
	s := newPasswordServer(t)
	b := newBox(t)
	config := s.settings(b, `{"keep": true}`)
	b.ok("login", "--config", config, "-d", `{"email": "ada@example.com", "password": "pw-one"}`)
	b.ok("logout")
	before := s.change("")
	if r := b.run("token", "--config", config); r.code != exitLogin && r.code != exitFailed {
		t.Errorf("%+v", r)
	}
	if got := s.change(""); got != before {
		t.Errorf("logged in again %d times after a logout", got-before)
	}
}

func TestF106_CommandsThatFail(t *testing.T) {
	s := newPasswordServer(t)
	b := newBox(t)
	b.file("secret", "pw-one")
	for _, tt := range []struct{ command, want string }{
		{`["sh", "-c", "echo locked >&2; echo pw-one; exit 3"]`, "exit status 3"},
		{`["sh", "-c", "true"]`, "printed nothing"},
		{`["sh", "-c", "head -c 70000 /dev/zero"]`, "more than 64 KiB"},
		{`["/nonexistent/program"]`, "did not run"},
		{`["echo", "pw-one"]`, "email and password"},
		{`["echo", "[\"pw-one\"]"]`, "email and password"},
	} {
		r := b.run("login", "--config", s.settings(b, `{"command": `+tt.command+`}`))
		if r.code != exitUsage || !strings.Contains(r.err, tt.want) || strings.Contains(r.err, "pw-one") {
			t.Errorf("%s: exit status %d, want %q in\n%s", tt.command, r.code, tt.want, r.err)
		}
		if strings.Contains(tt.command, "locked") && !strings.Contains(r.err, "locked") {
			t.Errorf("the command's own words are not shown:\n%s", r.err)
		}
	}
	if s.change("") > 0 {
		t.Errorf("%d logins with what no command gave", s.change(""))
	}
}

func TestF106_CredentialMistakes(t *testing.T) {
	for document, want := range map[string]string{
		`{}`:                                  "nothing says where they are",
		`{"command": []}`:                     "nothing says where they are",
		`{"command": [""]}`:                   "first entry is empty",
		`{"command": ["x"], "keep": true}`:    "exclude each other",
		`{"keep": true, "fields": {"a":"b"}}`: "credentials.fields",
		`{"comand": ["s3cret"]}`:              `"comand"`,
		`{"command": "s3cret x"}`:             "wrong type",
	} {
		_, err := parseConfig([]byte(`{"base_url": "http://127.0.0.1", "credentials": ` + document + `}`))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", document, err, want)
		}
	}
	if _, err := parseConfig([]byte(`{"base_url": "http://127.0.0.1", "credentials": {"keep": true}, "oauth": {"issuer": "http://127.0.0.1", "client_id": "c"}}`)); err == nil {
		t.Error("with an identity provider")
	}
}
