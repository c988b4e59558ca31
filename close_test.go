package silentrefresh

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

func TestF09_AnIdleSessionHasNoGoroutineAndCloseEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		before := runtime.NumGoroutine()
		var clients []*Client
		for range 100 {
			clients = append(clients, clientOf(t, as))
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 0 {
			t.Errorf("100 idle sessions have %d goroutines", n)
		}
		for _, c := range clients {
			if err := errors.Join(c.Close(), c.Close()); err != nil {
				t.Error(err)
			}
		}
		calls := as.Count(&as.Calls)
		time.Sleep(24 * time.Hour)
		if as.Count(&as.Calls) != calls {
			t.Error("a closed client refreshed")
		}
		if _, err := get(clients[0]); !errors.Is(err, ErrClosed) {
			t.Errorf("a request after Close: %v", err)
		}
	})
}

func TestF09_CloseWaitsForARefreshToBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{Before: fakes.Slowly(auth.KindRefresh, time.Second)}
		store := &MemoryStore{}
		c := clientOf(t, as, func(cfg *Config) { cfg.Store = store })
		go c.Renew(context.Background())
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		b, _ := store.Load(context.Background(), c.key)
		r, err := record.Decode(b)
		if err != nil || r.Session.RefreshToken.Reveal() != as.Good() || !r.Spending.IsZero() {
			t.Errorf("the refresh that was under way was not saved: %v", err)
		}
	})
}

// What queues for an exchange has not spent anything: Close need not wait for its turn.
func TestF09_CloseCallsOffARefreshThatQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		busy := clientOf(t, as, func(cfg *Config) { cfg.MaxExchanges = 1 })
		queued, err := busy.Fork("queued")
		if err != nil {
			t.Fatal(err)
		}
		if err := queued.Login(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		as.Set(func() { as.Before = fakes.Slowly(auth.KindRefresh, 20*time.Second) })
		go busy.Renew(t.Context())
		synctest.Wait()
		done := make(chan error)
		go func() { done <- queued.Renew(t.Context()) }()
		synctest.Wait()
		began := time.Now()
		queued.Close()
		if err := <-done; !errors.Is(err, ErrClosed) || time.Since(began) > 0 {
			t.Errorf("Close and what queued took %v; %v", time.Since(began), err)
		}
	})
}

// A timer that joins a flight which found no slot comes back by itself, although that flight had no part in it.
func TestATimerThatJoinsABusyFlightComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as)
		seen, gate := c.state.Load().generation, make(chan struct{})
		go c.flight.join(t.Context(), nil, func() landing {
			<-gate
			return landing{flew: true, from: seen, err: errBusy}
		})
		synctest.Wait()
		c.mu.Lock()
		due := *c.state.Load() // as when the timer fires
		due.renewAt = time.Now()
		c.state.Store(&due)
		c.schedule.renewing = true
		c.mu.Unlock()
		go func() {
			defer c.done()
			c.renew(context.Background(), seen, TriggerTimer)
		}()
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if next := c.Status().NextRefresh; next.IsZero() {
			t.Error("nothing will renew the session")
		}
		time.Sleep(time.Minute)
		if _, refreshes, _ := as.Counts(); refreshes != 1 {
			t.Errorf("%d refreshes", refreshes)
		}
	})
}
