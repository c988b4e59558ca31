package authtest_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/internal/memnet"
)

func TestUnavailable(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		s.DownFor(authtest.Unavailable, time.Minute)
		k.mustRenew(503)
		k.mustGet("/me", 200)
		time.Sleep(time.Minute - time.Nanosecond)
		k.mustRenew(503)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		k.mustRenew(200)
		n := s.Counters()
		k.expect("calls", n.RefreshCalls, 3)
		k.expect("refreshes", n.Refreshes, 1)
	})
}

func TestResetting(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		s.Down(authtest.Resetting)
		if _, err := k.renew(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("refresh: %v", err)
		}
		k.mustGet("/me", 200)
		s.Up()
		k.mustRenew(200)
	})
}

func TestRefusing(t *testing.T) {
	for _, c := range []authtest.Config{
		{}, {InMemory: true}, {AuthApart: true}, {AuthApart: true, InMemory: true}, {TLS: true, HTTP2: true},
	} {
		s, k := loggedIn(t, c)
		s.Down(authtest.Refusing)
		fresh := newClient(t, s) // without open connections
		if _, err := fresh.call(authtest.Login, credentials); !refused(err) {
			t.Errorf("%+v: login: %v", c, err)
		}
		if c.AuthApart {
			fresh.access = k.access
			fresh.mustGet("/me", 200)
		}
		if _, err := k.renew(); err == nil {
			t.Errorf("%+v: an open connection served an auth call", c)
		}
		s.Up()
		fresh.login()
		k.mustRenew(200)
		k.expect("refreshes", s.Counters().Refreshes, 1)
	}
}

func refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func TestOpenConnectionsServeTheAPIWhileRefusing(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		k.mustGet("/me", 200)
		s.DownFor(authtest.Refusing, time.Minute)
		k.mustGet("/me", 200)
		time.Sleep(2 * time.Minute)
		newClient(t, s).login()
	})
}

func TestRefusingWhileConnectionsArrive(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	var arriving sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		arriving.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://")); err == nil {
					conn.Close()
				}
			}
		})
	}
	for range 500 {
		s.Down(authtest.Refusing)
		s.Up()
	}
	close(done)
	arriving.Wait()
	newClient(t, s).login()
}

// squat takes the address of the auth endpoints while they are away, and returns once Up waits for it.
func (k *client) squat() (squatter net.Listener, up chan struct{}) {
	k.t.Helper()
	k.s.Down(authtest.Refusing)
	squatter, err := memnet.Listen(strings.TrimPrefix(k.s.AuthURL(), "http://"))
	if err != nil {
		k.t.Fatal(err)
	}
	up = make(chan struct{})
	go func() {
		k.s.Up()
		close(up)
	}()
	synctest.Wait()
	return squatter, up
}

func TestUpWaitsUntilTheAddressIsFree(t *testing.T) {
	inBubble(t, authtest.Config{AuthApart: true}, func(s *authtest.Server, k *client) {
		squatter, up := k.squat()
		squatter.Close()
		<-up
		k.mustRenew(200)
	})
}

func TestCloseEndsTheWaitForAnAddress(t *testing.T) {
	inBubble(t, authtest.Config{AuthApart: true}, func(s *authtest.Server, k *client) {
		squatter, up := k.squat()
		defer squatter.Close()
		s.Close()
		<-up
	})
}

func TestOutagesReplaceEachOther(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		s.DownFor(authtest.Refusing, time.Minute)
		s.DownFor(authtest.Unavailable, time.Hour)
		time.Sleep(2 * time.Minute) // the first one's end is not the second's
		k.mustRenew(503)
		time.Sleep(time.Hour)
		k.mustRenew(200)
		s.Up()
	})
}

func TestSleepMovesTheServersClock(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		s.DownFor(authtest.Unavailable, 10*time.Minute)
		s.Sleep(4 * time.Minute)
		k.mustRenew(503)
		time.Sleep(5 * time.Minute) // a timer for ten minutes is still running
		k.mustRenew(503)
		s.Sleep(time.Minute)
		k.mustRenew(200)
		k.mustGet("/me", 200)
		s.Sleep(15 * time.Minute)
		k.mustGet("/me", 401)
		k.mustRenew(200)
		date, _ := http.ParseTime(k.mustGet("/me", 200).Header.Get("Date"))
		if ahead := time.Until(date); ahead != 20*time.Minute {
			t.Errorf("after 20 minutes of sleep, Date is ahead by %v", ahead)
		}
		s.Close()
		s.Sleep(time.Hour) // nothing
		again := authtest.NewServer(k.t, authtest.Config{InMemory: true})
		date, _ = http.ParseTime(newClient(k.t, again).login().Header.Get("Date"))
		if ahead := time.Until(date); ahead != 0 {
			t.Errorf("Close did not take sleep back: Date is ahead by %v", ahead)
		}
	})
}

func TestMisspeltOutagePanics(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	s.Down("tired")
}
