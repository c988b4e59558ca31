package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

func TestCompletion(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	b.ok("login", "--base", s.URL(), "--session", "work", "-d", credentials)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := b.ok("completion", shell); !strings.Contains(got, "silentrefresh") {
			t.Errorf("%s: %s", shell, got)
		}
	}
	for _, c := range []struct{ typed, want string }{
		{"log", "login\t"}, {"log", "logout\t"}, {"status --s", "--session\t"}, {"status --session ", "work\n"},
		{"status --session d", "default\n"}, {"request --base ", s.URL() + "\n"}, {"token --format ", "exec-credential\n"},
		{"rekey --key-in ", "keychain\n"},
	} {
		if got := b.ok(append([]string{"__complete"}, strings.Split(c.typed, " ")...)...); !strings.Contains(got, c.want) {
			t.Errorf("%q: want %q in\n%s", c.typed, c.want, got)
		}
	}
}

func TestCompletionOfNoShell(t *testing.T) {
	for args, want := range map[string]string{
		"completion": "give bash, ", "completion tcsh": "there is one for bash, ", "completion bsah": "did you mean bash?",
		"completion powershel": "did you mean powershell?",
	} {
		if f := failing(t, nothing, strings.Fields(args)...); f.code != exitUsage || !strings.HasPrefix(f.do, want) {
			t.Errorf("%s: %+v", args, f)
		}
	}
}

func TestManualPages(t *testing.T) {
	b := newBox(t)
	dir := filepath.Join(t.TempDir(), "man1")
	b.ok("man", dir)
	for _, c := range new(app).root().Commands() {
		page, err := os.ReadFile(filepath.Join(dir, "silentrefresh-"+c.Name()+".1"))
		if err != nil || !strings.Contains(string(page), c.Name()) {
			t.Errorf("%s: %v", c.Name(), err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "silentrefresh-request.1"))
	if err != nil || !strings.Contains(string(page), "-X PUT -d") || !strings.Contains(string(page), "--header") {
		t.Errorf("the page is\n%s", page)
	}
	b.fails(exitFailed, []string{"the folder for the manual pages was not made"}, "man", b.file("x", "")+"/y")
}
