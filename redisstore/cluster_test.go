package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestCluster runs on a Redis Cluster of two nodes, with many sessions, so that both have some.
func TestCluster(t *testing.T) {
	first, second := startNode(t), startNode(t)
	join(t, first, second)
	e := newEngine(t, nil, 3*time.Second)
	open := func() *Store {
		rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{first}, ReadOnly: true})
		t.Cleanup(func() { rdb.Close() })
		return e.store(func(c *Config) { c.Client = rdb })
	}
	a, b := open(), open()
	slots := map[string]int{}
	for i := range 20 {
		key := "https://api.example.com|" + strconv.Itoa(i)
		put(t, a, key, "first")
		want(t, b, key, "first")
		put(t, b, key, "second")
		want(t, a, key, "second")
		node, err := a.rdb.(*redis.ClusterClient).MasterForKey(t.Context(), a.names(key).record)
		must(t, err)
		slots[node.Options().Addr]++
	}
	if len(slots) != 2 {
		t.Errorf("the sessions are spread over %d nodes", len(slots))
	}
	release := holding(t, a, "k")
	b.poll = time.Hour
	entered := entering(t, b, "k")
	e.waiting(b, "k")
	release()
	must(t, <-entered)
}

// startNode starts a Redis in cluster mode and returns its address.
func startNode(t *testing.T) string {
	t.Helper()
	return startServer(t, "--cluster-enabled", "yes", "--cluster-port", freePort(t))
}

// startServer starts a Redis and returns its address.
func startServer(t *testing.T, options ...string) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("there is no redis-server in PATH")
	}
	port := freePort(t)
	cmd := exec.CommandContext(t.Context(), path, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0", "--dir", t.TempDir()}, options...)...)
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Wait() }) // killed by the end of the test's context
	return "127.0.0.1:" + port
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	return port
}

// join makes one cluster of two nodes.
func join(t *testing.T, first, second string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a, b := redis.NewClient(&redis.Options{Addr: first}), redis.NewClient(&redis.Options{Addr: second})
	defer a.Close()
	defer b.Close()
	eventually(t, ctx, "the nodes to start", func() error { return errors.Join(a.Ping(ctx).Err(), b.Ping(ctx).Err()) })
	must(t, a.ClusterAddSlotsRange(ctx, 0, 8191).Err())
	must(t, b.ClusterAddSlotsRange(ctx, 8192, 16383).Err())
	bus := field(t, b.Info(ctx, "server").Val(), "tcp_port")
	_, err := a.Do(ctx, "cluster", "meet", "127.0.0.1", bus, busPort(t, b)).Result()
	must(t, err)
	eventually(t, ctx, "the cluster to form", func() error {
		for _, node := range []*redis.Client{a, b} {
			if info := node.ClusterInfo(ctx).Val(); !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:2") {
				return fmt.Errorf("cluster info %q", info)
			}
		}
		return nil
	})
}

func busPort(t *testing.T, node *redis.Client) string {
	port, err := node.ConfigGet(t.Context(), "cluster-port").Result()
	must(t, err)
	return port["cluster-port"]
}

func field(t *testing.T, info, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(info, name+":")
	if !ok {
		t.Fatalf("no field %s", name)
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

func eventually(t *testing.T, ctx context.Context, what string, try func() error) {
	t.Helper()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("waiting for %s: %v", what, err)
		}
	}
}
