package acceptance

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// 100,000 logged-in users in one process is what an agent platform has: an idle session must cost little.
func TestAnIdleSessionIsSmall(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector pads what it watches")
	}
	const n, token = 5000, 800
	x := fakes.ExchangeFunc(func() auth.Session {
		now := time.Now()
		return auth.Session{AccessToken: auth.NewSecret(strings.Repeat("x", token)), RefreshToken: auth.NewSecret(strings.Repeat("y", 100)),
			Issued: now, Expires: now.Add(time.Hour)}
	})
	c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Exchanger: x})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	forks := make([]*silentrefresh.Client, n)
	goroutines, before := runtime.NumGoroutine(), heap()
	for i := range forks {
		if forks[i], err = c.Fork(fmt.Sprint("user-", i)); err != nil {
			t.Fatal(err)
		}
		if err := forks[i].Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, most int64) {
		each := (int64(heap())-int64(before))/n - token - 100
		if each > most {
			t.Errorf("%s: %d bytes each beyond the tokens, want at most %d", when, each, most)
		}
		t.Logf("%s: %d bytes each beyond the tokens", when, each)
	}
	check("after the login", 1310)
	for _, f := range forks {
		if err := f.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	check("after a renewal", 1536)
	if more := runtime.NumGoroutine() - goroutines; more > 2 {
		t.Errorf("%d goroutines more for %d idle sessions", more, n)
	}
	for _, f := range forks {
		f.Close()
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
