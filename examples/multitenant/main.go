// Command multitenant is an agent platform in one process: it acts for many users, each with a session of their
// own at the same server, and keeps all of them logged in with one bound on how many refreshes run at a time.
//
//	go run ./examples/multitenant              5,000 users, about 20 s
//	go run ./examples/multitenant -n 100000    100,000 users, about five minutes
//
// It logs everybody in, lets a lifetime of the tokens pass while requests go on, then restarts: all sessions are
// resumed at once, without a token, from what was stored, and a lifetime passes again. The renewals of each of the two
// lifetimes have to be spread over it.
//
// It prints what that takes, and exits 1 if a request failed, a refresh cookie was used twice, more refreshes ran
// than allowed, or too many came in one second of a lifetime.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

const (
	patience  = 3 * time.Minute // with which tokens are waited for after the restart
	worstPeak = 2.5             // the most refreshes in a second, by the mean
	forAPeak  = 1_000           // users, below which the busiest second is left to chance

	afterLogin   = "a lifetime after the login"
	afterRestart = "a lifetime after the restart"
)

func main() {
	n := flag.Int("n", 5_000, "`users`")
	limit := flag.Int("limit", 64, "refreshes that may run at a time; 0: any number")
	ttl := flag.Duration("ttl", 0, "lifetime of the access tokens; 0: a second for each 1,000 users, at least 8 s")
	flag.Parse()
	if err := check(*n, *limit, *ttl); err != nil {
		fmt.Fprintln(os.Stderr, "multitenant:", err)
		os.Exit(2)
	}
	if *ttl == 0 {
		*ttl = max(8*time.Second, time.Duration(*n/1000)*time.Second)
	}
	if err := run(os.Stdout, *n, *limit, *ttl); err != nil {
		fmt.Fprintln(os.Stderr, "multitenant:", err)
		os.Exit(1)
	}
}

// check refuses what cannot be run.
func check(n, limit int, ttl time.Duration) error {
	switch {
	case n < 1:
		return fmt.Errorf("-n is %d: there has to be a user", n)
	case limit < 0:
		return fmt.Errorf("-limit is %d: want 1 or more, or 0 for no bound", limit)
	case ttl != 0 && ttl < time.Second:
		return fmt.Errorf("-ttl is %v: want 1s or more, or 0 for what suits the number of users", ttl)
	}
	return nil
}

func run(out io.Writer, n, limit int, ttl time.Duration) error {
	server := newAuthServer(ttl)
	p := &platform{server: server, limit: limit, store: &silentrefresh.MemoryStore{}, out: out, peaks: map[string]float64{}}
	fmt.Fprintf(out, "%d users, tokens of %v, at most %d refreshes at a time (0: any number)\n", n, ttl, limit)
	fmt.Fprintf(out, "KB/session is the heap after a garbage collection; 1 to 2 KB of it are the stored record.\n\n")
	fmt.Fprintf(out, "%-34s %9s %9s %11s %10s\n", "", "seconds", "sessions", "KB/session", "goroutines")
	stop := p.traffic()
	defer stop()
	aLifetime := func() error { time.Sleep(ttl); return nil }
	steps := []struct {
		name string
		do   func() error
	}{
		{"everybody logs in", func() error { return p.open(n, true) }},
		{afterLogin, aLifetime},
		{"restart: everybody is resumed", func() error { return p.restart(n) }},
		{afterRestart, aLifetime},
	}
	for _, step := range steps {
		if err := p.measure(step.name, step.do); err != nil {
			return err
		}
	}
	stop()
	p.close()
	return p.verdict(n)
}

// A platform acts for users.
type platform struct {
	server *authServer
	limit  int
	store  silentrefresh.Store
	out    io.Writer

	mu    sync.RWMutex
	users []*silentrefresh.Client

	served, failed atomic.Int64
	slowest        atomic.Int64       // nanoseconds
	peaks          map[string]float64 // the busiest second of each step by the mean
	firstError     atomic.Pointer[error]
}

