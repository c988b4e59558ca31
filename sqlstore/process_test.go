package sqlstore

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/silentrefresh/silentrefresh/sqlstore/sqlite"
)

// holderEnv makes a process a holder: it has its role in JSON.
const holderEnv = "SQLSTORE_TEST_HOLDER"

// A role makes the test's own program a process that holds the lock of session "k".
type role struct {
	URL, Path, Table string
	Lease            time.Duration
}

// holderMain says "held" when it has the lock, and after a line of input what became of its save.
func holderMain() int {
	var r role
	if err := json.Unmarshal([]byte(os.Getenv(holderEnv)), &r); err != nil {
		panic(err)
	}
	s, err := r.open()
	if err != nil {
		panic(err)
	}
	err = s.Update(context.Background(), "k", func(ctx context.Context, _ []byte, save func([]byte) error) error {
		fmt.Println("held")
		fmt.Scanln()
		err := save([]byte("stale"))
		fmt.Println("conflict:", isConflict(err))
		return err
	})
	if err != nil {
		return 1
	}
	return 0
}

func (r role) open() (*Store, error) {
	c := Config{Keys: testKeys("one"), Table: r.Table, Lease: r.Lease}
	var err error
	if r.URL != "" {
		c.Postgres, err = pgxpool.New(context.Background(), r.URL)
	} else {
		c.SQLite, err = sqlite.Open(r.Path)
	}
	if err != nil {
		return nil, err
	}
	return New(c)
}

// A holder is a process that holds the lock.
type holder struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func startHolder(t *testing.T, e *base) *holder {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	text, err := json.Marshal(role{URL: e.url, Path: e.path, Table: e.table, Lease: e.lease})
	must(t, err)
	h := &holder{t: t, cmd: exec.Command(self)}
	h.cmd.Env = append(os.Environ(), holderEnv+"="+string(text))
	h.cmd.Stderr = os.Stderr
	h.in, err = h.cmd.StdinPipe()
	must(t, err)
	out, err := h.cmd.StdoutPipe()
	must(t, err)
	h.out = bufio.NewScanner(out)
	must(t, h.cmd.Start())
	t.Cleanup(func() {
		h.cmd.Process.Kill()
		h.cmd.Wait()
	})
	h.says("held")
	return h
}

func (h *holder) says(want string) {
	h.t.Helper()
	if !h.out.Scan() || h.out.Text() != want {
		h.t.Fatalf("the process said %q, want %q", h.out.Text(), want)
	}
}

func TestF36_KilledHolderCostsOneLease(t *testing.T) {
	onEngines(t, func(t *testing.T, e *base) {
		s := e.store()
		put(t, s, "k", "before")
		h := startHolder(t, e)
		must(t, h.cmd.Process.Kill())
		start := time.Now()
		must(t, <-entering(t, s, "k"))
		if took := time.Since(start); took > 3*e.lease {
			t.Errorf("had the lock after %v, the lease is %v", took, e.lease)
		}
		want(t, s, "k", "before")
	})
}
