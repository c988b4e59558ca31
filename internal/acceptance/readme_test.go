package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/internal/readme"
)

// readmeProgram builds the README's program as it is printed.
func readmeProgram(t *testing.T) string {
	t.Helper()
	blocks := readme.Blocks(t, top+"/README.md")
	if len(blocks) != 1 {
		t.Fatalf("%d programs", len(blocks))
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if err := os.WriteFile(source, []byte(blocks[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"vet", source}, {"build", "-o", program, source}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = top
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args[0], err, out)
		}
	}
	return program
}

// The README's program is whole, and does what it is said to do.
func TestTheReadmesProgramRuns(t *testing.T) {
	program := readmeProgram(t)
	server := authtest.NewServer(t, authtest.Config{})
	run := func(password string) string {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), "API_URL="+server.URL(), "EMAIL="+authtest.DefaultEmail, "PASSWORD="+password)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if out := run(authtest.DefaultPassword); out != "200 OK\n" {
		t.Errorf("it says %q", out)
	}
	if n := server.Counters(); n.Logins != 1 || n.API != 1 || n.APIUnauthorized != 0 {
		t.Errorf("%+v", n)
	}
	if out := run("wrong-hunter2"); !strings.Contains(out, "login failed") || strings.Contains(out, "hunter2") {
		t.Errorf("with a wrong password it says %q", out)
	}
}
