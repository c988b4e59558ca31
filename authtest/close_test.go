package authtest_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestCloseEndsEverything(t *testing.T) {
	for _, c := range []authtest.Config{{}, {TLS: true, HTTP2: true}, {InMemory: true}, {AuthApart: true}} {
		s, k := loggedIn(t, c)
		s.Fault(authtest.Fault{Kind: authtest.Hang})
		s.DownFor(authtest.Unavailable, time.Hour)
		s.Up()
		var wg sync.WaitGroup
		wg.Go(func() { k.renew() })
		wg.Go(func() { k.api("GET", "/slow?for=1h", "") })
		wg.Go(func() { k.api("GET", "/stream?events=1000&every=1h", "") })
		for n := s.Counters(); n.Hanging < 1 || n.API < 2; n = s.Counters() {
			runtime.Gosched()
		}
		s.Close()
		s.Close()
		wg.Wait()
		if _, err := k.renew(); err == nil {
			t.Errorf("%+v: it responds after Close", c)
		}
	}
	noneLeft(t)
}

// noneLeft waits until no goroutine of the kit is left.
func noneLeft(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left := 0
		for _, stack := range strings.Split(string(stacks), "\n\n") {
			if strings.Contains(stack, "/authtest.(") || strings.Contains(stack, "/memnet.(") || strings.Contains(stack, "net/http.(") {
				left++
			}
		}
		if left == 0 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%d goroutines are left:\n%s", left, stacks)
		}
		runtime.Gosched()
	}
}

func TestShutdownLetsRequestsEnd(t *testing.T) {
	inBubble(t, authtest.Config{}, func(s *authtest.Server, k *client) {
		responded := make(chan int)
		go func() {
			r, _ := k.api("GET", "/slow?for=3s", "")
			responded <- status(r)
		}()
		synctest.Wait()
		down := make(chan error)
		go func() { down <- s.Shutdown(context.Background()) }()
		k.expect("response", <-responded, 200)
		if err := <-down; err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	inBubble(t, authtest.Config{AuthApart: true}, func(s *authtest.Server, k *client) {
		s.Fault(authtest.Fault{Kind: authtest.Hang})
		go k.renew()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err == nil {
			t.Error("it says that all requests ended")
		}
	})
}
