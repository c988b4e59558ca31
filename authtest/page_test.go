package authtest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// atButtons sends a request to the buttons, with headers as "Name: value".
func (k *client) atButtons(method, path string, headers ...string) (int, string) {
	k.t.Helper()
	req, err := http.NewRequest(method, k.s.URL()+"/_test/"+path, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	resp, err := k.http.Do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestPageOfButtons: a browser gets the page, a program the list; a page of another origin presses nothing.
func TestPageOfButtons(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{Buttons: true})
	if status, text := k.atButtons("GET", "", "Accept: text/html,*/*"); status != 200 || !strings.Contains(text, `data-press="revoke"`) {
		t.Errorf("a browser gets %d %s", status, text)
	}
	if status, text := k.atButtons("GET", ""); status != 200 || !strings.HasPrefix(text, "  POST /_test/expire ") {
		t.Errorf("a program gets %d %s", status, text)
	}
	for _, header := range []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"} {
		if status, _ := k.atButtons("POST", "end", header); status != http.StatusForbidden || len(s.Sessions()) != 1 {
			t.Errorf("%s: %d", header, status)
		}
	}
	if status, _ := k.atButtons("POST", "end", "Origin: "+s.URL()); status != http.StatusNoContent || len(s.Sessions()) != 0 {
		t.Errorf("the page itself: %d", status)
	}
}

// TestStateOverHTTP: the page is shown what happened, and nothing of it that is secret.
func TestStateOverHTTP(t *testing.T) {
	inBubble(t, authtest.Config{Buttons: true, AuthApart: true}, func(s *authtest.Server, k *client) {
		k.mustGet("/me?token=in-the-query", 200)
		k.mustGet("/slow?for=2s", 200)
		s.Fault(authtest.Fault{Kind: authtest.Drop})
		if _, err := k.renew(); err == nil {
			t.Error("not dropped")
		}
		s.DownFor(authtest.Unavailable, time.Minute)
		_, text := k.atButtons("GET", "state")
		for _, want := range []string{
			`"outage":"unavailable"`, `"account":"` + authtest.DefaultEmail + `"`, `"path":"/me","status":200`,
			`"path":"/slow","status":200,"took_ms":2000`, `"path":"/auth/refresh","status":0`, `"path":"/auth/login","status":200`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
		for _, secret := range append(s.Secrets(), "in-the-query") {
			if secret != authtest.DefaultPassword && strings.Contains(text, secret) {
				t.Errorf("%s is in %s", secret, text)
			}
		}
	})
}

// TestJournalIsBounded, and leaves out what the page asks itself.
func TestJournalIsBounded(t *testing.T) {
	inBubble(t, authtest.Config{Buttons: true}, func(_ *authtest.Server, k *client) {
		for range 300 {
			k.mustGet("/me", 200)
		}
		k.press("expire", "", 204)
		var st struct {
			Requests []struct{ Method, Path string }
		}
		k.show("state", &st)
		k.show("state", &st)
		if n := len(st.Requests); n != 200 || st.Requests[n-1].Path != "/_test/expire" {
			t.Errorf("%d requests, the last is %+v", n, st.Requests[n-1])
		}
	})
}
