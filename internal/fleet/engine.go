package main

import (
	"context"
	"os/exec"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// An engine keeps sessions. A scene can take it away, and give it back.
type engine interface {
	// start makes it available, and waits until it is.
	start(ctx context.Context) error
	// takeAway makes it unavailable until start, as kind.outage says.
	takeAway(ctx context.Context) error
	// close ends it and removes what it has kept.
	close()
	// address is where it is reached.
	address() string
	// record identifies what is stored: it changes with each save.
	record(ctx context.Context) (string, error)
}

// A store is what a replica has, on one of the engines.
type store interface {
	silentrefresh.Store
	Close() error
}

// A kind of engine.
type kind struct {
	name   string
	title  string
	outage string // what taking it away and giving it back means
	create func(ctx context.Context, dir string) (engine, error)
	// open returns a store on the engine at an address. lost is told that the engine had lost a save, where such a
	// store can notice that.
	open func(address string, lost func()) (store, error)
}

var kinds = []kind{
	{"redis", "Redis", "redis-server gets SIGKILL, and starts again", newRedisServer, openRedis},
	{"postgres", "PostgreSQL", "the server ends as in a crash, and starts again", newPostgresServer, openPostgres},
	{"sqlite", "SQLite", "another process has the file's lock and writes, and gets SIGKILL in the middle of its transaction", newSQLiteFile, openSQLite},
}

func kindOf(name string) (kind, bool) {
	for _, k := range kinds {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// kill ends a process, if one was started, as a crash would.
func kill(cmd *exec.Cmd) {
	if cmd != nil && cmd.Process != nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