// open makes one Client, and a Fork of it for each user: they share its settings, its connections and the one
// bound on exchanges.
func (p *platform) open(n int, login bool) error {
	root, err := silentrefresh.New(silentrefresh.Config{
		BaseURL: "https://api.example.com", Name: "user0", Base: p.server, Store: p.store,
		MaxExchanges: p.limit,
		MemoryOnly:   true, // no token is stored, so that a restart has to renew every session
	})
	if err != nil {
		return err
	}
	users := make([]*silentrefresh.Client, n)
	err = inParallel(n, func(i int) (err error) {
		users[i] = root
		if i > 0 {
			if users[i], err = root.Fork(fmt.Sprint("user", i)); err != nil {
				return err
			}
		}
		if login {
			return users[i].Login(context.Background(), credentials{fmt.Sprint("user", i)})
		}
		return nil
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users = users
	return err
}

// restart closes all sessions, takes them up again from the store, and waits until each has a token. The refreshes
// come from the background, no more at a time than allowed, and a few from requests that found no token yet.
func (p *platform) restart(n int) error {
	p.close()
	if err := p.open(n, false); err != nil {
		return err
	}
	deadline := time.Now().Add(patience)
	for _, c := range p.users {
		if err := awaitToken(c, deadline); err != nil {
			return err
		}
	}
	return nil
}

// awaitToken waits until c has a token, or cannot come to one any more.
func awaitToken(c *silentrefresh.Client, deadline time.Time) error {
	for {
		switch s := c.Status(); {
		case s.State == silentrefresh.StateLoggedIn:
			return nil
		case !s.State.Healthy():
			return fmt.Errorf("the session of %s is %q: %w", s.Name, s.State, s.Err)
		case time.Now().After(deadline):
			return fmt.Errorf("%s is still %q %v after the restart; its last failure: %v", s.Name, s.State, patience, s.Err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (p *platform) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.users {
		c.Close()
	}
	p.users = nil
}

// traffic sends requests for random users until stop is called.
func (p *platform) traffic() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				p.request()
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

func (p *platform) request() {
	p.mu.RLock()
	defer p.mu.RUnlock() // a restart waits for requests that run
	if len(p.users) == 0 {
		return
	}
	i := rand.IntN(len(p.users))
	start := time.Now()
	resp, err := p.users[i].HTTPClient().Get(fmt.Sprint("https://api.example.com/user", i))
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("the API returned %s", resp.Status)
		}
	}
	p.served.Add(1)
	if err != nil {
		p.failed.Add(1)
		p.firstError.CompareAndSwap(nil, &err)
	}
	raise(&p.slowest, int64(time.Since(start)))
}

func (p *platform) verdict(n int) error {
	s := p.server
	fmt.Fprintf(p.out, "\n%d requests, %d failed, the slowest took %v; %d refresh cookies used twice\n",
		p.served.Load(), p.failed.Load(), time.Duration(p.slowest.Load()).Round(time.Millisecond), s.reuses.Load())
	switch {
	case p.failed.Load() > 0:
		return fmt.Errorf("a request failed: %w", *p.firstError.Load())
	case s.reuses.Load() > 0:
		return fmt.Errorf("%d refresh cookies were used twice", s.reuses.Load())
	case s.wrong.Load() > 0:
		return fmt.Errorf("%d requests carried another user's token", s.wrong.Load())
	case p.limit > 0 && s.mostRunning.Load() > int64(p.limit):
		return fmt.Errorf("%d refreshes ran at a time, %d are allowed", s.mostRunning.Load(), p.limit)
	case n < forAPeak:
		return nil
	}
	for _, name := range []string{afterLogin, afterRestart} {
		if peak := p.peaks[name]; peak > worstPeak {
			return fmt.Errorf("the busiest second of %s had %.1f times the refreshes of the mean, want at most %.1f", name, peak, worstPeak)
		}
	}
	return nil
}

// inParallel calls f with 0 to n-1 in a few goroutines, and returns the first error.
func inParallel(n int, f func(int) error) error {
	var next atomic.Int64
	var first atomic.Pointer[error]
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && first.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					first.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	all.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}
