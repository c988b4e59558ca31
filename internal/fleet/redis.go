package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/silentrefresh/silentrefresh/redisstore"
)

// A redisServer is a redis-server of our own.
type redisServer struct {
	dir  string
	addr string
	args []string
	cmd  *exec.Cmd
	rdb  *redis.Client
}

// Ways of Redis to keep what it has.
var (
	everyWrite = []string{"--save", "", "--appendonly", "yes", "--appendfsync", "always"}
	whenAsked  = []string{"--save", "", "--appendonly", "no"} // by SAVE
)

var errNoRedis = errors.New("there is no redis-server in PATH; on Debian: apt-get install redis-server")

func newRedisServer(_ context.Context, dir string) (engine, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, errNoRedis
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	addr := l.Addr().String()
	return &redisServer{dir: dir, addr: addr, args: everyWrite, rdb: redis.NewClient(&redis.Options{Addr: addr})}, nil
}

func (r *redisServer) start(ctx context.Context) error {
	_, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		return err
	}
	r.cmd = exec.Command("redis-server", append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", r.dir}, r.args...)...)
	if err := r.cmd.Start(); err != nil {
		return err
	}
	for range 200 {
		if err = r.rdb.Ping(ctx).Err(); err == nil {
			return nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("redis-server does not respond: %w", err)
}

func (r *redisServer) takeAway(context.Context) error {
	kill(r.cmd)
	r.cmd = nil
	return nil
}

func (r *redisServer) close() {
	kill(r.cmd)
	r.rdb.Close()
}

func (r *redisServer) address() string { return r.addr }

func (r *redisServer) record(ctx context.Context) (string, error) {
	keys, err := r.rdb.Keys(ctx, "*:record").Result()
	if err != nil {
		return "", err
	}
	if len(keys) != 1 {
		return "", fmt.Errorf("Redis has %d sessions, not one", len(keys))
	}
	return r.rdb.HGet(ctx, keys[0], "id").Result()
}

// silence is a logger for go-redis, which would repeat for each replica that Redis is away.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func openRedis(address string, lost func()) (store, error) {
	rdb := redis.NewClient(&redis.Options{
		Addr: address, ContextTimeoutEnabled: true,
		DialTimeout: time.Second, ReadTimeout: time.Second, MaxRetries: 1, DialerRetries: 1,
	})
	return redisstore.New(redisstore.Config{Client: rdb, Lease: lease, Lost: func(redisstore.Loss) { lost() }})
}
