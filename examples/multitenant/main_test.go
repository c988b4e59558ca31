package main

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

func TestRun(t *testing.T) {
	for _, limit := range []int{8, 0} {
		var out strings.Builder
		if err := run(&out, 300, limit, 2*time.Second); err != nil {
			t.Fatalf("limit %d: %v\n%s", limit, err, out.String())
		}
		for _, want := range []string{" 0 failed", afterRestart, "times the mean"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("limit %d: %q is missing:\n%s", limit, want, out.String())
			}
		}
	}
}

func TestVerdict(t *testing.T) {
	for name, spoil := range map[string]func(*platform){
		"too many at a time":  func(p *platform) { p.server.mostRunning.Store(9) },
		"a cookie was reused": func(p *platform) { p.server.reuses.Store(1) },
		"another's token":     func(p *platform) { p.server.wrong.Store(1) },
		"all in one second":   func(p *platform) { p.peaks = map[string]float64{afterLogin: 8} },
		"and later":           func(p *platform) { p.peaks = map[string]float64{afterRestart: 8} },
	} {
		p := &platform{server: newAuthServer(time.Second), limit: 8, out: &strings.Builder{}}
		if err := p.verdict(5_000); err != nil {
			t.Fatal(err)
		}
		if spoil(p); p.verdict(5_000) == nil {
			t.Errorf("%s: the verdict is good", name)
		}
	}
}

func TestCheckRefusesWhatCannotBeRun(t *testing.T) {
	for _, c := range []struct {
		n, limit int
		ttl      time.Duration
		wrong    string
	}{
		{1, 0, 0, ""}, {5_000, 64, time.Second, ""},
		{0, 64, 0, "-n"}, {-5, 64, 0, "-n"}, {1, -1, 0, "-limit"}, {1, 64, -5 * time.Second, "-ttl"}, {1, 64, time.Millisecond, "-ttl"},
	} {
		err := check(c.n, c.limit, c.ttl)
		if (err != nil) != (c.wrong != "") || err != nil && !strings.HasPrefix(err.Error(), c.wrong+" is ") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestRestartDoesNotWaitForASessionThatEnded(t *testing.T) {
	p := &platform{server: newAuthServer(2 * time.Second), store: &silentrefresh.MemoryStore{}}
	defer p.close()
	if err := p.open(2, true); err != nil {
		t.Fatal(err)
	}
	p.server.spent.Delete("user1")
	if err := p.restart(2); err == nil || !strings.Contains(err.Error(), "user1") {
		t.Errorf("the restart gave %v", err)
	}
}

func TestRestartDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{server: newAuthServer(time.Hour), store: &silentrefresh.MemoryStore{}}
		if err := p.open(1, true); err != nil {
			t.Fatal(err)
		}
		p.close()
		away := roundTripper(func(r *http.Request) (*http.Response, error) {
			return response(r, http.StatusServiceUnavailable, "", nil), nil
		})
		c, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Name: "user0", Base: away, Store: p.store})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := awaitToken(c, time.Now().Add(patience)); err == nil || !strings.Contains(err.Error(), "user0") {
			t.Errorf("waiting gave %v", err)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRaiseKeepsTheMost(t *testing.T) {
	var most atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range int64(1_000) {
				raise(&most, n*8+int64(i))
			}
		})
	}
	all.Wait()
	if most.Load() != 7_999 {
		t.Errorf("%d, want 7999", most.Load())
	}
}
