package acceptance

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
	"github.com/silentrefresh/silentrefresh/internal/record"
)

// Clients of two processes do everything at once, for a simulated day, on a strict server that fails at random. No
// credential is spent twice, nothing hangs, and the last word is a logout that leaves nothing behind.
func TestChaos(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			var mu = make(chan struct{}, 1)
			r := rand.New(rand.NewPCG(seed, 0))
			roll := func(n int) int { mu <- struct{}{}; defer func() { <-mu }(); return r.IntN(n) }
			as := &fakes.Server{TTL: time.Minute}
			as.Set(func() {
				as.Before = func(ctx context.Context, g auth.Grant) error {
					time.Sleep(time.Duration(roll(300)) * time.Millisecond)
					if g.Kind == auth.KindRefresh && roll(4) == 0 {
						return fakes.Down()
					}
					return nil
				}
			})
			store := &fakes.HookStore{Save: func(b []byte) error {
				// Not after the exchange: what only this process knows, the other one cannot avoid to spend again.
				if r, err := record.Decode(b); err == nil && r != nil && r.Spent() && roll(20) == 0 {
					return errors.New("disk full")
				}
				return nil
			}}
			clients := []*silentrefresh.Client{clientOf(t, as, in(store)), strangerOf(t, as, in(store))}
			var served atomic.Int64
			fakes.Times(12, func(i int) {
				c := clients[i%2]
				for range 200 {
					time.Sleep(time.Duration(roll(60)) * time.Second)
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(roll(3000))*time.Millisecond)
					switch roll(40) {
					case 0:
						c.Logout(ctx)
					case 1, 2:
						c.Login(ctx, nil)
					case 3:
						as.Revoke()
					case 4, 5:
						c.Renew(ctx)
					default:
						if status, err := getCtx(ctx, c); status == 200 && err == nil {
							served.Add(1)
						}
					}
					cancel()
				}
			})
			if _, _, reuses := as.Counts(); reuses != 0 {
				t.Errorf("seed %d: %d reuses", seed, reuses)
			}
			if served.Load() < 500 {
				t.Errorf("seed %d: only %d requests served", seed, served.Load())
			}
			if err := clients[0].Login(context.Background(), nil); err != nil {
				t.Error(err)
			}
			mustGet(t, clients[0])
			if err := clients[0].Logout(context.Background()); err != nil {
				t.Log(err) // the store's mood
			}
			if as.Good() != "" {
				t.Errorf("seed %d: a session is left at the server", seed)
			}
		})
	}
}
