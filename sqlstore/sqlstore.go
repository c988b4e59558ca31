// Package sqlstore keeps sessions in a PostgreSQL or SQLite database, for replicas of a service that share them.
//
//	pool, err := pgxpool.New(ctx, "postgres://db/app")
//	...
//	store, err := sqlstore.New(sqlstore.Config{Postgres: pool})
//	...
//	defer store.Close()
//	client, err := silentrefresh.New(silentrefresh.Config{BaseURL: "https://api.example.com", Store: store})
//
// Records are encrypted, here with the key in the environment variable SILENTREFRESH_KEY.
//
// # How a session is locked
//
// The lock is a lease in the session's row: who holds it, and until when by the database's clock. One replica at a
// time renews a session, and its lease while it works; the others are woken by NOTIFY when it is done. An advisory
// lock would be free as soon as its holder's connection breaks, and so after a SIGKILL at once. But it costs a
// connection for as long as it is held, poolers in transaction mode lose it, and a process that was stopped keeps it
// for as long as its connection lives, which may be for ever. A lease holds no connection, neither for its holder
// nor for those who wait, and ends whatever has become of its holder.
//
// The lease only saves work. What keeps a session whole is that every save is a compare-and-set: it writes only where
// the record is the very one that was read, and where nobody else has the lock. Clocks decide how long others wait,
// never what is kept.
package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/silentrefresh/silentrefresh/internal/lease"
	"github.com/silentrefresh/silentrefresh/internal/update"
	"github.com/silentrefresh/silentrefresh/seal"
)

// Config says where and how sessions are kept. One of Postgres and SQLite is required.
type Config struct {
	// Postgres reaches PostgreSQL 13 or later. The Store needs one of its connections at a time, for one statement
	// each, and does not close it. From the first time that it waits for another process, the Store has one
	// connection more, on which it listens; that one is not counted by the pool.
	Postgres *pgxpool.Pool
	// SQLite is a database that package sqlite, beside this one, has opened, or any other with SQLite 3.35 or later
	// whose busy timeout is set. The Store does not close it.
	SQLite *sql.DB
	// Keys are where keys are; nil: in the environment variable EnvKey, which must be set, and SILENTREFRESH_KEY_OLD, which
	// need not. All replicas need the same. Each save encrypts with the first that is available, and the others still open
	// what was saved with them. So a key is changed in three deployments: the new one last, the new one first, the old one gone.
	Keys []seal.Key
	// Table is the name of the table, in lower case, and may begin with a schema and a dot; "":
	// silentrefresh_sessions. Where there is no such table, the first use creates it; see Schema.
	Table string
	// Lease is how long a replica that died or was cut off keeps the others from renewing its session; 0: 10 s.
	// A replica at work renews its lease three times in that time. At least 100 ms, and the same for all replicas.
	Lease time.Duration
}

// EnvKey is the environment variable with the key, unless Config.Keys says otherwise.
const EnvKey = "SILENTREFRESH_KEY"

var envKey = seal.KeyEnv(EnvKey)

const (
	defaultTable = "silentrefresh_sessions"
	defaultLease = 10 * time.Second
	leastLease   = 100 * time.Millisecond
	// saveWithin bounds a save, which the end of the caller's context does not cut short.
	saveWithin = 10 * time.Second
)

// A Store keeps sessions in a database. It implements silentrefresh.Store and is safe for concurrent use. Make one a
// process with New.
type Store struct {
	engine  engine
	sql     statements
	ring    *seal.Ring
	lease   time.Duration
	poll    time.Duration
	locks   update.Locks
	waiters lease.Waiters
	stop    context.CancelFunc
	stopped chan struct{}
}

// New checks c and returns a Store. It does not call the database. Without Config.Keys it fails unless there is a key
// in the environment variable EnvKey: what can't be encrypted can't be saved.
func New(c Config) (*Store, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Keys == nil {
		c.Keys = seal.KeysEnv(EnvKey)
	}
	if c.Table == "" {
		c.Table = defaultTable
	}
	if c.Lease == 0 {
		c.Lease = defaultLease
	}
	if c.Postgres != nil {
		return newStore(c, &onPostgres{pool: c.Postgres, channel: c.Table}, newStatements(c.Table, postgresDialect)), nil
	}
	sql := newStatements(c.Table, sqliteDialect)
	return newStore(c, &onSQLite{db: c.SQLite, turn: sql.turn}, sql), nil
}

