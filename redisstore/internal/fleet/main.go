// Command fleet shows what package redisstore promises, with real processes, a real redis-server and a strict auth
// server: many replicas on one login, while leaders die, Redis restarts, is away, or forgets.
//
//	go run ./redisstore/internal/fleet              about two minutes
//	go run ./redisstore/internal/fleet -short       less than a minute
//	go run ./redisstore/internal/fleet away lost    some of the scenes
//
// It needs redis-server in PATH, and exits 1 if a promise was broken.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A scene is one thing that happens to a fleet.
type scene struct {
	name  string
	about string
	play  func(*stage) error
}

var scenes = []scene{
	{"steady", "nothing happens; then all access tokens are revoked at once", steady},
	{"killed", "the leader is killed in the middle of a refresh", killed},
	{"stopped", "the leader is stopped in the middle of a refresh, and goes on when another has taken over", stopped},
	{"restart", "Redis is killed and starts again with its append-only file", restart},
	{"away", "Redis is away while a refresh is due", away},
	{"lost", "Redis comes back without its last write", lost},
	{"ended", "the auth server ends the session, and the replicas have credentials", ended},
}

func main() {
	redis.SetLogger(silence{})
	if os.Getenv(replicaEnv) != "" {
		os.Exit(replicaMain())
	}
	o := options{replicas: 50, steady: time.Minute, ttl: 4 * time.Second, away: 10 * time.Second}
	short := flag.Bool("short", false, "20 replicas and shorter scenes")
	flag.Usage = usage
	flag.Parse()
	if *short {
		o = shortOptions
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: fleet [-short] [scene ...]")
	for _, s := range scenes {
		fmt.Fprintf(os.Stderr, "  %-8s  %s\n", s.name, s.about)
	}
}

// options are the sizes of the show.
type options struct {
	replicas int
	steady   time.Duration // how long nothing happens
	ttl      time.Duration // of access tokens meanwhile
	away     time.Duration // how long Redis is away
	slack    time.Duration // that a machine which does something else as well is given
}

var shortOptions = options{replicas: 20, steady: 8 * time.Second, ttl: 4 * time.Second, away: 3 * time.Second}

// run plays the scenes that names lists, or all.
func run(ctx context.Context, out io.Writer, o options, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(scenes, func(s scene) bool { return s.name == name }) {
			return fmt.Errorf("there is no scene %q", name)
		}
	}
	var broken []string
	for _, sc := range scenes {
		if len(names) > 0 && !slices.Contains(names, sc.name) {
			continue
		}
		start := time.Now()
		fmt.Fprintf(out, "%s: %s\n", sc.name, sc.about)
		kept, err := perform(ctx, out, o, sc)
		if err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		if !kept {
			broken = append(broken, sc.name)
		}
		fmt.Fprintf(out, "  took %.1f s\n\n", time.Since(start).Seconds())
	}
	if len(broken) > 0 {
		return fmt.Errorf("promises were broken in %s", strings.Join(broken, ", "))
	}
	return nil
}

func perform(ctx context.Context, out io.Writer, o options, sc scene) (kept bool, err error) {
	s, err := newStage(ctx, out, o)
	if err != nil {
		return false, err
	}
	defer s.close()
	if err := sc.play(s); err != nil {
		return false, err
	}
	return !s.broken, nil
}
