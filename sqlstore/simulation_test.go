package sqlstore

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/lease"
	"github.com/silentrefresh/silentrefresh/internal/simulation/sim"
	"github.com/silentrefresh/silentrefresh/internal/wall"
	"github.com/silentrefresh/silentrefresh/sqlstore/sqlite"
)

// TestSimulation plays the simulation in internal/simulation with this Store, on real databases. Flags of the simulation
// may be given in the environment variable SIMULATION, such as "-for 2m".
func TestSimulation(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { simulate(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { simulate(t, postgresURL(t)) })
}

func simulate(t *testing.T, where string) {
	seeds := "25"
	if testing.Short() {
		seeds = "5"
	}
	c, err := sim.Parse(append([]string{"-store", "database", "-seeds", seeds}, strings.Fields(os.Getenv("SIMULATION"))...))
	must(t, err)
	c.Out, c.Worker = t.Output(), where
	c.Replay = "SIMULATION='%s' go test -count=1 -run " + t.Name() + " ./sqlstore"
	if failed, err := c.Run(); err != nil || failed {
		t.Errorf("failed: %t, error: %v", failed, err)
	}
}

// simulated is the kind of Store that is in the database at a URL, or in files in a folder.
func simulated(where string) sim.Stores {
	table := "t_" + strings.ToLower(rand.Text()) // of this worker
	return sim.Stores{Lease: defaultLease, New: func() (sim.Shelf, error) {
		if strings.Contains(where, "://") {
			return &simPostgres{url: where, table: table}, nil
		}
		dir, err := os.MkdirTemp(where, "")
		return &simSQLite{path: filepath.Join(dir, "sessions.db")}, err
	}}
}

// clockMark is where the time by the database's clock belongs in a statement.
const clockMark = "{clock}"

// A simEngine runs the statements of one process of the simulation as long as that lives, by the clock that the database
// has there, which is not that of the machine beneath. While a statement is under way, virtual time stands still.
type simEngine struct {
	engine
	p     *sim.Process
	clock func() time.Time
}

func (e *simEngine) row(ctx context.Context, statement string, args, into []any) (found bool, err error) {
	err = e.p.Reach(ctx, func() (err error) {
		now := strconv.FormatInt(e.clock().UnixMilli(), 10)
		found, err = e.engine.row(ctx, strings.ReplaceAll(statement, clockMark, now), args, into)
		return err
	})
	return found, err
}

// A simShelf is what the Stores of a run have in common on either engine.
type simShelf struct {
	stores    []*Store
	databases []func() error // which close them
}

// add makes a Store.
func (h *simShelf) add(e engine, sql statements) *Store {
	s := newStore(Config{Keys: testKeys("one"), Lease: defaultLease}, e, sql)
	h.stores = append(h.stores, s)
	return s
}

// Crash does nothing: the statements of p do not pass any more, and its leases end by themselves.
func (h *simShelf) Crash(*sim.Process) {}

func (h *simShelf) Close() error {
	var failed error
	for _, s := range h.stores {
		failed = errors.Join(failed, s.Close())
	}
	for _, closeIt := range h.databases {
		failed = errors.Join(failed, closeIt())
	}
	return failed
}

// simSQLite is a file on the laptop, whose wall clock is the database's.
type simSQLite struct {
	simShelf
	path string
}

func (h *simSQLite) Open(p *sim.Process) (silentrefresh.Store, error) {
	db, err := sqlite.Open(h.path)
	if err != nil {
		return nil, err
	}
	h.databases = append(h.databases, db.Close)
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("PRAGMA synchronous = OFF"); err != nil { // the power does not fail here
		return nil, err
	}
	d := sqliteDialect
	d.now = clockMark
	sql := newStatements(defaultTable, d)
	return h.add(&looking{simEngine{&onSQLite{db: db}, p, wall.Now}, sql.turn}, sql), nil
}

func (h *simSQLite) Close() error {
	return errors.Join(h.simShelf.Close(), os.RemoveAll(filepath.Dir(h.path)))
}

// A looking engine looks at locks as onSQLite does, as long as its process lives.
type looking struct {
	simEngine
	turn string
}

func (e *looking) listen(ctx context.Context, w *lease.Waiters) error {
	return lookOut(ctx, w, e, e.turn)
}

// simPostgres is a table on a server, which has a clock of its own.
type simPostgres struct {
	simShelf
	url, table string

	mu      sync.Mutex
	waiters []*lease.Waiters // of all processes
}

func (h *simPostgres) Open(p *sim.Process) (silentrefresh.Store, error) {
	c, err := pgxpool.ParseConfig(h.url)
	if err != nil {
		return nil, err
	}
	c.MaxConns = 1
	c.ConnConfig.RuntimeParams["synchronous_commit"] = "off" // the power does not fail here
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		return nil, err
	}
	h.databases = append(h.databases, func() error { pool.Close(); return nil })
	d := postgresDialect
	d.now = clockMark
	sql := newStatements(h.table, d)
	return h.add(&notified{simEngine{&onPostgres{pool: pool, channel: h.table}, p, p.Now}, sql.free, h}, sql), nil
}

// Close leaves the table behind, empty: to make a new one takes longer than most runs.
func (h *simPostgres) Close() error {
	var failed error
	for _, s := range h.stores[:min(1, len(h.stores))] {
		e := s.engine.(*notified).engine // which does not care whether the process lives
		if _, err := e.row(context.Background(), "DELETE FROM "+quoted(h.table), nil, nil); err != nil && !e.noTable(err) {
			failed = err
		}
	}
	return errors.Join(failed, h.simShelf.Close())
}

// A notified engine has no connection that listens, as long as which virtual time would stand still. It hears of a lock
// that is set free all the same. That NOTIFY arrives is tested by storetest, and by the fleet.
type notified struct {
	simEngine
	free  string
	shelf *simPostgres
}

func (e *notified) row(ctx context.Context, statement string, args, into []any) (found bool, err error) {
	found, err = e.simEngine.row(ctx, statement, args, into)
	if found && statement == e.free {
		e.shelf.notify(args[0].(string))
	}
	return found, err
}

func (e *notified) listen(ctx context.Context, w *lease.Waiters) error {
	e.shelf.mu.Lock()
	e.shelf.waiters = append(e.shelf.waiters, w)
	e.shelf.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (h *simPostgres) notify(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.waiters {
		w.Wake(name)
	}
}
