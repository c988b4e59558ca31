package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/silentrefresh/silentrefresh/internal/lease"
)

var sqliteDialect = dialect{
	now:  `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`,
	free: `UPDATE {table} SET holder = '', held_until = {now} WHERE name = $1 AND holder = $2 RETURNING 1`,
}

// onSQLite runs statements on whatever SQLite has been opened with. A statement that writes takes the lock of the file
// when it begins, so that a busy timeout is all that several processes need.
type onSQLite struct {
	db   *sql.DB
	turn string // the statement
}

// row reads all rows, of which there is one at most, because a statement is done, and its error known, at the end.
func (s *onSQLite) row(ctx context.Context, statement string, args, into []any) (found bool, err error) {
	defer func() { err = explained(err) }()
	rows, err := s.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return false, err
		}
		found = true
	}
	return found, rows.Err()
}

// explained says what can be done about a file that another process writes to for longer than the busy timeout.
func explained(err error) error {
	if err == nil || !strings.Contains(err.Error(), "database is locked") {
		return err
	}
	return fmt.Errorf("%w; another process has been writing to the file for long; if it hangs, end it", err)
}

// noTable asks for words, because each driver has errors of its own, with this text of SQLite's.
func (s *onSQLite) noTable(err error) bool { return strings.Contains(err.Error(), "no such table") }

func (s *onSQLite) listen(ctx context.Context, waiters *lease.Waiters) error {
	return lookOut(ctx, waiters, s, s.turn)
}

// lookOut looks with a statement at the locks that somebody waits for, while somebody does.
func lookOut(ctx context.Context, waiters *lease.Waiters, e engine, statement string) error {
	w := watch{wake: waiters.Wake, turn: func(name string) (turn string) {
		_, _ = e.row(ctx, statement, []any{name}, []any{&turn}) // whoever waits looks as well, and sees the error
		return turn
	}}
	for {
		if _, _, err := waiters.Names(ctx); err != nil {
			return err
		}
		if err := lease.Pause(ctx, leastPause, nil); err != nil { // most have their lock by then
			return err
		}
		names, arrived, err := waiters.Names(ctx)
		if err != nil {
			return err
		}
		if err := lease.Pause(ctx, w.look(names)-leastPause, arrived); err != nil {
			return err
		}
	}
}
