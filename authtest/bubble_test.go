package authtest_test

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestHoursOfRotationInMilliseconds(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		const quarters = 4 * 24
		for range quarters {
			k.mustGet("/me", 200)
			time.Sleep(15 * time.Minute)
			k.mustGet("/me", 401)
			k.mustRenew(200)
		}
		n := s.Counters()
		k.expect("refreshes", n.Refreshes, quarters)
		k.expect("reuses", n.Reuses, 0)
		k.expect("unauthorized", n.APIUnauthorized, quarters)
	})
}

func TestWeeksLeaveLittleBehind(t *testing.T) {
	inBubble(t, authtest.Config{RefreshTTL: time.Hour}, func(s *authtest.Server, k *client) {
		for range 20 * 24 * 4 {
			time.Sleep(15 * time.Minute)
			k.mustRenew(200)
		}
		if n := len(s.Secrets()); n > 1100 {
			t.Errorf("%d secrets are remembered", n)
		}
	})
}

func TestHundredsOfClientsInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := authtest.NewServer(t, authtest.Config{InMemory: true, RefreshDelay: time.Second, APIDelay: time.Second})
		const clients = 300
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				k := newClient(t, s)
				k.login()
				for range 3 {
					k.mustGet("/me", 200)
					k.mustRenew(200)
				}
			})
		}
		wg.Wait()
		n := s.Counters()
		if n.Refreshes != 3*clients || n.API != 3*clients || n.ConcurrentRefreshes != clients || len(s.Sessions()) != clients {
			t.Errorf("%+v", n)
		}
	})
}

// In a bubble nothing has to be said: without InMemory a week would take a week.
func TestNewServerNoticesTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := authtest.NewClient(t, authtest.Config{}, silentrefresh.Config{})
		for range 7 * 24 {
			get(t, client, server.URL()+"/me")
			time.Sleep(time.Hour)
		}
		if n := server.Counters(); n.API != 7*24 || n.APIUnauthorized != 0 || n.Reuses != 0 {
			t.Errorf("%+v", n)
		}
		server.Change(func(c *authtest.Config) { c.AccessTTL = time.Hour })
		get(t, server.Client(t, silentrefresh.Config{}), server.URL()+"/me")
	})
}

// Outside of a bubble the server is on the network, whatever the machine's clock says.
func TestNewServerOutsideOfABubble(t *testing.T) {
	_, server := authtest.NewClient(t, authtest.Config{AuthApart: true, Users: map[string]string{"b": "2", "a": "1"}}, silentrefresh.Config{})
	if sessions := server.Sessions(); len(sessions) != 1 || sessions[0].Account != "a" {
		t.Errorf("%+v", sessions)
	}
	resp, err := http.Get(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func get(t *testing.T, client *silentrefresh.Client, url string) {
	t.Helper()
	resp, err := client.HTTPClient().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("GET %s: %s", url, resp.Status)
	}
}

// What is forgotten in a bubble ends in the runtime's "deadlock", or in a fatal error. The log says before that what it
// was. Each of these tests runs in a process of its own, since it fails.
func TestForgottenInABubble(t *testing.T) {
	for name, want := range map[string]string{
		"TestForgetClient":     "was a client not closed?",
		"TestForgetServer":     "was not closed when this test ended",
		"TestForgetBody":       "was a response's body not closed",
		"TestPassOutsiderT":    "the t that synctest.Test gives to its function",
		"TestForgetNothing":    "--- PASS",
		"TestTwoServersAreOne": "--- PASS",
	} {
		cmd := exec.Command(os.Args[0], "-test.run", "^"+name+"$", "-test.v", "-test.timeout", "1m")
		cmd.Env = append(os.Environ(), "AUTHTEST_FORGET=1")
		out, err := cmd.CombinedOutput()
		text := string(out)
		if passes := want == "--- PASS" || name == "TestForgetServer"; (err == nil) != passes || !strings.Contains(text, want) || passes && strings.Contains(text, "still wait") {
			t.Errorf("%s: %v, want %q in\n%.3000s", name, err, want, text)
		}
	}
}

// forgetful runs test in a bubble, where this process was started for that.
func forgetful(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv("AUTHTEST_FORGET") == "" {
		t.Skip("it runs in a process of its own")
	}
	synctest.Test(t, test)
}

func TestForgetClient(t *testing.T) {
	forgetful(t, func(t *testing.T) {
		server := authtest.NewServer(t, authtest.Config{})
		client, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL(), Base: server.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Login(t.Context(), map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}); err != nil {
			t.Fatal(err)
		}
		server.EndSessions()
		server.Down(authtest.Unavailable)
		go client.HTTPClient().Get(server.URL()) // when the test ends it waits for the auth server, by a clock that stands still
		synctest.Wait()
	})
}

func TestForgetServer(t *testing.T) {
	forgetful(t, func(t *testing.T) {
		authtest.NewServer(t, authtest.Config{})
		if _, err := authtest.Start(authtest.Config{}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestForgetBody(t *testing.T) {
	forgetful(t, func(t *testing.T) {
		client, server := authtest.NewClient(t, authtest.Config{}, silentrefresh.Config{})
		if _, err := client.HTTPClient().Get(server.URL() + "/me"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPassOutsiderT(outside *testing.T) {
	forgetful(outside, func(*testing.T) { authtest.NewServer(outside, authtest.Config{}) })
}

func TestForgetNothing(t *testing.T) {
	forgetful(t, func(t *testing.T) {
		client, server := authtest.NewClient(t, authtest.Config{}, silentrefresh.Config{})
		get(t, client, server.URL())
	})
}

// The first of two servers still runs when the second is closed.
func TestTwoServersAreOne(t *testing.T) {
	forgetful(t, func(t *testing.T) {
		for range 2 {
			client, server := authtest.NewClient(t, authtest.Config{}, silentrefresh.Config{})
			get(t, client, server.URL())
		}
	})
}
