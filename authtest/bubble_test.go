package authtest_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

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
