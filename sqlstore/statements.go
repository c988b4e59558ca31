package sqlstore

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/lease"
)

// schema has times in milliseconds since 1970, because that is the same in all engines, as is the rest: SQLite takes
// any name for a type.
const schema = `CREATE TABLE IF NOT EXISTS {table} (
	name       TEXT   PRIMARY KEY,          -- of the session
	version    BIGINT NOT NULL DEFAULT 0,   -- counts its saves
	id         TEXT   NOT NULL DEFAULT '',  -- of the last save; '' before the first
	data       BYTEA,                       -- what was saved, encrypted; NULL before the first
	holder     TEXT   NOT NULL DEFAULT '',  -- who has the lock
	held_until BIGINT NOT NULL DEFAULT 0    -- when the holder's lease ends, or when the last one gave it back
)`

// Schema returns the statement that creates table in either engine, for those whose migrations do that; "" is the
// table that Config.Table has by default. It fails where New would.
func Schema(table string) (string, error) {
	if table == "" {
		table = defaultTable
	}
	if err := checkTable(table); err != nil {
		return "", fmt.Errorf("sqlstore: %w", err)
	}
	return schemaOf(table), nil
}

func schemaOf(table string) string { return strings.ReplaceAll(schema, "{table}", quoted(table)) }

var tableForm = regexp.MustCompile(`^([a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]*$`)

// longestTable is what PostgreSQL takes as the name of a channel.
const longestTable = 63

func checkTable(name string) error {
	if len(name) <= longestTable && tableForm.MatchString(name) {
		return nil
	}
	return fmt.Errorf("Table is %q: use up to %d lower-case letters, digits and underscores, after a schema and a dot if need be", name, longestTable)
}

// quoted makes a valid name that is a word of SQL ("user") the name of a table all the same.
func quoted(table string) string { return `"` + strings.ReplaceAll(table, ".", `"."`) + `"` }

// A dialect is where SQL differs.
type dialect struct {
	now  string // milliseconds since 1970, by the database's clock
	free string // the statement that gives a lock back and tells those who wait
}

// statements are those of one table. Each is a transaction of its own, returns one row or none, and says in its
// comment what its parameters are.
type statements struct {
	schema string
	look   string // name
	turn   string // name
	lock   string // name, holder, lease in milliseconds
	renew  string // the same
	free   string // name, holder
	save   string // name, holder, version, id, data; then the ids of which the record must have one are to be added
}

func newStatements(table string, d dialect) statements {
	fill := strings.NewReplacer("{table}", quoted(table), "{now}", d.now, "{channel}", table).Replace
	return statements{
		schema: schemaOf(table),
		look: fill(`SELECT version, id, data, CASE holder WHEN '' THEN 0 ELSE held_until - {now} END
			FROM {table} WHERE name = $1`),
		// It changes whenever the lock is taken or given back.
		turn: fill(`SELECT CASE holder WHEN '' THEN CAST(held_until AS TEXT) ELSE holder END
			FROM {table} WHERE name = $1`),
		// A lease that ends later than any could is from before the clock was set back.
		lock: fill(`INSERT INTO {table} AS t (name, holder, held_until) VALUES ($1, $2, {now} + $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
			WHERE t.holder = '' OR t.held_until <= {now} OR t.held_until > {now} + $3
			RETURNING version, id, data`),
		renew: fill(`UPDATE {table} SET held_until = {now} + $3 WHERE name = $1 AND holder = $2 RETURNING 1`),
		free:  fill(d.free),
		// This is the compare-and-set that everything rests on.
		save: fill(`UPDATE {table} SET version = $3, id = $4, data = $5
			WHERE name = $1 AND holder IN ($2, '') AND id IN (%s) RETURNING 1`),
	}
}

// An engine runs statements.
type engine interface {
	// row runs a statement and scans the row that it returns, if it returns one.
	row(ctx context.Context, statement string, args, into []any) (found bool, err error)
	// noTable reports whether err says that there is no such table.
	noTable(err error) bool
	// listen wakes those among w whose lock was set free, until it fails or ctx ends.
	listen(ctx context.Context, w *lease.Waiters) error
}

// row runs a statement. Where there is no table, it creates one.
func (s *Store) row(ctx context.Context, statement string, args []any, into ...any) (found bool, err error) {
	found, err = s.engine.row(ctx, statement, args, into)
	if err == nil || !s.engine.noTable(err) {
		return found, err
	}
	_, failed := s.engine.row(ctx, s.sql.schema, nil, nil) // it may fail because another process creates it just now
	found, err = s.engine.row(ctx, statement, args, into)
	if err != nil && failed != nil && s.engine.noTable(err) {
		return false, fmt.Errorf("there is no table, and it could not be created: %w; create it with the statement that sqlstore.Schema returns", failed)
	}
	return found, err
}

// look reads the record, and how long its lock is held unless the lease is renewed: not at all if that is 0.
func (s *Store) look(ctx context.Context, name string) (r revision, busy time.Duration, err error) {
	var left int64
	if _, err := s.row(ctx, s.sql.look, []any{name}, &r.version, &r.id, &r.data, &left); err != nil {
		return revision{}, 0, err
	}
	if busy = time.Duration(left) * time.Millisecond; left < 0 || left > s.lease.Milliseconds() {
		busy = 0
	}
	return r, busy, nil
}

// compareAndSet makes r the record where the record's id is one of expected and nobody but holder has the lock.
func (s *Store) compareAndSet(ctx context.Context, name, holder string, r revision, expected []string) (wrote bool, err error) {
	args := []any{name, holder, r.version, r.id, r.data}
	var places []string
	for _, id := range expected {
		args = append(args, id)
		places = append(places, fmt.Sprintf("$%d", len(args)))
	}
	var one int
	return s.row(ctx, fmt.Sprintf(s.sql.save, strings.Join(places, ", ")), args, &one)
}
