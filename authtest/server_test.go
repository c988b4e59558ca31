package authtest_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestEveryMistakeIsReported(t *testing.T) {
	_, err := authtest.Start(authtest.Config{
		AccessTTL: -1, RefreshTTL: -1, Grace: -1, RateWindow: -1, RefreshDelay: -1, APIDelay: -1,
		TokenIn: "pocket", RefreshIn: "pocket", TokenAtRefresh: "maybe",
		Bare: true, Scheme: "JWT", RateLimit: -1, RejectBytes: -1, RejectStatus: 200, RefuseStatus: 1000,
	})
	if err == nil {
		t.Fatal("it started")
	}
	for _, name := range []string{
		"AccessTTL", "RefreshTTL", "Grace", "RateWindow", "RefreshDelay", "APIDelay", "TokenIn", "RefreshIn",
		"TokenAtRefresh", "Bare", "RateLimit", "RejectBytes", "RejectStatus", "RefuseStatus",
	} {
		if strings.Count(err.Error(), "authtest: Config."+name) != 1 {
			t.Errorf("%s is not reported once:\n%v", name, err)
		}
	}
	for _, c := range []authtest.Config{
		{RefreshIn: authtest.InAccess, TokenAtRefresh: authtest.Forbidden},
		{RefreshIn: authtest.InAccess, NoLoginToken: true},
	} {
		if _, err := authtest.Start(c); err == nil {
			t.Errorf("%+v: it started", c)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	for _, memory := range []bool{false, true} {
		s := authtest.NewServer(t, authtest.Config{InMemory: memory})
		addr := strings.TrimPrefix(s.URL(), "http://")
		if _, err := authtest.Start(authtest.Config{InMemory: memory, Addr: addr}); err == nil {
			t.Errorf("in memory %v: a second server started at the same address", memory)
		}
		s.Close()
		again := authtest.NewServer(t, authtest.Config{InMemory: memory, Addr: addr})
		newClient(t, again).login()
	}
}

func TestNetworks(t *testing.T) {
	for _, c := range []authtest.Config{
		{}, {TLS: true}, {HTTP2: true}, {TLS: true, HTTP2: true}, {AuthApart: true},
	} {
		for _, memory := range []bool{false, true} {
			c.InMemory = memory
			t.Run(fmt.Sprintf("TLS=%v,HTTP2=%v,apart=%v,memory=%v", c.TLS, c.HTTP2, c.AuthApart, memory), func(t *testing.T) {
				s, k := loggedIn(t, c)
				want := "HTTP/1.1"
				if c.HTTP2 {
					want = "HTTP/2.0"
				}
				if r := k.mustGet("/echo", 200); r.doc["proto"] != want {
					t.Errorf("protocol %v, want %s", r.doc["proto"], want)
				}
				k.mustRenew(200)
				s.Fault(authtest.Fault{Kind: authtest.Drop}, authtest.Fault{Kind: authtest.Reset}, authtest.Fault{Kind: authtest.Truncated})
				for range 3 {
					if r, err := k.renew(); err == nil {
						t.Errorf("a fault went unnoticed: %d", r.StatusCode)
					}
				}
				if apart := s.URL() != s.AuthURL(); apart != c.AuthApart {
					t.Errorf("%s and %s", s.URL(), s.AuthURL())
				}
			})
		}
	}
}

func TestAuthApartLeavesNoAuthEndpointsBehind(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{AuthApart: true})
	k.mustGet("/auth/refresh", 404)
	resp, err := k.http.Get(s.AuthURL() + "/me")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	k.expect("API at the auth address", resp.StatusCode, 404)
}

func TestDelays(t *testing.T) {
	inBubble(t, authtest.Config{RefreshDelay: 20 * time.Second, APIDelay: time.Second}, func(s *authtest.Server, k *client) {
		start := time.Now()
		k.mustRenew(200)
		took := func(what string, want time.Duration) {
			t.Helper()
			if d := time.Since(start); d != want {
				t.Errorf("%s took %v, want %v", what, d, want)
			}
			start = time.Now()
		}
		took("a refresh", 20*time.Second)
		k.mustGet("/me", 200)
		took("an API request", time.Second)
		k.mustGet("/slow?for=2s", 200)
		took("a slow one", 3*time.Second)
		s.Change(func(c *authtest.Config) { c.RefreshDelay, c.APIDelay = 0, 0 })
		k.mustRenew(200)
		k.mustGet("/me", 200)
		took("after the change", 0)
	})
}

func TestTheAPIChecksTokensOnArrival(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		var wg sync.WaitGroup
		wg.Go(func() { k.mustGet("/slow?for=1m", 200) })
		synctest.Wait()
		s.RevokeAccess()
		start := time.Now()
		wg.Go(func() { k.mustGet("/slow?for=1h", 401) })
		wg.Wait()
		if took := time.Since(start); took != time.Hour {
			t.Errorf("the late 401 came after %v", took)
		}
	})
}

