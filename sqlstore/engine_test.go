package sqlstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/silentrefresh/silentrefresh/internal/pgserver"
	"github.com/silentrefresh/silentrefresh/internal/simulation/sim"
	"github.com/silentrefresh/silentrefresh/seal"
	"github.com/silentrefresh/silentrefresh/sqlstore/sqlite"
)

// TestMain lets the test's own program be the process that is killed, or the simulation's worker, and ends the server of
// the others.
func TestMain(m *testing.M) {
	if where := sim.Worker(); where != "" {
		sim.Work(simulated(where))
	}
	if os.Getenv(holderEnv) != "" {
		os.Exit(holderMain())
	}
	code := m.Run()
	if server, _ := started(); server != nil {
		server.Close()
	}
	os.Exit(code)
}

// started is the PostgreSQL of all tests here.
var started = sync.OnceValues(func() (*pgserver.Server, error) {
	server, err := pgserver.New(context.Background())
	if err != nil {
		return nil, err
	}
	if err := server.Start(context.Background()); err != nil {
		server.Close()
		return nil, err
	}
	return server, nil
})

func postgresURL(t testing.TB) string {
	t.Helper()
	server, err := started()
	switch {
	case errors.Is(err, pgserver.ErrMissing) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return server.URL()
}

// A base is a database to test on, and a table of its own in it.
type base struct {
	t     testing.TB
	url   string // of PostgreSQL
	path  string // of SQLite
	table string
	lease time.Duration
}

// onEngines runs test on each engine.
func onEngines(t *testing.T, test func(*testing.T, *base)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newPostgres(t)) })
}

func newSQLite(t testing.TB) *base {
	return &base{t: t, path: filepath.Join(t.TempDir(), "folder", "sessions.db"), lease: time.Second}
}

func newPostgres(t testing.TB) *base {
	return &base{t: t, url: postgresURL(t), table: "t_" + strings.ToLower(rand.Text()), lease: time.Second}
}

// store returns a new Store on connections of its own, as another process would have, but no more than one.
func (e *base) store(change ...func(*Config)) *Store {
	e.t.Helper()
	c := Config{Keys: testKeys("one"), Table: e.table, Lease: e.lease}
	if e.url != "" {
		c.Postgres = e.pool()
	} else {
		db, err := sqlite.Open(e.path)
		must(e.t, err)
		db.SetMaxOpenConns(1)
		e.t.Cleanup(func() { db.Close() })
		c.SQLite = db
	}
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	must(e.t, err)
	e.t.Cleanup(func() { s.Close() })
	return s
}

// pool is one of a single connection.
func (e *base) pool(change ...func(*pgxpool.Config)) *pgxpool.Pool {
	e.t.Helper()
	c, err := pgxpool.ParseConfig(e.url)
	must(e.t, err)
	c.MaxConns = 1
	for _, f := range change {
		f(c)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	must(e.t, err)
	e.t.Cleanup(pool.Close)
	return pool
}

// exec changes the table of s, which stands for TABLE in the statement, behind its back.
func (s *Store) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	table := defaultTable
	if p, ok := s.engine.(*onPostgres); ok {
		table = p.channel
	}
	_, err := s.engine.row(context.Background(), strings.ReplaceAll(statement, "TABLE", quoted(table)), args, nil)
	must(t, err)
}

// drop makes key's lock vanish, as it does for a holder that was paused beyond its lease.
func (s *Store) drop(t testing.TB, key string) {
	t.Helper()
	s.exec(t, "UPDATE TABLE SET holder = '', held_until = 0 WHERE name = $1", nameOf(key))
}

// testKeys are the keys of a text each.
func testKeys(texts ...string) []seal.Key {
	var keys []seal.Key
	for _, text := range texts {
		key := sha256.Sum256([]byte(text))
		keys = append(keys, seal.Key{Source: text, Get: func(context.Context, bool) ([]byte, error) { return key[:], nil }})
	}
	return keys
}

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put saves one value.
func put(t testing.TB, s *Store, key, value string) {
	t.Helper()
	must(t, s.Update(t.Context(), key, func(_ context.Context, _ []byte, save func([]byte) error) error {
		return save([]byte(value))
	}))
}

// want checks what is stored.
func want(t testing.TB, s *Store, key, value string) {
	t.Helper()
	got, err := s.Load(t.Context(), key)
	must(t, err)
	if got == nil || string(got) != value {
		t.Fatalf("loaded %q, want %q", got, value)
	}
}

// holding starts an Update that holds key until the function it returns is called, which waits for its end.
func holding(t testing.TB, s *Store, key string) (release func()) {
	t.Helper()
	held, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error {
			close(held)
			<-end
			return nil
		})
	}()
	select {
	case <-held:
	case err := <-ended:
		t.Fatal(err)
	}
	return func() {
		close(end)
		must(t, <-ended)
	}
}

// entering starts an Update that does nothing, and says when it has had the lock and given it back.
func entering(t testing.TB, s *Store, key string) <-chan error {
	done := make(chan error, 1)
	go func() {
		done <- s.Update(t.Context(), key, func(context.Context, []byte, func([]byte) error) error { return nil })
	}()
	return done
}

func isConflict(err error) bool {
	c, ok := errors.AsType[interface {
		error
		Conflict() bool
	}](err)
	return ok && c.Conflict()
}
