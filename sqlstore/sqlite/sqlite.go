// Package sqlite opens a SQLite file as package sqlstore wants it, with the driver modernc.org/sqlite, which is Go and
// needs no C compiler. It is apart from sqlstore so that programs on PostgreSQL do not carry a SQLite along.
package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite" // the driver
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long a connection waits for one of another process.
const busyTimeout = 10 * time.Second

// settings are those of each connection: waiting for another process instead of failing, on the disk before a save
// returns, and no new file where the one that Open has found is gone.
var settings = url.Values{
	"_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "synchronous(FULL)"},
	"mode":    {"rw"},
}

// connections is how many there are at most. A file has one writer at a time, so more would only queue up there.
const connections = 4

// Open opens the database in the file path, for sqlstore.Config.SQLite. A file that does not exist is created, readable
// by its user alone, in a folder closed to others if that does not exist either. Several processes may have it open,
// on one machine: SQLite does not work over the network.
func Open(path string) (*sql.DB, error) {
	if path == "" || path == ":memory:" {
		return nil, errors.New("sqlite: name a file to keep sessions in; for a store in memory there is silentrefresh.MemoryStore")
	}
	path, err := filepath.Abs(path)
	if err == nil {
		err = create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: open the database: %w", err)
	}
	db, err := sql.Open("sqlite", address(path))
	if err != nil {
		return nil, fmt.Errorf("sqlite: open the database: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := useWAL(db); err != nil {
		return nil, fmt.Errorf("sqlite: open the database: %w", errors.Join(err, db.Close()))
	}
	return db, nil
}

// useWAL has the file written ahead in a log, for readers and a writer at the same time. That holds for every
// connection to come, of any process. The busy timeout does not: two connections that change the mode at once would
// wait for each other, so SQLite lets one of them fail.
func useWAL(db *sql.DB) error {
	for late := time.Now().Add(busyTimeout); ; time.Sleep(time.Millisecond) {
		_, err := db.Exec("PRAGMA journal_mode = WAL")
		var failed *sqlite.Error
		if !errors.As(err, &failed) || failed.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(late) {
			return err
		}
	}
}

// create makes sure that there is a file, with rights that those beside it, which SQLite makes, will have too.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// address is path as a URI, in which SQLite takes nothing in path for a setting.
func address(path string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/...
	}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: settings.Encode()}).String()
}
