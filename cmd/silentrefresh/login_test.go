package main

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestLoginCredentials(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	b.ok("login", "--base", s.URL(), "-d", "@"+b.file("credentials", credentials))
	if r := b.runWith(credentials, "login", "-d", "-"); r.code != 0 {
		t.Errorf("from standard input: %d %s", r.code, r.err)
	}
	b.fails(exitUsage, []string{"not a JSON object"}, "login", "-d", "secret")
	b.fails(exitUsage, []string{"not a JSON object"}, "login", "-d", "null")
	b.fails(exitUsage, []string{"was not read"}, "login", "-d", "@"+filepath.Join(b.dir, "nosuch"))
	b.fails(exitUsage, []string{"exclude each other"}, "login", "-d", credentials, "--refresh-token", "-")
	b.fails(exitUsage, []string{"nobody can be asked for email and password", "-d -"}, "login")
}

// TestLoginAsksForOtherFields: what the settings name.
func TestLoginAsksForOtherFields(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	b.fails(exitUsage, []string{"nobody can be asked for tenant and pin"}, "login", "--config", b.config(s, map[string]any{"ask": []string{"tenant", "pin"}}))
}

func TestLoginWithRefreshToken(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{RefreshIn: authtest.InJSON})
	b := newBox(t)
	file := b.config(s, map[string]any{"refresh": map[string]any{"refresh_token_field": "refreshToken"}})
	token := refreshToken(t, s)
	if r := b.runWith(token+"\n", "login", "--config", file, "--refresh-token", "-"); r.code != 0 {
		t.Fatalf("%d %s", r.code, r.err)
	}
	b.ok("request", "/me")
	b.fails(exitUsage, []string{"can be read by others", "--refresh-token -"}, "login", "--refresh-token", token)
	r := b.runWith("spent", "login", "--config", file, "--refresh-token", "-")
	if r.code != exitLogin || !strings.Contains(r.err, "invalid_grant") {
		t.Errorf("a wrong token: %d %s", r.code, r.err)
	}
	if r := b.runWith(" \n", "login", "--refresh-token", "-"); r.code != exitUsage {
		t.Errorf("no token: %d %s", r.code, r.err)
	}
}

// refreshToken logs in without the tool.
func refreshToken(t *testing.T, s *authtest.Server) string {
	t.Helper()
	resp, err := http.Post(s.URL()+"/auth/login", "application/json", strings.NewReader(credentials))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		return c.Value
	}
	var response struct{ RefreshToken string }
	if err := json.NewDecoder(resp.Body).Decode(&response); err != nil || response.RefreshToken == "" {
		t.Fatal("no refresh token: ", err)
	}
	return response.RefreshToken
}

// certificate is the server's, in PEM.
func certificate(t *testing.T, s *authtest.Server) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.URL(), "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	der := conn.ConnectionState().PeerCertificates[0].Raw
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestLoginWithCookieFile(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	token := refreshToken(t, s)
	file := b.file("cookies.txt", "# Netscape HTTP Cookie File\n\n"+
		"#HttpOnly_127.0.0.1\tFALSE\t/auth\tFALSE\t0\trefresh_token\t"+token+"\n"+
		".example.com\tTRUE\t/\tTRUE\t2000000000\tother\tx\n")
	b.ok("login", "--base", s.URL(), "--cookie-file", file)
	b.ok("request", "/me")
	if n := s.Counters(); n.Reuses != 0 || n.Refreshes != 1 {
		t.Errorf("%+v", n)
	}
	other := b.file("cookies.txt", ".example.com\tTRUE\t/\tTRUE\t0\tother\tx\n")
	b.fails(exitUsage, []string{"none of them is for 127.0.0.1"}, "login", "--cookie-file", other)
	bad := b.file("cookies.txt", "127.0.0.1 FALSE / FALSE 0 refresh_token s3cret\n")
	if r := b.fails(exitUsage, []string{"line 1", "seven fields"}, "login", "--cookie-file", bad); strings.Contains(r.err, "s3cret") {
		t.Errorf("repeats a value: %s", r.err)
	}
}

