package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary be the program.
func TestMain(m *testing.M) {
	if os.Getenv("AUTHSERVER") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "AUTHSERVER=1")
	return cmd
}

func TestServesUntilItIsTold(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send to another process")
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := command("-listen", "127.0.0.1:0")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		line, err := bufio.NewReader(out).ReadString('\n')
		fields := strings.Fields(line)
		if err != nil || len(fields) < 2 || fields[0] != "ready" {
			t.Fatalf("ready line: %q %v", line, err)
		}
		resp, err := http.Get(fields[1] + "/_test/counters")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); resp.StatusCode != 200 || err != nil {
			t.Errorf("%v: status %d, ended with %v", signal, resp.StatusCode, err)
		}
	}
}

func TestMistakesGoToStderr(t *testing.T) {
	cmd := command("-token-in", "pocket")
	var text strings.Builder
	cmd.Stderr = &text
	if err := cmd.Run(); err == nil || !strings.Contains(text.String(), "json, header or cookie") {
		t.Errorf("%v: %q", err, text.String())
	}
	if err := command("-h").Run(); err != nil {
		t.Errorf("-h: %v", err)
	}
}
