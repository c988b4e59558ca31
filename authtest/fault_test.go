package authtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestFaultsBeforeTheCommitSpendNothing(t *testing.T) {
	for _, kind := range []authtest.FaultKind{
		authtest.Drop, authtest.Reset, authtest.Status, authtest.HTML, authtest.Garbage, authtest.NoToken,
	} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
				s.Fault(authtest.Fault{Kind: kind})
				k.renew()
				k.expect("refreshes", s.Counters().Refreshes, 0)
				k.mustRenew(200)
				k.expect("refreshes", s.Counters().Refreshes, 1)
				k.mustGet("/me", 200)
			})
		})
	}
}

func TestFaultsAfterTheCommitSpend(t *testing.T) {
	for _, kind := range []authtest.FaultKind{
		authtest.Drop, authtest.Reset, authtest.Status, authtest.HTML, authtest.Garbage, authtest.Truncated,
	} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
				spent := k.cookie("refresh_token")
				s.Fault(authtest.Fault{Kind: kind, Commit: true})
				k.renew()
				k.expect("refreshes", s.Counters().Refreshes, 1)
				k.expect("presented again", k.presentAgain(spent).StatusCode, 401)
				k.expect("reuses", s.Counters().Reuses, 1)
			})
		})
	}
}

func TestGraceMakesUpForALostResponse(t *testing.T) {
	inBubble(t, authtest.Config{Grace: time.Minute}, func(s *authtest.Server, k *client) {
		s.Fault(authtest.Fault{Kind: authtest.Drop, Commit: true})
		if _, err := k.renew(); !errors.Is(err, io.EOF) {
			t.Errorf("dropped: %v", err)
		}
		k.mustRenew(200)
		k.mustRenew(200)
		k.expect("grace uses", s.Counters().GraceUses, 1)
		k.expect("reuses", s.Counters().Reuses, 0)
	})
}

func TestResetIsAReset(t *testing.T) {
	for _, c := range []authtest.Config{{}, {TLS: true}} {
		s, k := loggedIn(t, c)
		s.Fault(authtest.Fault{Kind: authtest.Reset})
		var broken *net.OpError
		if _, err := k.renew(); !errors.As(err, &broken) || errors.Is(err, io.EOF) {
			t.Errorf("TLS %v: %v", c.TLS, err)
		}
	}
}

func TestScriptedResponses(t *testing.T) {
	s, k := loggedIn(t, authtest.Config{})
	s.Fault(
		authtest.Fault{Kind: authtest.Status},
		authtest.Fault{Kind: authtest.Status, Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: "slow down", Times: 2},
		authtest.Fault{Kind: authtest.HTML},
		authtest.Fault{Kind: authtest.Garbage},
		authtest.Fault{Kind: authtest.Status, At: authtest.Login, Status: 502, Header: map[string]string{"Content-Type": "text/html"}},
	)
	if r := k.mustRenew(500); r.body != "Internal Server Error\n" || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("plain status: %q", r.body)
	}
	for range 2 {
		if r := k.mustRenew(429); r.body != "slow down" || r.Header.Get("Retry-After") != "7" {
			t.Errorf("status: %q %v", r.body, r.Header)
		}
	}
	if r := k.mustRenew(200); !strings.HasPrefix(r.body, "<!doctype html>") {
		t.Errorf("page: %q", r.body)
	}
	if r := k.mustRenew(200); json.Valid([]byte(r.body)) {
		t.Errorf("garbage: %q", r.body)
	}
	if r, err := k.call(authtest.Login, credentials); err != nil || r.StatusCode != 502 || r.Header.Get("Content-Type") != "text/html" {
		t.Errorf("login: %d %v", status(r), err)
	}
	k.mustRenew(200)
	s.Fault(authtest.Fault{Kind: authtest.Drop, Times: 5})
	s.ClearFaults()
	k.mustRenew(200)
}

func TestTruncatedBreaksOff(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		s.Fault(authtest.Fault{Kind: authtest.Truncated})
		r, err := k.renew()
		if !errors.Is(err, io.ErrUnexpectedEOF) || status(r) != 200 || r.body == "" {
			t.Errorf("%d %v, %d bytes", status(r), err, len(r.body))
		}
	})
}

func TestHugeResponsesEndWithTheClient(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		s.Fault(authtest.Fault{Kind: authtest.Huge})
		resp, err := k.http.Post(s.URL()+"/auth/refresh", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.CopyN(io.Discard, resp.Body, 10<<20)
		if n != 10<<20 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		resp.Body.Close() // the bubble ends only if the handler does
	})
}

func TestHangUntilReleased(t *testing.T) {
	for _, commit := range []bool{false, true} {
		inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
			s.Fault(authtest.Fault{Kind: authtest.Hang, Commit: commit})
			responded := make(chan int)
			go func() {
				r, _ := k.renew()
				responded <- status(r)
			}()
			synctest.Wait()
			n := s.Counters()
			k.expect("hanging", n.Hanging, 1)
			if (n.Refreshes == 1) != commit {
				t.Errorf("commit %v: %d refreshes", commit, n.Refreshes)
			}
			time.Sleep(time.Hour)
			s.Release()
			k.expect("response", <-responded, 200)
			k.expect("hanging", s.Counters().Hanging, 0)
		})
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		s.Fault(authtest.Fault{Kind: authtest.Hang})
		k.http.Timeout = 30 * time.Second
		if _, err := k.renew(); err == nil {
			t.Error("it responded")
		}
		synctest.Wait()
		k.expect("hanging", s.Counters().Hanging, 0)
		k.expect("refreshes", s.Counters().Refreshes, 0)
		k.mustRenew(200)
	})
}

func TestOddTokens(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		before := k.access
		s.Fault(authtest.Fault{Kind: authtest.NoToken}, authtest.Fault{Kind: authtest.SameToken}, authtest.Fault{Kind: authtest.OtherSubject})
		if r := k.mustRenew(200); r.doc["accessToken"] != nil || r.doc["expiresIn"] != nil || r.Header["Set-Cookie"] != nil {
			t.Errorf("no token: %s", r.body)
		}
		time.Sleep(10 * time.Minute)
		if k.mustRenew(200); k.access != before {
			t.Error("same token: another one came")
		}
		time.Sleep(10 * time.Minute)
		k.mustGet("/me", 200)
		k.mustRenew(200)
		var ours, theirs jwt.MapClaims
		jwt.NewParser().ParseUnverified(before, &ours)
		jwt.NewParser().ParseUnverified(k.access, &theirs)
		if ours["sub"] == theirs["sub"] || theirs["sub"] == nil {
			t.Errorf("other subject: %v", theirs)
		}
	})
}

func TestNoTokenStillWantsACredential(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	s.Fault(authtest.Fault{Kind: authtest.NoToken})
	newClient(t, s).mustRenew(401)
}

func TestMisspeltFaultsPanic(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	for _, f := range []authtest.Fault{{}, {Kind: "dorp"}, {Kind: authtest.Drop, At: "sign-in"}, {Kind: authtest.SameToken, At: authtest.Login}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was taken", f)
				}
			}()
			s.Fault(f)
		}()
	}
}
