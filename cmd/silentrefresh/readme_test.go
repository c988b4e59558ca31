package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// differs is what differs from run to run in what the README shows.
var differs = regexp.MustCompile(`eyJ[\w.-]+|\d{4}-\d\d-\d\dT[\d:]+Z|"expires_in":\d+|\d{1,2} \w{3} \d\d:\d\d|\d\d:\d\d:\d\d|key in .+`)

// TestREADME runs the commands that the README shows in a shell, and compares what they print. Those of the chapter about
// recordings need one, and are shown there in part.
func TestREADME(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the README's commands are for a POSIX shell")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown, _, _ := strings.Cut(string(text), "## A server that works")
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	dir := shellFolder(t)
	ran := 0
	for example := range strings.SplitSeq(shown, "\n    $ ") {
		command, rest, ok := strings.Cut(example, "\n")
		if !ok || !strings.HasPrefix(command, "silentrefresh ") {
			continue
		}
		if strings.Contains(rest, "session is over") {
			s.EndSessions()
			b.ok("logout") // with a token that is valid still, the request would be sent first
			b.ok("login", "--base", s.URL(), "-d", credentials)
			s.Change(func(c *authtest.Config) { c.AccessTTL = time.Second })
			b.ok("renew")
			s.EndSessions()
			time.Sleep(time.Until(expiry(t, b)) + 10*time.Millisecond)
		}
		ran++
		cmd := b.command("-c", strings.ReplaceAll(command, "https://api.example.com", s.URL()))
		cmd.Path, cmd.Args[0], cmd.Dir = "/bin/sh", "sh", dir
		cmd.Env = append(cmd.Env, "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		got := strings.ReplaceAll(string(out), s.URL(), "https://api.example.com")
		if want := printed(rest); differs.ReplaceAllString(strings.TrimSpace(got), "#") != differs.ReplaceAllString(strings.TrimSpace(want), "#") {
			t.Errorf("%s printed (%v)\n%s\nand not\n%s", command, err, got, want)
		}
	}
	if ran < 6 {
		t.Errorf("only %d examples were found", ran)
	}
}

// printed is what an example shows below its command.
func printed(rest string) string {
	var lines []string
	for line := range strings.SplitSeq(rest, "\n") {
		text, ok := strings.CutPrefix(line, "    ")
		if !ok {
			break
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// shellFolder is a folder with the tool, and with the file that the README's login reads.
func shellFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "silentrefresh")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ada.json"), []byte(credentials), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
