package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/dashboard"
)

// pageToken is the token in the proxy's page.
func pageToken(t *testing.T, address string, header ...string) string {
	t.Helper()
	resp, body := get(t, address+dashboard.Path, header...)
	found := regexp.MustCompile(`name="token" content="(\w+)"`).FindStringSubmatch(body)
	if resp.StatusCode != http.StatusOK || found == nil {
		t.Fatalf("%s\n%s", resp.Status, body)
	}
	return found[1]
}

// pageState is what the page is shown.
func pageState(t *testing.T, address, token string, header ...string) (st dashboard.State, body string) {
	t.Helper()
	resp, body := get(t, address+dashboard.Path+"state", append(header, dashboard.TokenHeader, token)...)
	if err := json.Unmarshal([]byte(body), &st); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %v", resp.Status, body, err)
	}
	return st, body
}

// TestPage: what the page shows is true, holds no secret, and its button ends the session, settings included.
func TestPage(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Hour})
	r, address := proxied(t, b)
	for range 3 {
		get(t, address+"/me")
	}
	get(t, address+"/status/404")
	token := pageToken(t, address)
	st, body := pageState(t, address, token)
	if st.Standing != "logged in" || st.Account != authtest.DefaultEmail || st.BaseURL != s.URL() || st.Why+st.Do != "" ||
		st.Requests.Total != 4 || st.Requests.Results["2xx"] != 3 || st.Requests.Results["4xx"] != 1 ||
		len(st.Tokens) != 1 || len(st.Marks) != 1 || st.Marks[0].Kind != "resumed" {
		t.Errorf("the page is shown %s", body)
	}
	for _, secret := range s.Secrets() {
		if strings.Contains(body, secret) {
			t.Errorf("the page is shown the secret %s", secret)
		}
	}
	resp, body := send(t, http.MethodPost, address+dashboard.Path+"logout", "", dashboard.TokenHeader, token, "Origin", address)
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("%s %s", resp.Status, body)
	}
	if resp, _ := get(t, address+"/me"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the logout: %s", resp.Status)
	}
	st, body = pageState(t, address, token)
	if st.Standing != "not logged in" || st.Why != "nobody is logged in" || st.Do != "silentrefresh login --base "+s.URL() {
		t.Errorf("the page is shown %s", body)
	}
	if n := s.Counters(); n.Logouts != 1 || len(s.Sessions()) != 0 {
		t.Errorf("at the server: %+v", n)
	}
	if ended := b.run("status"); ended.code != exitLogin || !strings.Contains(ended.err, "nobody is logged in") {
		t.Errorf("settings are left: %+v", ended)
	}
	b.ok("login", "--base", s.URL(), "-d", credentials)
	servesSoon(t, address)
	r.stop()
	if said := r.err.String(); !strings.Contains(said, "the page has logged out; to go on: silentrefresh login --base "+s.URL()) {
		t.Errorf("said\n%s", said)
	}
}

// TestPageOfASecret is behind that, as everything is.
func TestPageOfASecret(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	r, address := proxied(t, b, "--secret", "xyz")
	if resp, body := get(t, address+dashboard.Path); resp.StatusCode != http.StatusUnauthorized || strings.Contains(body, "<html") {
		t.Errorf("without the secret: %s", resp.Status)
	}
	token := pageToken(t, address, secretHeader, "xyz")
	if resp, _ := get(t, address+dashboard.Path+"state", dashboard.TokenHeader, token); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the state without the secret: %s", resp.Status)
	}
	pageState(t, address, token, secretHeader, "xyz")
	r.stop()
}

// endsElsewhere logs out in another process, and waits until a proxy knows: it passes nothing on any more.
func endsElsewhere(t *testing.T, b *box, s *authtest.Server, address string) {
	t.Helper()
	token := pageToken(t, address)
	b.ok("logout")
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		st, body := pageState(t, address, token)
		if st.Standing == "over" && strings.Contains(body, "another process has logged out") {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("the page is shown %s", body)
		}
	}
	if resp, _ := get(t, address+"/me"); resp.StatusCode != http.StatusUnauthorized || s.Counters().API != 0 {
		t.Errorf("passed on: %s", resp.Status)
	}
}

// TestF104_ProxyFollowsTheRecord: a proxy passes nothing on with a session that another process has ended.
func TestF104_ProxyFollowsTheRecord(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Hour})
	r, address := proxied(t, b)
	endsElsewhere(t, b, s, address)
	r.stop()
}

// TestF104_ExecFollowsTheRecord: nor does the proxy of a command.
func TestF104_ExecFollowsTheRecord(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{AccessTTL: time.Hour})
	cmd := b.command("exec", "--", "sh", "-c", `echo "$SILENTREFRESH_URL"; read line`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r := b.startCommand(cmd)
	endsElsewhere(t, b, s, r.line("http://"))
	in.Close()
	r.cmd.Wait()
}
