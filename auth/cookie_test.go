package auth

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

func TestCookieAt(t *testing.T) {
	u := jarURL(t, "https://API.example.com:8443/v1/x")
	created := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		now := wall.Now().UTC()
		for _, tt := range []struct{ in, want Cookie }{
			{Cookie{Name: "a"}, Cookie{Name: "a", Domain: "api.example.com", HostOnly: true, Path: "/", Created: now}},
			{Cookie{Domain: "example.com", Path: "/p", Created: created}, Cookie{Domain: "example.com", Path: "/p", Created: created}},
			{Cookie{Path: "/p"}, Cookie{Domain: "api.example.com", HostOnly: true, Path: "/p", Created: now}},
		} {
			if got := tt.in.At(u); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		}
		if got := cookieHeader(t, NewJar(Cookie{Name: "a", Value: NewSecret("1")}.At(u)), "https://api.example.com/"); got != "a=1" {
			t.Errorf("got %q", got)
		}
	})
}
