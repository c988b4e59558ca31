// Command fleet shows what the modules redisstore and sqlstore promise, with real processes, a real redis-server,
// PostgreSQL or SQLite file, and a strict auth server: many replicas on one login, while leaders die, and while the
// engine restarts, is away, or forgets.
//
//	go run ./internal/fleet                      about two minutes for each engine
//	go run ./internal/fleet -short               about a minute, all engines at once
//	go run ./internal/fleet away lost            some of the scenes
//	go run ./internal/fleet -engine postgres     one engine, whatever else is installed
//
// It needs redis-server in PATH and PostgreSQL installed, and exits 1 if a promise was broken.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/redis/go-redis/v9"
)

// A scene is one thing that happens to a fleet.
type scene struct {
	name  string
	about string
	play  func(*stage) error
	// without has why it is left out, for engines on which it would mean nothing.
	without map[string]string
}

var scenes = []scene{
	{name: "steady", play: steady, about: "nothing happens; then all access tokens are revoked at once"},
	{name: "killed", play: killed, about: "the leader is killed in the middle of a refresh"},
	{name: "stopped", play: stopped, about: "the leader is stopped in the middle of a refresh, and goes on when another has taken over"},
	{name: "writing", play: writing, about: "a replica is stopped in the middle of a write, with the lock of the file, and goes on", without: map[string]string{
		"redis":    "a command is the server's, whatever becomes of who has sent it",
		"postgres": "a statement is the server's, whatever becomes of who has sent it",
	}},
	{name: "restart", play: restart, about: "the engine is killed and starts again"},
	{name: "away", play: away, about: "the engine is away while a refresh is due"},
	{name: "lost", play: lost, about: "the engine comes back without its last write", without: map[string]string{
		"postgres": "what it has confirmed is on its disk, and sqlstore puts nothing back that a standby may lack",
		"sqlite":   "what it has confirmed is on the disk, and there is no other copy that could come in its place",
	}},
	{name: "ended", play: ended, about: "the auth server ends the session, and the replicas have credentials"},
}

func main() {
	redis.SetLogger(silence{})
	playPart()
	o := options{replicas: 50, steady: time.Minute, ttl: 12 * time.Second, away: 10 * time.Second}
	short := flag.Bool("short", false, "20 replicas, shorter scenes, and all engines at once")
	engine := flag.String("engine", "", "redis, postgres or sqlite; all if it is left out")
	flag.Usage = usage
	flag.Parse()
	if *short {
		o = shortOptions
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o, *engine, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// playPart is the whole life of a process that a scene has started. In any other it does nothing.
func playPart() {
	switch {
	case os.Getenv(replicaEnv) != "":
		os.Exit(replicaMain())
	case os.Getenv(holderEnv) != "":
		os.Exit(holderMain())
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: fleet [-short] [-engine redis|postgres|sqlite] [scene ...]")
	flag.PrintDefaults()
	for _, s := range scenes {
		fmt.Fprintf(os.Stderr, "  %-8s  %s\n", s.name, s.about)
	}
}

// options are the sizes of the show.
type options struct {
	replicas int
	steady   time.Duration // how long nothing happens
	ttl      time.Duration // of access tokens meanwhile; a renewal leaves a second, which has to be little of that
	away     time.Duration // how long the engine is away
	slack    time.Duration // that a machine which does something else as well is given
	together bool          // whether a scene is played on all engines at once
}

var shortOptions = options{replicas: 20, steady: 8 * time.Second, ttl: 8 * time.Second, away: 3 * time.Second, slack: time.Second, together: true}
