package redisstore

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A pair is a primary and a replica that is promoted, and all who are told so.
type pair struct {
	*engine
	primary, replica *redis.Client
	promoted         atomic.Bool
}

func newPair(t *testing.T) *pair {
	addrs := []string{startServer(t), startServer(t)}
	p := &pair{primary: redis.NewClient(&redis.Options{Addr: addrs[0]}), replica: redis.NewClient(&redis.Options{Addr: addrs[1]})}
	t.Cleanup(func() { p.primary.Close(); p.replica.Close() })
	p.engine = newEngine(t, func() (net.Conn, error) {
		if p.promoted.Load() {
			return net.Dial("tcp", addrs[1])
		}
		return net.Dial("tcp", addrs[0])
	}, time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	eventually(t, ctx, "the two to start", func() error { return errors.Join(p.primary.Ping(ctx).Err(), p.replica.Ping(ctx).Err()) })
	host, port, err := net.SplitHostPort(addrs[0])
	must(t, err)
	must(t, p.replica.ReplicaOf(ctx, host, port).Err())
	return p
}

// caughtUp waits until the replica has what the primary has.
func (p *pair) caughtUp(s *Store, key string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	record := s.names(key).record
	eventually(p.t, ctx, "the replica", func() error {
		if id := p.replica.HGet(ctx, record, "id").Val(); id == "" || id != p.primary.HGet(ctx, record, "id").Val() {
			return errors.New("it lags behind")
		}
		return nil
	})
}

// TestF102_APromotedReplicaWithAnOlderRecord: whoever has seen what it lacks puts that back, however many saves it is; but
// not over what others have saved on it meanwhile.
func TestF102_APromotedReplicaWithAnOlderRecord(t *testing.T) {
	for what, meanwhile := range map[string]string{"put back": "", "not put back": "after the loss"} {
		t.Run(what, func(t *testing.T) {
			p := newPair(t)
			var seen losses
			old, nextOne := &wire{}, &wire{}
			a, b := p.wired(old, seen.into), p.wired(nextOne, seen.into)
			put(t, a, "k", "first")
			want(t, b, "k", "first")
			p.caughtUp(a, "k")
			must(t, p.replica.ReplicaOf(t.Context(), "NO", "ONE").Err()) // from now on it lags behind
			for _, value := range []string{"second", "third", "fourth"} {
				put(t, a, "k", value)
			}
			p.promoted.Store(true)
			nextOne.set(true)
			nextOne.set(false)
			newest := "fourth"
			if meanwhile != "" { // while a is cut off
				put(t, b, "k", meanwhile)
				newest = meanwhile
			}
			old.set(true)
			old.set(false)
			want(t, a, "k", newest)
			want(t, b, "k", newest)
			if restored := seen.count() > 0; restored != (meanwhile == "") {
				t.Errorf("reported %+v", seen.all)
			}
			put(t, b, "k", "and on")
			want(t, a, "k", "and on")
		})
	}
}
