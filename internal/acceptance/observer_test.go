package acceptance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

func TestF08_ObserverMayCallBackAndBeSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		var c *silentrefresh.Client
		var kinds []silentrefresh.EventKind
		c = strangerOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Observe = func(ev silentrefresh.Event) {
				kinds = append(kinds, ev.Kind)
				c.Status()
				c.Token(context.Background())
				switch ev.Kind {
				case silentrefresh.EventRenewed:
					c.Logout(context.Background())
				case silentrefresh.EventLoggedOut:
					c.Close()
				}
			}
		})
		if err := c.Login(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Renew(context.Background()); err != nil && !errors.Is(err, silentrefresh.ErrClosed) && !errors.Is(err, silentrefresh.ErrNoSession) {
			t.Fatal(err) // the observer may have been faster
		}
		synctest.Wait()
		if want := []silentrefresh.EventKind{silentrefresh.EventLoggedIn, silentrefresh.EventRenewed, silentrefresh.EventLoggedOut}; fmt.Sprint(kinds) != fmt.Sprint(want) {
			t.Errorf("events %v, want %v in this order", kinds, want)
		}
		if _, err := c.Token(context.Background()); !errors.Is(err, silentrefresh.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// A program that ends can wait until its observer has been told everything.
func TestF08_StatusSaysHowManyEventsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		c := clientOf(t, &fakes.Server{}, func(cfg *silentrefresh.Config) { cfg.Observe = func(silentrefresh.Event) { <-gate } })
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if n := c.Status().EventsWaiting; n != 2 {
			t.Errorf("%d events wait, want those of the login and of the renewal", n)
		}
		close(gate)
		synctest.Wait()
		if n := c.Status().EventsWaiting; n != 0 {
			t.Errorf("%d events wait although the observer was told", n)
		}
	})
}

func TestF08_SlowObserverHoldsUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := &fakes.Server{}
		c := clientOf(t, as, func(cfg *silentrefresh.Config) { cfg.Observe = func(silentrefresh.Event) { time.Sleep(time.Hour) } })
		began := time.Now()
		for range 512 {
			if err := c.Login(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
		if d := time.Since(began); d > 0 {
			t.Errorf("the observer held things up for %v", d)
		}
		if c.Status().Stats.EventsDropped == 0 {
			t.Error("the queue has no bound")
		}
		time.Sleep(1000 * time.Hour) // let it finish
	})
}
