package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// do runs statements on PostgreSQL.
func (e *base) do(statements ...string) {
	e.t.Helper()
	conn, err := pgx.Connect(context.Background(), e.url)
	must(e.t, err)
	defer conn.Close(context.Background())
	for _, s := range statements {
		_, err := conn.Exec(context.Background(), s)
		must(e.t, err)
	}
}

// A user with no more rights than the README lists has all that is needed, where a migration has made the table.
func TestRightsInTheREADMEAreEnough(t *testing.T) {
	e := newPostgres(t)
	const rights = "GRANT SELECT, INSERT, UPDATE ON silentrefresh_sessions TO "
	text, err := os.ReadFile("README.md")
	must(t, err)
	if !strings.Contains(string(text), rights) {
		t.Error("the README gives other rights")
	}
	user := "u" + e.table
	as := func(c *Config) {
		c.Postgres = e.pool(func(c *pgxpool.Config) { c.ConnConfig.User = user })
	}
	e.do("CREATE USER "+user, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	s := e.store(as)
	if _, err := s.Load(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), "sqlstore.Schema") || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("without a table, Load gave %v", err)
	}
	e.do(schemaOf(e.table), strings.ReplaceAll(rights, defaultTable, e.table)+user)
	put(t, s, "k", "value")
	want(t, s, "k", "value")
	e.listening(s)
}

func TestTableInASchema(t *testing.T) {
	e := newPostgres(t)
	e.do("CREATE SCHEMA s" + e.table)
	e.table = "s" + e.table + ".sessions"
	s := e.store()
	put(t, s, "k", "value")
	want(t, e.store(), "k", "value")
	e.listening(s)
}

// Where the database's default is a stricter isolation, statements that collide are tried again.
func TestF34_SerializableDatabase(t *testing.T) {
	e := newPostgres(t)
	e.lease = 10 * time.Second
	strict := func(c *Config) {
		c.Postgres = e.pool(func(c *pgxpool.Config) {
			c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
		})
	}
	s := e.store(strict)
	put(t, s, "k", "0")
	var ended []<-chan error
	for range 16 {
		done, s := make(chan error, 1), e.store(strict)
		go func() { done <- s.Update(t.Context(), "k", addOne) }()
		ended = append(ended, done)
	}
	for _, done := range ended {
		must(t, <-done)
	}
	want(t, s, "k", "16")
}

// An error names the host, and not the password.
func TestUnreachableDatabaseIsSaidWithoutSecrets(t *testing.T) {
	e := &base{t: t, url: "postgres://app:hunter2@127.0.0.1:1/app?sslmode=disable", lease: time.Second}
	s := e.store()
	_, loaded := s.Load(t.Context(), "k")
	updated := s.Update(t.Context(), "k", func(context.Context, []byte, func([]byte) error) error {
		t.Error("fn was called")
		return nil
	})
	for _, err := range []error{loaded, updated} {
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "127.0.0.1:1") {
			t.Errorf("the error is %v", err)
		}
	}
}

// Whoever waits hears again after its connection broke.
func TestF38_BrokenConnectionListensAgain(t *testing.T) {
	e := newPostgres(t)
	s := e.store()
	e.listening(s)
	e.do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN \"" + e.table + "\"%'")
	e.listening(s)
}

// A pooler in transaction mode gives each statement another connection. Nothing is heard through it, so who waits
// looks.
func TestTransactionPooler(t *testing.T) {
	e := newPostgres(t)
	direct := e.store()
	pooled := e.store(func(c *Config) { c.Postgres = e.through(startPooler(t, e.url)) })
	for i := range 10 {
		value := fmt.Sprint(i)
		put(t, pooled, "k", value)
		want(t, direct, "k", value)
		put(t, direct, "k", value+"!")
		want(t, pooled, "k", value+"!")
	}
	release := holding(t, direct, "k")
	entered := entering(t, pooled, "k")
	release()
	must(t, <-entered)
}

func (e *base) through(port uint16) *pgxpool.Pool {
	return e.pool(func(c *pgxpool.Config) { c.ConnConfig.Port, c.MaxConns = port, 4 })
}

// startPooler starts a pgbouncer and returns its port.
func startPooler(t *testing.T, url string) uint16 {
	t.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		t.Skip("there is no pgbouncer in PATH; on Debian: apt-get install pgbouncer")
	}
	server, err := pgx.ParseConfig(url)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dir, err := os.MkdirTemp("", "pgbouncer") // t.TempDir is closed to others, and it does not run as root
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	settings := filepath.Join(dir, "pgbouncer.ini")
	must(t, os.WriteFile(settings, fmt.Appendf(nil, "[databases]\npostgres = host=127.0.0.1 port=%d user=postgres\n[pgbouncer]\n"+
		"listen_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n",
		server.Port, port), 0o644))
	args := []string{settings}
	if os.Geteuid() == 0 {
		args = []string{"-u", "postgres", settings}
	}
	cmd := exec.Command(path, args...)
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 200 {
		var conn net.Conn
		if conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			conn.Close()
			return uint16(port)
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatal(errors.Join(errors.New("pgbouncer does not respond"), err))
	return 0
}
