package main

import (
	"context"
	"time"

	"github.com/silentrefresh/silentrefresh"
)

// An engine is a server that keeps sessions, and that a scene can end and start again.
type engine interface {
	// start starts it and waits until it responds.
	start(ctx context.Context) error
	// kill ends it as a crash would.
	kill()
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
	create func(ctx context.Context, dir string) (engine, error)
	// open returns a store on the engine at an address. lost is told that the engine had lost a save, where such a
	// store can notice that.
	open func(address string, lost func()) (store, error)
}

var kinds = []kind{
	{"redis", "Redis", newRedisServer, openRedis},
	{"postgres", "PostgreSQL", newPostgresServer, openPostgres},
}

func kindOf(name string) (kind, bool) {
	for _, k := range kinds {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
