package authtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// press presses a button over HTTP and expects a status.
func (k *client) press(path, body string, want int) string {
	k.t.Helper()
	resp, err := k.http.Post(k.s.URL()+"/_test/"+path, "application/json", strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != want || err != nil {
		k.t.Errorf("%s: %d %q %v, want %d", path, resp.StatusCode, text, err, want)
	}
	return string(text)
}

func (k *client) show(name string, v any) {
	k.t.Helper()
	resp, err := k.http.Get(k.s.URL() + "/_test/" + name)
	if err != nil {
		k.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		k.t.Errorf("%s: %v", name, err)
	}
}

func TestEachKindOfEnd(t *testing.T) {
	for _, test := range []struct {
		name         string
		press        func(*authtest.Server)
		api, refresh int
	}{
		{"ExpireAll", (*authtest.Server).ExpireAll, 401, 200},
		{"RevokeAccess", (*authtest.Server).RevokeAccess, 401, 200},
		{"EndSessions", (*authtest.Server).EndSessions, 401, 401},
		{"EndSession", func(s *authtest.Server) { s.EndSession(s.Sessions()[0].ID) }, 401, 401},
		{"EndSession of another", func(s *authtest.Server) { s.EndSession("another") }, 200, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, k := loggedIn(t, authtest.Config{Opaque: true})
			test.press(s)
			k.mustGet("/me", test.api)
			if r := k.mustRenew(test.refresh); test.refresh == 401 && r.doc["error"] != "invalid_grant" {
				t.Errorf("refused with %s", r.body)
			}
			k.login()
			k.mustGet("/me", 200)
		})
	}
}

func TestSessionsTellWhatThereIs(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		began := time.Now()
		time.Sleep(time.Hour)
		newClient(k.t, s).login()
		k.mustRenew(200)
		sessions := s.Sessions()
		first := sessions[0]
		if len(sessions) != 2 || first.Account != authtest.DefaultEmail || first.Refreshes != 1 || !first.Began.Equal(began) ||
			!first.Ends.Equal(time.Now().Add(7*24*time.Hour)) || first.ID == sessions[1].ID {
			t.Errorf("sessions: %+v", sessions)
		}
		if !s.EndSession(first.ID) || s.EndSession(first.ID) {
			t.Error("EndSession does not tell whether there was one")
		}
		k.mustRenew(401)
		k.expect("left", len(s.Sessions()), 1)
	})
}

func TestButtonsOverHTTP(t *testing.T) {
	inBubble(t, authtest.Config{Buttons: true}, func(s *authtest.Server, k *client) {
		k.press("expire", "", 204)
		k.mustGet("/me", 401)
		k.mustRenew(200)
		k.press("revoke", "", 204)
		k.mustGet("/me", 401)
		k.press("down?for=5s", "", 204)
		k.mustRenew(503)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		k.mustRenew(200)
		k.press("down?how=resetting", "", 204)
		if _, err := k.renew(); err == nil {
			t.Error("not resetting")
		}
		k.press("up", "", 204)
		k.press("sleep?for=15m", "", 204)
		k.mustGet("/me", 401)
		k.press("delay?refresh=3s&api=2s", "", 204)
		start := time.Now()
		k.mustRenew(200)
		k.mustGet("/me", 200)
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("delays: %v", took)
		}
		k.press("end", "", 204)
		k.mustRenew(401)
	})
}

func TestFaultButton(t *testing.T) {
	inBubble(t, authtest.Config{Buttons: true}, func(s *authtest.Server, k *client) {
		k.press("fault?kind=status&status=502&times=2&body=oops", "", 204)
		k.press("fault", `[{"kind":"hang"},{"kind":"status","at":"login","status":418,"header":{"X-A":"b"}}]`, 204)
		if r := k.mustRenew(502); r.body != "oops" {
			t.Errorf("body %q", r.body)
		}
		k.mustRenew(502)
		responded := make(chan int)
		go func() {
			r, _ := k.renew()
			responded <- status(r)
		}()
		synctest.Wait()
		k.press("release", "", 204)
		k.expect("released", <-responded, 200)
		if r, err := k.call(authtest.Login, credentials); err != nil || r.StatusCode != 418 || r.Header.Get("X-A") != "b" {
			t.Errorf("login: %d %v", status(r), err)
		}
		k.press("fault?kind=drop&commit=true", "", 204)
		if _, err := k.renew(); err == nil {
			t.Error("not dropped")
		}
		k.expect("refreshes", s.Counters().Refreshes, 2)
	})
}

func TestButtonsSayWhatIsWrong(t *testing.T) {
	_, k := loggedIn(t, authtest.Config{Buttons: true})
	for path, want := range map[string]string{
		"down?how=tired":                "unavailable, resetting or refusing",
		"down?for=soon":                 "such as 5s",
		"down?how=refusing":             "needs a time",
		"sleep?for=-1h":                 "such as 5s",
		"delay?refresh=x":               "refresh=x",
		"delay?api=x":                   "api=x",
		"fault":                         "JSON array",
		"fault?kind=dorp":               `no fault "dorp"`,
		"fault?kind=drop&at=x":          `endpoint "x"`,
		"fault?kind=drop&times=a":       "whole number",
		"fault?kind=status&status=-1":   "whole number",
		"fault?kind=drop&commit=please": "true or false",
	} {
		if got := k.press(path, "", 400); !strings.Contains(got, want) {
			t.Errorf("%s: %q does not say %q", path, got, want)
		}
	}
	k.press("expire", "", 204)
	resp, err := k.http.Get(k.s.URL() + "/_test/expire")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	k.expect("GET of a button", resp.StatusCode, http.StatusMethodNotAllowed)
}

// TestRefusingApart needs no time: the buttons are elsewhere.
func TestRefusingApart(t *testing.T) {
	_, k := loggedIn(t, authtest.Config{Buttons: true, AuthApart: true})
	k.press("down?how=refusing", "", 204)
	k.press("up", "", 204)
	k.mustRenew(200)
}

// TestUnknownButtonListsTheButtons, and all that it lists are there.
func TestUnknownButtonListsTheButtons(t *testing.T) {
	_, k := loggedIn(t, authtest.Config{Buttons: true})
	listed := 0
	for _, line := range strings.Split(k.press("dwon", "", 404), "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasPrefix(words[1], "/_test/") {
			continue
		}
		listed++
		req, err := http.NewRequest(words[0], k.s.URL()+words[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := k.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode >= 300 {
			t.Errorf("%s: %s", line, resp.Status)
		}
	}
	k.expect("buttons", listed, 13)
	if got := k.press("counters", "", 405); !strings.Contains(got, "GET") {
		t.Errorf("the wrong method: %q", got)
	}
}

func TestCountersOverHTTP(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{Buttons: true})
	k.mustRenew(200)
	k.mustGet("/me", 200)
	var n authtest.Counters
	if k.show("counters", &n); n != s.Counters() || n.Refreshes != 1 || n.API != 1 {
		t.Errorf("counters: %+v", n)
	}
	var sessions []authtest.Session
	if k.show("sessions", &sessions); len(sessions) != 1 || sessions[0].Refreshes != 1 {
		t.Errorf("sessions: %+v", sessions)
	}
	s.EndSessions()
	if k.show("sessions", &sessions); sessions == nil || len(sessions) != 0 {
		t.Errorf("no sessions: %#v", sessions)
	}
}