// TestF59_NotRenewableIsSaidAtLogin, with the attribute at fault.
func TestF59_NotRenewableIsSaidAtLogin(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	file := b.config(s, map[string]any{"refresh": map[string]any{"url": "/refresh"}})
	got := b.ok("login", "--config", file, "-d", credentials)
	if !strings.Contains(got, "BUT") || !strings.Contains(got, "the cookie refresh_token does not go to /refresh: its Path is /auth") || strings.Contains(got, "Next:") {
		t.Errorf("said\n%s", got)
	}
}

// TestLoginLeavesTheOldSessionAlone: its credential is not spent with the new settings, nor when the login fails.
func TestLoginLeavesTheOldSessionAlone(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Second})
	time.Sleep(time.Until(expiry(t, b)) + 10*time.Millisecond)
	file := b.config(s, map[string]any{"refresh": map[string]any{"url": "/auth/login"}})
	before := s.Counters()
	b.fails(exitFailed, nil, "login", "--config", file, "-d", `{"email": "nobody"}`)
	if got := s.Counters(); got.LoginCalls != before.LoginCalls+1 || got.RefreshCalls != before.RefreshCalls {
		t.Errorf("calls: %+v", got)
	}
	b.ok("request", "/me")
}

// TestLoginKeepsRoom: where the session could not be kept, no login is spent on it.
func TestLoginKeepsRoom(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	settings := string(folder(b.dir).profiles())
	if err := os.RemoveAll(settings); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, nil, 0o600); err != nil { // a file where a folder should be
		t.Fatal(err)
	}
	b.fails(exitFailed, nil, "login", "--base", s.URL(), "-d", credentials)
	if n := s.Counters().LoginCalls; n != 1 {
		t.Errorf("%d logins", n)
	}
}

// TestF39_DamagedRecordIsNotReplaced but by a login: nothing else takes it for a logout.
func TestF39_DamagedRecordIsNotReplaced(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	found, err := filepath.Glob(filepath.Join(folder(b.dir).sessions(), "*.session"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if err := os.WriteFile(found[0], []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"request", "/me"}, {"token"}, {"status"}} {
		b.fails(exitFailed, []string{"why:", "damaged", "log in again"}, args...)
	}
	if n := s.Counters(); n.LoginCalls != 1 || n.API != 0 {
		t.Errorf("sent %+v", n)
	}
	if text, err := os.ReadFile(found[0]); err != nil || string(text) != "x" {
		t.Errorf("the record is now %q, %v", text, err)
	}
}

// TestCACert: the certificates that were given at the login are used later, too.
func TestCACert(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{TLS: true})
	b := newBox(t)
	file := b.file("ca.pem", certificate(t, s))
	b.fails(exitFailed, []string{"certificate"}, "login", "--base", s.URL(), "-d", credentials)
	b.fails(exitUsage, []string{"no certificate"}, "login", "--base", s.URL(), "--cacert", b.file("no.pem", ""), "-d", credentials)
	b.fails(exitFailed, []string{"trust it with --cacert FILE"}, "login", s.URL())
	b.ok("login", "--base", s.URL(), "--cacert", file, "-d", credentials)
	b.ok("request", "/me")
}

// TestRenewsItself: where only the valid access token brings a new one, it is said that something has to run.
func TestRenewsItself(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{RefreshIn: authtest.InAccess})
	b := newBox(t)
	got := b.ok("login", "--config", b.config(s, map[string]any{"refresh": map[string]any{"access_token_header": "Authorization"}}), "-d", credentials)
	if !strings.Contains(got, "renewed only while it is valid: keep `silentrefresh proxy` running") {
		t.Errorf("said\n%s", got)
	}
}

// TestLoginWhereThereIsNoTLS: a URL without a scheme is taken for https, which a server on the developer's machine seldom has.
func TestLoginWhereThereIsNoTLS(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	host := strings.TrimPrefix(s.URL(), "http://")
	for _, args := range [][]string{{"login", host}, {"login", "--base", "https://" + host, "-d", credentials}} {
		if r := b.run(args...); r.code == 0 || !strings.Contains(r.err, "begin it with http://") {
			t.Errorf("%v: %d %s", args, r.code, r.err)
		}
	}
}