// newStore returns a Store on an engine that runs its statements. c is whole.
func newStore(c Config, e engine, sql statements) *Store {
	ctx, stop := context.WithCancel(context.Background())
	s := &Store{engine: e, sql: sql, ring: seal.NewRing(c.Keys, nil), lease: c.Lease, poll: pollEvery, stop: stop, stopped: make(chan struct{})}
	go s.listen(ctx)
	return s
}

func (c Config) check() error {
	var wrong []error
	if (c.Postgres == nil) == (c.SQLite == nil) {
		wrong = append(wrong, errors.New("set one of Postgres, to what pgxpool.New returns, and SQLite, to what sqlite.Open returns"))
	}
	if c.Keys != nil && len(c.Keys) == 0 {
		wrong = append(wrong, fmt.Errorf("Keys is empty: name a key, or leave it nil for the one in the environment variable %s", EnvKey))
	}
	if c.Keys == nil {
		if _, err := envKey.Get(context.Background(), false); err != nil {
			wrong = append(wrong, fmt.Errorf("sessions can't be encrypted: %w; set it to what `openssl rand -base64 32` has printed once for all replicas, or name another key in Keys", err))
		}
	}
	if c.Table != "" {
		if err := checkTable(c.Table); err != nil {
			wrong = append(wrong, err)
		}
	}
	if c.Lease != 0 && c.Lease < leastLease {
		wrong = append(wrong, fmt.Errorf("Lease is %v: set it to %v or more, or to 0 for %v", c.Lease, leastLease, defaultLease))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("sqlstore: %w", errors.Join(wrong...))
	}
	return nil
}

// WhenFree calls call, never twice at a time, whenever key's lock was set free, as far as that is heard here, until
// forget is called. See silentrefresh.Store.
func (s *Store) WhenFree(key string, call func()) (forget func()) {
	return s.waiters.Call(nameOf(key), call)
}

// Close stops listening and waits until that has ended. It does not close the database. A closed Store still works;
// it looks twice a second whether a lock that it waits for is free.
func (s *Store) Close() error {
	s.stop()
	<-s.stopped
	return nil
}

// Load returns the record saved last under key: nil if there never was one, empty but not nil after a logout. It
// asks the database each time and waits for no lock.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, _, err := s.look(ctx, nameOf(key))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: read the session from the database: %w", err)
	}
	return s.open(ctx, key, r)
}

// Update holds key's lock in the database around fn, as silentrefresh.Store wants it. It waits for the lock until ctx
// ends, but does not wait for the database: where that cannot be reached, it fails.
//
// The context of fn ends when the lease is lost, with a cause that says why. save works on even then, as it does
// after the end of ctx: it writes only where nobody else has written since old was read, nor has the lock.
func (s *Store) Update(ctx context.Context, key string, fn func(ctx context.Context, old []byte, save func([]byte) error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	unlock, err := s.locks.Lock(ctx, key) // so that of one process, one at a time waits at the database
	if err != nil {
		return fmt.Errorf("sqlstore: lock the session: %w", err)
	}
	defer unlock()
	w := &writer{store: s, ctx: context.WithoutCancel(ctx), key: key, name: nameOf(key), holder: rand.Text()}
	l, found, err := s.acquire(ctx, w.name, w.holder)
	if err != nil {
		return fmt.Errorf("sqlstore: lock the session in the database: %w", err)
	}
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer l.Keep(held, cancel)() // released before held ends
	old, err := s.open(held, key, found)
	if err != nil {
		return err
	}
	if w.sealer, err = s.ring.New(held); err != nil { // nothing should be begun that could not be saved
		return fmt.Errorf("sqlstore: encrypt the session: %w", err)
	}
	w.version, w.base = found.version, []string{found.id}
	return update.Call(held, old, w.save, fn)
}
