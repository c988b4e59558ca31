//go:build !windows

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/seal"
)

// disk: a clear error each, nothing spent, nothing overwritten.
func disk(st *stage) {
	l := st.login(filepath.Join(st.dir, "session"), authtest.Config{}, nil)
	defer l.server.Close()
	l.truncated()
	l.changed("another version", func(b []byte) { b[4]++ }, "another version")
	l.changed("one bit", func(b []byte) { b[len(b)-1] ^= 1 }, "damaged")
	l.rekeyed("another key", seal.FormatKey(seal.NewKey()))
	l.rekeyed("no key", "")
	l.removed()
	st.act(func(*stage) { st.noRoom("full", "free some space", func(dir string) { st.fill(dir) }) })
	st.act(func(*stage) { st.noRoom("read-only", "can be written", st.readOnly) })
}

// impatient settings fail soon where waiting does not help.
var impatient = map[string]any{"max_wait": "500ms"}

// truncated cuts the record at every byte.
func (l *login) truncated() {
	file := l.file(".session")
	whole := l.read(file)
	step := pick(l.st, 97, 1)
	tried := 0
	for n := 0; n < len(whole); n += step {
		l.write(file, whole[:n])
		l.refuses("a record cut at a byte", "damaged")
		if !bytes.Equal(l.read(file), whole[:n]) {
			l.st.fail("a record cut at byte %d was overwritten", n)
		}
		tried++
	}
	l.write(file, whole)
	l.serves("a record cut and restored")
	l.st.say("record cut at %d places of %d: %d clear errors", tried, len(whole), tried)
}

// changed changes the record, and expects an error with that word.
func (l *login) changed(what string, change func([]byte), word string) {
	file := l.file(".session")
	whole := l.read(file)
	now := bytes.Clone(whole)
	change(now)
	l.write(file, now)
	l.refuses(what, word)
	if !bytes.Equal(l.read(file), now) {
		l.st.fail("%s: the record was overwritten", what)
	}
	l.write(file, whole)
	l.serves(what)
	l.st.say("%s: a clear error", what)
}

// rekeyed looks for the session with another key.
func (l *login) rekeyed(what, key string) {
	had, record := l.key, l.read(l.file(".session"))
	l.key = key
	l.refuses(what, "key")
	l.key = had
	if !bytes.Equal(l.read(l.file(".session")), record) {
		l.st.fail("%s: the record was overwritten", what)
	}
	l.serves(what)
	l.st.say("%s: a clear error", what)
}

// removed removes the folder under a running process: it says so, and spends nothing.
func (l *login) removed() {
	l.logIn(impatient)
	p := l.proxy()
	defer p.end()
	sessions := filepath.Join(l.dir, "sessions")
	if err := os.Rename(sessions, sessions+".away"); err != nil {
		l.st.fatal("%v", err)
	}
	l.server.RevokeAccess()
	before := l.server.Counters().RefreshCalls
	status, text := p.get("/me")
	l.st.want("refreshes without a folder", l.server.Counters().RefreshCalls-before, 0)
	if status != 503 || !strings.Contains(text, "the folder") {
		l.st.fail("a request without a folder: %d %s", status, text)
	}
	l.st.say("folder removed under a running process: %s", text)
	if err := os.Rename(sessions+".away", sessions); err != nil {
		l.st.fatal("%v", err)
	}
	l.serves("a folder removed and put back")
}

// noRoom is a folder that cannot be written any more: the request that needs a refresh says so.
func (st *stage) noRoom(how, word string, end func(dir string)) {
	dir, unmount := st.mount(how, "256k")
	defer unmount()
	l := st.login(dir, authtest.Config{}, impatient)
	defer l.server.Close()
	end(dir)
	before := l.read(l.file(".session"))
	l.serves("a " + how + " folder, with a valid token")
	l.server.RevokeAccess()
	calls := l.server.Counters().RefreshCalls
	r := l.run("request", "/me")
	st.want("refreshes on a "+how+" disk", l.server.Counters().RefreshCalls-calls, 0)
	if r.code != 22 || !strings.Contains(r.err, word) || !bytes.Equal(l.read(l.file(".session")), before) {
		st.fail("on a %s disk: %s", how, r)
	}
	r = l.run("login", "--base", l.server.URL(), "-d", account)
	if r.code != 1 || !strings.Contains(r.err, "was tried") {
		st.fail("login on a %s disk: %s", how, r)
	}
	st.want("logins on a "+how+" disk", l.server.Counters().LoginCalls, 1)
	st.say("%s: a clear error, nothing spent", how)
}

// refuses expects a request to fail with that word, and nothing to be sent.
func (l *login) refuses(what, word string) {
	before := l.server.Counters()
	r := l.run("request", "/me")
	after := l.server.Counters()
	if r.code != 1 || !strings.Contains(r.err, word) || !strings.Contains(r.err, "why:") {
		l.st.fail("%s: want an error that says %q, got %s", what, word, r)
	}
	if before != after {
		l.st.fail("%s: something was sent", what)
	}
}

func (l *login) serves(what string) {
	if r := l.run("request", "/me"); !r.served() {
		l.st.fail("after %s: %s", what, r)
	}
}

func (l *login) read(file string) []byte {
	b, err := os.ReadFile(file)
	if err != nil {
		l.st.fatal("%v", err)
	}
	return b
}

func (l *login) write(file string, b []byte) {
	if err := os.WriteFile(file, b, 0o600); err != nil {
		l.st.fatal("%v", err)
	}
}

// fill takes all the room there is, and returns the file that does.
func (st *stage) fill(dir string) string {
	file := filepath.Join(dir, "filler")
	f, err := os.Create(file)
	if err != nil {
		st.fatal("%v", err)
	}
	defer f.Close()
	for chunk := make([]byte, 4096); err == nil; {
		_, err = f.Write(chunk)
	}
	return file
}
