// Recording runs the tool on a terminal of its own, against a test server, and writes what stands there into the tool's
// README: a login, a watch through an outage, the status of two sessions.
//
//	go run ./cmd/silentrefresh/internal/recording             prints it
//	go run ./cmd/silentrefresh/internal/recording -w README   puts it in the place of what that file has
//
// It takes a minute and a half, and a Linux that has terminals.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/seal"
)

func main() {
	log.SetFlags(0)
	readme := flag.String("w", "", "the `file` that has the recording")
	listen := flag.String("listen", "127.0.0.1:8080", "the `address` of the test server")
	flag.Parse()
	text, err := record(*listen)
	if err == nil && *readme != "" {
		err = replace(*readme, text)
	} else if err == nil {
		fmt.Print(text)
	}
	if err != nil {
		log.Fatal("recording: ", err)
	}
}

// record plays the scenes and returns what a person saw.
func record(listen string) (string, error) {
	dir, err := os.MkdirTemp("", "recording")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	s := &stage{dir: dir, tool: filepath.Join(dir, "silentrefresh")}
	if out, err := exec.Command("go", "build", "-o", s.tool, "github.com/silentrefresh/silentrefresh/cmd/silentrefresh").CombinedOutput(); err != nil {
		return "", fmt.Errorf("the tool was not built: %w\n%s", err, out)
	}
	server, err := authtest.Start(authtest.Config{Addr: listen, AccessTTL: 15 * time.Second, Users: map[string]string{
		authtest.DefaultEmail: authtest.DefaultPassword, "grace@example.com": authtest.DefaultPassword,
	}})
	if err != nil {
		return "", err
	}
	defer server.Close()
	s.env = append(os.Environ(), "HOME="+dir, "SILENTREFRESH_DIR="+filepath.Join(dir, "sessions"), "SILENTREFRESH_KEY="+seal.FormatKey(seal.NewKey()),
		"TERM=xterm", "LC_ALL=C.UTF-8", "DBUS_SESSION_BUS_ADDRESS=")
	err = s.play(server)
	return s.text.String(), err
}

// play plays the scenes.
func (s *stage) play(server *authtest.Server) error {
	login := s.scene("login", "--base", server.URL())
	login.types("email:", authtest.DefaultEmail)
	login.types("password:", authtest.DefaultPassword)
	login.ends()
	work := s.scene("login", "--base", server.URL(), "--session", "work")
	work.types("email:", "grace@example.com")
	work.types("password:", authtest.DefaultPassword)
	work.ends()

	watch := s.scene("watch")
	watch.sees("renewed")
	server.DownFor(authtest.Unavailable, 20*time.Second)
	watch.sees("try 5 at")
	time.Sleep(4 * time.Second)
	watch.shows("the server is away, and the token has ended")
	watch.sees("renewed   gen 3")
	time.Sleep(5 * time.Second)
	server.RevokeAccess()
	s.aside("request", "/me")
	watch.sees("adopted")
	time.Sleep(3 * time.Second)
	watch.interrupted("it is back, and another process has renewed the session, too")

	s.aside("request", "/me", "--session", "work")
	s.scene("status").ends()
	return s.err
}

// aside runs a command that is not seen.
func (s *stage) aside(args ...string) {
	cmd := exec.Command(s.tool, args...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", args, err, out)
	}
	s.err = cmp.Or(s.err, err)
}

// The lines between which the README has the recording.
const (
	begin = "<!-- recorded by internal/recording -->\n"
	end   = "<!-- end of the recording -->\n"
)

// replace puts text into the file.
func replace(file, text string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(b), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the recording: a line %q, and after it one %q", file, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(file, []byte(before+begin+"```text\n"+strings.TrimRight(text, "\n")+"\n```\n"+end+after), 0o644)
}
