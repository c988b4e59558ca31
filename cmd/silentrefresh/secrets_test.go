package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestF48_NoSecretsAnywhere: everything is run with the log on, and nothing that it prints holds a secret; nor does
// anything on the disk.
func TestF48_NoSecretsAnywhere(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	b.env["SILENTREFRESH_VERBOSE"] = "1"
	var said strings.Builder
	run := func(args ...string) {
		r := b.run(args...)
		said.WriteString(r.out + r.err)
	}
	b.env["SILENTREFRESH_LOGIN_DATA"] = credentials
	run("login", "--base", s.URL())
	delete(b.env, "SILENTREFRESH_LOGIN_DATA")
	run("request", "-i", "/me")
	s.RevokeAccess()
	run("request", "/echo")
	s.RevokeAccess()
	s.Fault(authtest.Fault{Kind: authtest.Garbage}, authtest.Fault{Kind: authtest.Status, Status: 502, Body: "x"})
	run("request", "/me?query=s3cret")
	run("status")
	run("status", "--json")
	r := b.start("proxy", "--listen", "127.0.0.1:0")
	r.line("http")
	r.stop()
	said.WriteString(r.err.String())
	s.EndSessions()
	run("request", "/me")
	run("logout")
	said.WriteString(onDisk(t, b.dir))
	for _, secret := range append(s.Secrets(), b.env["SILENTREFRESH_KEY"], "s3cret") {
		if strings.Contains(said.String(), secret) {
			t.Errorf("%.8s... is in what was printed or written", secret)
		}
	}
	if !strings.Contains(said.String(), "level=INFO") || !strings.Contains(said.String(), "msg=\"silentrefresh: renewed\"") {
		t.Error("there was no log")
	}
}

func onDisk(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("nothing on the disk: ", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

func TestTestserver(t *testing.T) {
	b := newBox(t)
	r := b.start("testserver", "--listen", "127.0.0.1:0", "--ttl", "90s", "--", "-user", "bob:pw")
	fields := strings.Fields(r.line("ready http://127.0.0.1:"))
	got := b.ok("login", "--base", fields[1], "-d", `{"email": "bob", "password": "pw"}`)
	if !strings.Contains(got, " as bob\n  token    90 s, ") {
		t.Errorf("said\n%s", got)
	}
	if code := r.stop(); code != terminated || !strings.Contains(r.err.String(), "Next: silentrefresh login --base "+fields[1]+" -d ") {
		t.Errorf("ended with %d, and said %s", code, r.err)
	}
	if got := b.ok("testserver", "--", "-h"); !strings.Contains(got, "-grace") {
		t.Errorf("the kit's flags are\n%s", got)
	}
	b.fails(exitUsage, []string{"cannot listen there", "choose another address with --listen"}, "testserver", "--listen", "127.0.0.1:99999")
}

func TestVersion(t *testing.T) {
	b := newBox(t)
	for _, arg := range []string{"version", "--version"} {
		if got := b.ok(arg); !strings.HasPrefix(got, "silentrefresh ") {
			t.Errorf("%s: said %q", arg, got)
		}
	}
}
