package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	driver "modernc.org/sqlite"

	"github.com/silentrefresh/silentrefresh/sqlstore"
	"github.com/silentrefresh/silentrefresh/sqlstore/sqlite"
)

// A sqliteFile is an engine without a server: a file that the replicas share. What takes it away is another process with
// the lock of its writers, as a VACUUM has it, a backup or a batch of somebody's own; and what a crash leaves is half a
// transaction. Those who read go on, and whoever has to write waits.
//
// The file is not moved away or removed: processes that have it open would not notice, as of any file.
type sqliteFile struct {
	path   string
	holder *exec.Cmd // who has the lock
}

func newSQLiteFile(_ context.Context, dir string) (engine, error) {
	return &sqliteFile{path: filepath.Join(dir, "sessions.db")}, nil
}

// start kills whoever has the lock, in the middle of a transaction.
func (f *sqliteFile) start(context.Context) error {
	kill(f.holder)
	f.holder = nil
	return nil
}

// takeAway starts a process, and returns when that has the lock and has written.
func (f *sqliteFile) takeAway(context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	f.holder = exec.Command(self)
	f.holder.Env = append(os.Environ(), holderEnv+"="+f.path)
	f.holder.Stderr = os.Stderr
	if _, err := f.holder.StdinPipe(); err != nil { // it ends when we do
		return err
	}
	out, err := f.holder.StdoutPipe()
	if err != nil {
		return err
	}
	if err := f.holder.Start(); err != nil {
		return err
	}
	if said, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return fmt.Errorf("the process that was to take the file's lock said %q: %w", said, err)
	}
	return nil
}

func (f *sqliteFile) close()          { kill(f.holder) }
func (f *sqliteFile) address() string { return f.path }

func (f *sqliteFile) record(ctx context.Context) (id string, err error) {
	db, err := sqlite.Open(f.path)
	if err != nil {
		return "", err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, "SELECT id FROM silentrefresh_sessions").Scan(&id)
	return id, err
}

// holderEnv makes a process one that has the lock of the file that it names.
const holderEnv = "FLEET_HOLDER"

// holderMain is the whole life of such a process: until it is killed, or its standard input ends.
func holderMain() int {
	if err := hold(os.Getenv(holderEnv)); err != nil {
		fmt.Fprintln(os.Stderr, "holder:", err)
		return 1
	}
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// halfDone destroys all sessions, and has so much more to write that it does not fit into memory.
var halfDone = []string{
	"PRAGMA cache_size = 10",
	"BEGIN IMMEDIATE",
	"DELETE FROM silentrefresh_sessions",
	"CREATE TABLE other AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT i, randomblob(1000) FROM n",
}

// hold begins a transaction, and leaves it half in the log.
func hold(path string) error {
	db, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	for _, statement := range halfDone {
		if _, err := conn.ExecContext(context.Background(), statement); err != nil {
			return err
		}
	}
	log, err := os.Stat(path + "-wal")
	if err == nil && log.Size() < 500_000 {
		err = errors.New("half a transaction would be in memory, not in the log")
	}
	return err
}

// beforeCommit has a function called in the middle of each write of this process, which has the file's lock then.
func beforeCommit(call func()) {
	driver.RegisterConnectionHook(func(conn driver.ExecQuerierContext, _ string) error {
		conn.(driver.HookRegisterer).RegisterCommitHook(func() int32 {
			call()
			return 0 // it may go on
		})
		return nil
	})
}

// A fileStore is a store with connections of its own.
type fileStore struct {
	*sqlstore.Store
	db *sql.DB
}

func openSQLite(address string, _ func()) (store, error) {
	db, err := sqlite.Open(address)
	if err != nil {
		return nil, err
	}
	s, err := sqlstore.New(sqlstore.Config{SQLite: db, Lease: lease})
	if err != nil {
		db.Close()
		return nil, err
	}
	return fileStore{s, db}, nil
}

// Close ends the connections too.
func (f fileStore) Close() error { return errors.Join(f.Store.Close(), f.db.Close()) }
