package terminal

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal/terminaltest"
)

// TestOf: a file that is no terminal is a pipe, whatever the environment says.
func TestOf(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, w := range []io.Writer{file, &bytes.Buffer{}, nil} {
		s := Of(w, func(string) string { return "xterm-256color" })
		if s.Terminal || s.Live || s.Color || s.Width() != 80 || s.Paint(Red, "x") != "x" {
			t.Errorf("%T is %+v", w, s)
		}
	}
}

// TestEnvironment: what the environment says of a terminal.
func TestEnvironment(t *testing.T) {
	for env, want := range map[string]bool{
		"LANG=en_US.UTF-8": true, "LC_ALL=C LANG=en_US.UTF-8": false, "LC_CTYPE=C.utf8": true, "LANG=POSIX": false,
	} {
		get := func(name string) string {
			for pair := range strings.FieldsSeq(env) {
				if v, ok := strings.CutPrefix(pair, name+"="); ok {
					return v
				}
			}
			return ""
		}
		if got := inUTF8(get); got != want {
			t.Errorf("%s: UTF-8 is %v", env, got)
		}
	}
	if capable("dumb") || !capable("xterm") {
		t.Error("a dumb terminal is capable, or another is not")
	}
}

func TestText(t *testing.T) {
	red := Fixed(80).Paint(Red, "ada")
	for _, c := range []struct {
		got, want any
	}{
		{Columns("ada"), 3}, {Columns(red), 3}, {Columns("日本"), 4}, {Columns("e\u0301"), 1}, {Columns("\xff"), 1},
		{Fixed(80).Cut("abcdef", 6), "abcdef"}, {Fixed(80).Cut("abcdef", 4), "abc…"}, {Fixed(80).Cut("日本語", 4), "日…"},
		{Fixed(80).Cut(red+"bcdef", 4), red + "…"}, {Fixed(80).Cut(Fixed(80).Paint(Red, "abcdef"), 3), "\x1b[31mab…\x1b[0m"},
		{Printable("a\x1b[2Jb\nc\u202ed"), "a[2Jb cd"},
		{Wrap("one two three", 8, "  "), "one two\n  three"},
		{Wrap("  why: one two three four", 12, "       "), "  why: one\n       two\n       three\n       four"},
		{Wrap("https://example.com/very/long next", 10, " "), "https://example.com/very/long\n next"},
		{Wrap("one\ntwo", 80, "   "), "one\n   two"},
		{Wrap("", 80, " "), ""}, {Screen{}.Cut("abcdef", 4), "abc~"},
	} {
		if fmt.Sprint(c.got) != fmt.Sprint(c.want) {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// counting shows the seconds since it was made.
func counting() func(time.Time) []string {
	began := time.Now()
	return func(now time.Time) []string {
		return []string{"waiting", fmt.Sprintf("for %d s", int(now.Sub(began).Seconds()))}
	}
}

// TestLive: the lines count, make way for others, and are gone in the end.
func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e terminaltest.Emulator
		l := NewLive(Fixed(80), &e)
		out := l.Writer(&e)
		sees := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := e.String(); got != want {
				t.Errorf("the terminal shows\n%s\nwant\n%s", got, want)
			}
		}
		l.Show(counting())
		sees("waiting\nfor 0 s")
		time.Sleep(2100 * time.Millisecond)
		sees("waiting\nfor 2 s")
		fmt.Fprintln(out, "something happened")
		sees("something happened\nwaiting\nfor 2 s")
		fmt.Fprint(out, "half a line")
		sees("something happened\nhalf a line")
		time.Sleep(time.Second)
		sees("something happened\nhalf a line")
		fmt.Fprintln(out, ", and the other")
		sees("something happened\nhalf a line, and the other\nwaiting\nfor 3 s")
		l.Hide()
		sees("something happened\nhalf a line, and the other")
		l.Show(counting())
		l.Keep()
		fmt.Fprintln(out, "below")
		sees("something happened\nhalf a line, and the other\nwaiting\nfor 0 s\nbelow")
	})
}

// TestLiveWritesOnlyWhatChanges: a terminal that is recorded, or far away, is not flooded.
func TestLiveWritesOnlyWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e terminaltest.Emulator
		l := NewLive(Fixed(80), &e)
		l.Show(func(time.Time) []string { return []string{"the same"} })
		time.Sleep(time.Hour)
		l.Hide()
		if n := strings.Count(e.Raw(), "the same"); n != 1 {
			t.Errorf("written %d times", n)
		}
	})
}

// TestLiveFits: lines that are too long are cut, so that no line takes two.
func TestLiveFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e terminaltest.Emulator
		l := NewLive(Fixed(20), &e)
		l.Show(func(time.Time) []string { return []string{strings.Repeat("x", 100)} })
		defer l.Hide()
		if got := e.String(); got != strings.Repeat("x", 18)+"…" {
			t.Errorf("the terminal shows %s", got)
		}
	})
}

// TestNoLive: in a pipe there is none, and writers are what they were.
func TestNoLive(t *testing.T) {
	var b bytes.Buffer
	l := NewLive(Screen{Terminal: true}, &b)
	l.Show(func(time.Time) []string { return []string{"never"} })
	fmt.Fprint(l.Writer(&b), "this")
	l.Keep()
	l.Hide()
	if b.String() != "this" {
		t.Errorf("written: %q", b.String())
	}
}

// TestMessages: what people are told fits, and a command to type stays in one line.
func TestMessages(t *testing.T) {
	const said = "silentrefresh: /me was not sent: the session is over\n" +
		"  why: /auth/refresh returned 401 inv\x1b[2Jalid_grant at 12:12:04; the server takes the credential for spent\n" +
		"       and this continues what was said above it\n" +
		"  do:  silentrefresh login --base https://api.example.com --session something\n" +
		"other lines, of whatever kind, stay as they are, however long they may be\n" +
		"  email: "
	var pipe, plain, colored bytes.Buffer
	if w := Messages(Screen{}, &pipe); w != io.Writer(&pipe) {
		t.Error("a pipe is wrapped")
	}
	narrow := Fixed(40)
	fmt.Fprint(Messages(narrow, &colored), said)
	narrow.Color = false
	if n, err := fmt.Fprint(Messages(narrow, &plain), said); n != len(said) || err != nil {
		t.Error(n, err)
	}
	want := `silentrefresh: /me was not sent: the
  session is over
  why: /auth/refresh returned 401
       inv[2Jalid_grant at 12:12:04;
       the server takes the credential
       for spent
       and this continues what was said
       above it
  do:  silentrefresh login --base https://api.example.com --session something
other lines, of whatever kind, stay as they are, however long they may be
  email: `
	if got := plain.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := colored.String(); !strings.HasPrefix(got, "\x1b[1msilentrefresh: \x1b[0m/me") || !strings.Contains(got, "\x1b[36m  do:  \x1b[0m") {
		t.Errorf("in colour %q", got)
	}
	if err := failing(t); err == nil {
		t.Error("a failure to write is hidden")
	}
}

func failing(t *testing.T) error {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
	_, err = fmt.Fprintln(Messages(Fixed(80), w), "x")
	return err
}
