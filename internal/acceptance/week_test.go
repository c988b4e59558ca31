package acceptance

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
)

// credentials are those of the test kit's account.
var credentials = map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}

// A week of a laptop: tokens of 15 minutes, a request a minute, asleep every night, two outages of the auth server
// shorter than margin plus MaxWait, and a revocation. The application sees nothing but 200.
func TestAWeekOfALaptop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		server := authtest.NewServer(t, authtest.Config{InMemory: true})
		client, err := silentrefresh.New(silentrefresh.Config{BaseURL: server.URL(), Base: server.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := client.Login(context.Background(), credentials); err != nil {
			t.Fatal(err)
		}
		requests := 0
		get := func() {
			resp, err := client.HTTPClient().Get(server.URL() + "/me")
			if err != nil {
				t.Fatalf("request %d, after %s: %v", requests, time.Since(began), err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("request %d, after %s: status %d", requests, time.Since(began), resp.StatusCode)
			}
			requests++
		}
		for day := range 7 {
			for minute := range 16 * 60 {
				switch {
				case day == 1 && minute == 300, day == 4 && minute == 600:
					server.DownFor(authtest.Unavailable, 3*time.Minute)
				case day == 5 && minute == 100:
					server.RevokeAccess()
				}
				get()
				time.Sleep(time.Minute)
			}
			server.Sleep(8 * time.Hour)
		}
		n := server.Counters()
		t.Logf("%d requests, %d refreshes, %d calls", requests, n.Refreshes, n.RefreshCalls)
		if n.Logins != 1 || n.Reuses != 0 || n.ConcurrentRefreshes != 1 {
			t.Errorf("counters %+v", n)
		}
		if n.Refreshes < 7*16*4 || n.Refreshes > 7*16*7 {
			t.Errorf("%d refreshes in a week", n.Refreshes)
		}
		if err := client.Logout(context.Background()); err != nil || len(server.Sessions()) != 0 {
			t.Errorf("logout: %v, %d sessions left", err, len(server.Sessions()))
		}
	})
}
