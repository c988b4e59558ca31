package sqlstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/silentrefresh/silentrefresh/internal/lease"
)

var postgresDialect = dialect{
	now: `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`,
	free: `WITH freed AS (UPDATE {table} SET holder = '', held_until = {now} WHERE name = $1 AND holder = $2 RETURNING name)
		SELECT 1 FROM freed, LATERAL pg_notify('{channel}', name)`,
}

// againAfter is the pause before a statement that collided is tried again.
const againAfter = 10 * time.Millisecond

// pingAfter is how long the connection may be silent until it is pinged, and then until it is given up.
const pingAfter = 10 * time.Second

// onPostgres runs statements on connections that it has only for the statement. They are prepared without a name and
// in the same round trip, so a pooler may give each of them another connection.
type onPostgres struct {
	pool    *pgxpool.Pool
	channel string
}

func (p *onPostgres) row(ctx context.Context, statement string, args, into []any) (found bool, err error) {
	args = slices.Insert(slices.Clone(args), 0, any(pgx.QueryExecModeExec))
	for {
		err = p.pool.QueryRow(ctx, statement, args...).Scan(into...)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, pgx.ErrNoRows):
			return false, nil
		case !collided(err) || lease.Pause(ctx, lease.Jittered(againAfter), nil) != nil:
			return false, err
		}
	}
}

// collided reports whether a statement has done nothing because another was at the same row. That happens where the
// database's default is an isolation stricter than read committed.
func collided(err error) bool { return codeOf(err) == "40001" }

func (p *onPostgres) noTable(err error) bool { return codeOf(err) == "42P01" }

// codeOf is the SQLSTATE of err.
func codeOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// listen begins when somebody waits for the first time. It has a connection of its own, which the pool makes but does
// not count, so that a pool of one connection is enough.
func (p *onPostgres) listen(ctx context.Context, w *lease.Waiters) error {
	if _, _, err := w.Names(ctx); err != nil {
		return err
	}
	pooled, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack()
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		conn.Close(bounded)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{p.channel}.Sanitize()); err != nil {
		return err
	}
	for {
		if err := hear(ctx, conn, w); err != nil {
			return err
		}
	}
}

// hear waits for one notification, or pings the server if there is none.
func hear(ctx context.Context, conn *pgx.Conn, w *lease.Waiters) error {
	bounded, cancel := context.WithTimeout(ctx, pingAfter)
	defer cancel()
	n, err := conn.WaitForNotification(bounded)
	switch {
	case err == nil:
		w.Wake(n.Payload)
		return nil
	case ctx.Err() == nil && pgconn.Timeout(err):
		bounded, cancel := context.WithTimeout(ctx, pingAfter)
		defer cancel()
		return conn.Ping(bounded)
	}
	return err
}
