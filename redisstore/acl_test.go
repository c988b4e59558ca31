package redisstore

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// rights is what the README says that a user of the Store needs.
const rights = "~silentrefresh:* &silentrefresh:* -@all +@connection +subscribe +publish " +
	"+evalsha +eval +hmget +hget +hset +get +set +pexpire +pttl +del"

func TestRightsInTheREADMEAreEnough(t *testing.T) {
	addr := os.Getenv("REDIS_ADDR")
	if addr == "" {
		t.Skip("only a real Redis has users: set REDIS_ADDR")
	}
	text, err := os.ReadFile("README.md")
	must(t, err)
	if !strings.Contains(string(text), rights) {
		t.Error("the README gives other rights")
	}
	e := realEngine(t, addr)
	user := e.namespace
	own := strings.ReplaceAll(rights, "silentrefresh:", e.namespace+":")
	args := []any{"acl", "setuser", user, "on", "nopass"}
	for _, rule := range strings.Fields(own) {
		args = append(args, rule)
	}
	must(t, e.rdb.Do(t.Context(), args...).Err())
	t.Cleanup(func() { e.rdb.Do(t.Context(), "acl", "deluser", user) })

	open := func() *Store {
		return e.store(func(c *Config) {
			c.Client = e.client(&wire{}, func(o *redis.Options) { o.Username, o.Password = user, "any" })
		})
	}
	a, b := open(), open()
	put(t, a, "k", "value")
	want(t, b, "k", "value")
	release := holding(t, a, "k")
	b.poll = time.Hour
	entered := entering(t, b, "k")
	e.waiting(b, "k")
	release()
	must(t, <-entered)
	a.verify(t.Context())
}
