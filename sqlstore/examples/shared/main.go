// Command shared shows one login that several processes share through a SQLite file: it logs in once and starts
// workers, which use and renew the session together. It needs nothing, and takes 10 s.
//
//	go run ./sqlstore/examples/shared
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/seal"
	"github.com/silentrefresh/silentrefresh/sqlstore"
	"github.com/silentrefresh/silentrefresh/sqlstore/sqlite"
)

const workers = 4

func main() {
	run := show
	if len(os.Args) == 3 { // a worker
		run = func() error { return work(os.Args[1], os.Args[2]) }
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// open returns a client with the session in the file. In production the first line is
//
//	sqlstore.New(sqlstore.Config{Postgres: pool})
func open(server, file string) (client *silentrefresh.Client, done func(), err error) {
	db, err := sqlite.Open(file)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.New(sqlstore.Config{SQLite: db})
	if err != nil {
		return nil, nil, err
	}
	client, err = silentrefresh.New(silentrefresh.Config{BaseURL: server, Store: store})
	if err != nil {
		return nil, nil, err
	}
	return client, func() { client.Close(); store.Close(); db.Close() }, nil
}

// show is the process that logs in and starts the others.
func show() error {
	server, err := authtest.Start(authtest.Config{AccessTTL: 2 * time.Second})
	if err != nil {
		return err
	}
	defer server.Close()
	dir, err := os.MkdirTemp("", "shared")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "sessions.db")
	os.Setenv(sqlstore.EnvKey, seal.FormatKey(seal.NewKey()))
	client, done, err := open(server.URL(), file)
	if err != nil {
		return err
	}
	err = client.Login(context.Background(), map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword})
	done()
	if err != nil {
		return err
	}
	if err := start(server.URL(), file); err != nil {
		return err
	}
	n := server.Counters()
	fmt.Printf("%d processes, %d requests: %d login, %d refreshes, %d spent twice\n", workers, n.API, n.Logins, n.Refreshes, n.Reuses)
	return nil
}

// start starts the workers and waits for them.
func start(server, file string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	failed := make(chan error, workers)
	for range workers {
		all.Go(func() {
			cmd := exec.Command(self, server, file)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			failed <- cmd.Run()
		})
	}
	all.Wait()
	for range workers {
		if err := <-failed; err != nil {
			return fmt.Errorf("a worker failed: %w", err)
		}
	}
	return nil
}

// work is a worker: it sends requests for 8 s, while the token ends several times.
func work(server, file string) error {
	client, done, err := open(server, file)
	if err != nil {
		return err
	}
	defer done()
	for range 80 {
		resp, err := client.HTTPClient().Get(server + "/me")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the API returned %s", resp.Status)
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Printf("process %d: 80 requests, session version %d\n", os.Getpid(), client.Status().Version)
	return nil
}
