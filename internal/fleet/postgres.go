package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/silentrefresh/silentrefresh/internal/pgserver"
	"github.com/silentrefresh/silentrefresh/sqlstore"
)

// A postgresServer is a PostgreSQL of our own, which confirms what is on the disk.
type postgresServer struct{ *pgserver.Server }

func newPostgresServer(ctx context.Context, _ string) (engine, error) {
	s, err := pgserver.New(ctx)
	if err != nil {
		return nil, err
	}
	return postgresServer{s}, nil
}

func (p postgresServer) start(ctx context.Context) error { return p.Start(ctx) }
func (p postgresServer) close()                          { p.Close() }
func (p postgresServer) address() string                 { return p.URL() }

func (p postgresServer) takeAway(context.Context) error {
	p.Kill()
	return nil
}

func (p postgresServer) record(ctx context.Context) (id string, err error) {
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT id FROM silentrefresh_sessions").Scan(&id)
	return id, err
}

// pooledStore is a store with a pool of its own.
type pooledStore struct {
	*sqlstore.Store
	pool *pgxpool.Pool
}

// openPostgres uses the smallest pool there can be, because that has to be enough.
func openPostgres(address string, _ func()) (store, error) {
	c, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	c.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		return nil, err
	}
	s, err := sqlstore.New(sqlstore.Config{Postgres: pool, Lease: lease})
	if err != nil {
		pool.Close()
		return nil, err
	}
	return pooledStore{s, pool}, nil
}

// Close ends the pool too.
func (p pooledStore) Close() error {
	defer p.pool.Close()
	return p.Store.Close()
}