func TestChangeKeepsHowTheServerListens(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{})
	s.Change(func(c *authtest.Config) {
		*c = authtest.Config{TLS: true, InMemory: true, AuthApart: true, Buttons: true, TokenIn: authtest.InHeader}
	})
	fresh := newClient(t, s)
	r := fresh.login()
	if r.Header.Get("X-Access-Token") == "" || strings.Contains(r.Header.Get("Set-Cookie"), "Secure") {
		t.Error("where the token travels did not change, or TLS did")
	}
	k.mustRenew(200)
	defer func() {
		if recover() == nil {
			t.Error("a mistake was taken")
		}
	}()
	s.Change(func(c *authtest.Config) { c.AccessTTL = -1 })
}

func TestConcurrentRefreshesAreCounted(t *testing.T) {
	inBubble(t, authtest.Config{RefreshDelay: time.Second}, func(s *authtest.Server, k *client) {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				other := newClient(k.t, s)
				other.login()
				other.mustRenew(200)
			})
		}
		wg.Wait()
		n := s.Counters()
		k.expect("at one time", n.ConcurrentRefreshes, 50)
		k.expect("refreshes", n.Refreshes, 50)
		k.expect("sessions", len(s.Sessions()), 51)
		k.mustRenew(200)
		k.expect("at one time, still", s.Counters().ConcurrentRefreshes, 50)
	})
}

func TestOneUseMeansOneUse(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		cookie := k.cookie("refresh_token")
		statuses := make(chan int, 100)
		var wg sync.WaitGroup
		for range cap(statuses) {
			wg.Go(func() {
				other := newClient(k.t, s)
				statuses <- other.presentAgain(cookie).StatusCode
			})
		}
		wg.Wait()
		close(statuses)
		ok := 0
		for status := range statuses {
			if status == 200 {
				ok++
			}
		}
		k.expect("of a hundred at one time, succeeded", ok, 1)
		k.expect("reuses", s.Counters().Reuses, 1) // the session is over for the others
		k.expect("sessions", len(s.Sessions()), 0)
	})
}

func TestUpgrade(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{})
	req, err := http.NewRequest("GET", s.URL()+"/upgrade", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + k.access}, "Connection": {"Upgrade"}, "Upgrade": {"echo"}}
	resp, err := k.http.Do(req)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	conn := resp.Body.(io.ReadWriteCloser)
	defer conn.Close()
	fmt.Fprintln(conn, "hello")
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "hello\n" || err != nil {
		t.Errorf("echo: %q %v", line, err)
	}
	s.Close() // ends the upgraded connection too
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes after Close", n)
	}
}

func TestUpgradeHasToBeAskedFor(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		_, k := loggedIn(t, authtest.Config{HTTP2: http2})
		k.mustGet("/upgrade", 426)
	}
}

func TestStreamArrivesEventByEvent(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		req, err := http.NewRequest("GET", s.URL()+"/stream?events=1000&every=1m", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+k.access)
		resp, err := k.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		start := time.Now()
		if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || time.Since(start) > time.Minute {
			t.Errorf("the first event after %v: %v", time.Since(start), err)
		}
	})
}

func TestStrangersDoNotTrustTheCertificate(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{TLS: true})
	transport := &http.Transport{TLSClientConfig: &tls.Config{}}
	defer transport.CloseIdleConnections()
	if resp, err := (&http.Client{Transport: transport}).Get(s.URL()); err == nil {
		resp.Body.Close()
		t.Error("a client without the kit's roots connected")
	}
}
