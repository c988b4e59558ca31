package authtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestHoursOfRotationInMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, k := loggedIn(t, authtest.Config{InMemory: true})
		for range 4 * 24 {
			k.mustGet("/me", 200)
			time.Sleep(15 * time.Minute)
			k.mustGet("/me", 401)
			k.mustRenew(200)
		}
		n := s.Counters()
		k.expect("refreshes", n.Refreshes, 4*24)
		k.expect("reuses", n.Reuses, 0)
		k.expect("unauthorized", n.APIUnauthorized, 4*24)
	})
}
