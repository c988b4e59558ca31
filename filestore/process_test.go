package filestore

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/seal"
)

// The test binary starts itself in one of these roles, each a process of its own.
var roles = map[string]func(dir string) error{
	"hold":  roleHold,
	"key":   roleKey,
	"save":  roleSave,
	"write": roleWrite,
	"rekey": roleRekey,
}

var kills = flag.Int("kills", 10, "how many writers TestF39_KilledWritersLeaveWholeRecords kills")

const (
	envRole = "FILESTORE_TEST_ROLE"
	envDir  = "FILESTORE_TEST_DIR"
)

func TestMain(m *testing.M) {
	role := os.Getenv(envRole)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := roles[role](os.Getenv(envDir)); err != nil {
		fmt.Fprintln(os.Stderr, role, "failed:", err)
		os.Exit(1)
	}
}

// process is this binary in one of the roles.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
	said  strings.Builder // standard error
}

func start(t *testing.T, role, dir string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0])}
	p.Env = append(os.Environ(), envRole+"="+role, envDir+"="+dir)
	p.Stderr = &p.said
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(out)
	p.lines.Buffer(nil, 1<<20)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	return p
}

// line returns the next line that the process prints.
func (p *process) line(t *testing.T) string {
	t.Helper()
	if !p.lines.Scan() {
		p.Wait()
		t.Fatalf("the process ended: %v %s", p.lines.Err(), p.said.String())
	}
	return p.lines.Text()
}

// kill ends the process at once, whatever it is doing.
func (p *process) kill() {
	p.Process.Kill()
	p.Wait()
}

// roleHold keeps the lock until it is killed.
func roleHold(dir string) error {
	s, err := Open(Config{Dir: dir})
	if err != nil {
		return err
	}
	return s.Update(context.Background(), key, func(context.Context, []byte, func([]byte) error) error {
		fmt.Println("held")
		time.Sleep(time.Hour)
		return nil
	})
}

// TestF36_KilledHolderLeavesNoLock: the lock is the kernel's, and goes with the process.
func TestF36_KilledHolderLeavesNoLock(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "value")
	holder := start(t, "hold", s.dir)
	holder.line(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := save(ctx, s, key, "too early")
	says(t, err, "filestore: lock "+s.Path(key)+lockExt, "another process", context.DeadlineExceeded.Error())

	waiting := make(chan error, 1)
	go func() { waiting <- save(t.Context(), s, key, "after") }()
	holder.kill()
	if err := <-waiting; err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	holds(t, s, key, "after")
	if _, err := os.Stat(s.Path(key) + lockExt); err != nil {
		t.Errorf("the lock file must stay: %v", err)
	}
}

// TestF37_ReadersWaitForNoLock, not for another process either.
func TestF37_ReadersWaitForNoLock(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, key, "value")
	start(t, "hold", s.dir).line(t)
	holds(t, s, key, "value")
	holds(t, open(t, s.dir), key, "value")
	if all, err := s.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("List gave %v, %v", all, err)
	}
	put(t, s, "other", "value") // nor do other records
}

func roleSave(dir string) error {
	s, err := Open(Config{Dir: dir})
	if err != nil {
		return err
	}
	err = save(context.Background(), s, key, "another's")
	fmt.Println("saved")
	return err
}

func roleKey(dir string) error {
	key, err := KeyFile(dir+"/key").Get(context.Background(), true)
	fmt.Println(seal.FormatKey(key))
	return err
}

// TestKeyIsMadeOnce: processes that start at the same moment end up with the same key.
func TestKeyIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	var all []*process
	for range 10 {
		all = append(all, start(t, "key", dir))
	}
	first := all[0].line(t)
	if _, err := seal.ParseKey(first); err != nil {
		t.Fatal(err)
	}
	for _, p := range all[1:] {
		if got := p.line(t); got != first {
			t.Error("two processes have different keys")
		}
	}
}

// roleWrite counts on, with records of any size, and prints each number when it is saved. In between it saves an
// intent, as a refresh does.
func roleWrite(dir string) error {
	s, err := Open(Config{Dir: dir})
	if err != nil {
		return err
	}
	for {
		err := s.Update(context.Background(), key, func(_ context.Context, old []byte, save func([]byte) error) error {
			n, err := parseCount(old)
			if err != nil {
				return err
			}
			if err := save(formatCount(n)); err != nil {
				return err
			}
			if err := save(formatCount(n + 1)); err != nil {
				return err
			}
			fmt.Println(n + 1)
			return nil
		})
		if err != nil {
			return err
		}
		time.Sleep(rand.N(5 * time.Millisecond)) // nobody refreshes again at once
	}
}

// formatCount writes n down many times, so that a torn record shows.
func formatCount(n int) []byte {
	return []byte(strings.Repeat(strconv.Itoa(n)+" ", 1+rand.IntN(20000)))
}

func parseCount(b []byte) (int, error) {
	fields := strings.Fields(string(b))
	if len(fields) == 0 {
		return 0, nil
	}
	for _, f := range fields {
		if f != fields[0] {
			return 0, fmt.Errorf("a torn record: %s and %s", fields[0], f)
		}
	}
	return strconv.Atoi(fields[0])
}

// writers are processes that write the same record, and what they said they had saved.
type writers struct {
	t       *testing.T
	dir     string
	readers sync.WaitGroup
	all     []*process
	last    atomic.Int64 // the highest number said
}

// start returns a process that has saved something.
func (w *writers) start() *process {
	w.t.Helper()
	p, begun := start(w.t, "write", w.dir), make(chan struct{})
	w.all = append(w.all, p)
	w.readers.Go(func() {
		begun := sync.OnceFunc(func() { close(begun) })
		defer begun()
		for p.lines.Scan() {
			begun()
			n, _ := strconv.ParseInt(p.lines.Text(), 10, 64)
			for last := w.last.Load(); n > last && !w.last.CompareAndSwap(last, n); last = w.last.Load() {
			}
		}
	})
	<-begun
	return p
}

// stop kills all that run, and fails the test if one of them had something to complain about.
func (w *writers) stop() {
	for _, p := range w.all {
		p.Process.Kill()
	}
	w.readers.Wait()
	for _, p := range w.all {
		p.Wait()
		if text := p.said.String(); text != "" {
			w.t.Errorf("a writer said %s", text)
		}
	}
}

// TestF39_KilledWritersLeaveWholeRecords kills writers at random instants while others write and read. What a
// writer said is saved is there afterwards.
func TestF39_KilledWritersLeaveWholeRecords(t *testing.T) {
	s := open(t, t.TempDir())
	w := &writers{t: t, dir: s.dir}
	running := []*process{w.start(), w.start(), w.start()}
	for i := range *kills {
		until := time.Now().Add(rand.N(20 * time.Millisecond))
		for time.Now().Before(until) {
			got, err := s.Load(t.Context(), key)
			if _, torn := parseCount(got); got == nil || err != nil || torn != nil {
				t.Fatalf("while others write, nil: %v, %v %v", got == nil, err, torn)
			}
		}
		running[i%3].Process.Kill()
		running[i%3] = w.start()
	}
	w.stop()
	got, err := s.Load(t.Context(), key)
	n, torn := parseCount(got)
	if last := int(w.last.Load()); err != nil || torn != nil || n < last || n > last+1 {
		t.Errorf("the record counts %d, a writer said %d: %v %v", n, last, err, torn)
	}
	put(t, s, key, "the lock is free")
	t.Logf("%d kills, %d records", *kills, n)
}
