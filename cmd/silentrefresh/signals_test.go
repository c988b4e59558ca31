//go:build !windows

package main

import (
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestF99_DiesByTheSignal: a shell that sees a status of 130 goes on with its loop.
func TestF99_DiesByTheSignal(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			if signal.Ignored(s) {
				t.Skip("it is ignored here, and so it is by the programs that are started: these tests run under nohup")
			}
			b, _ := loggedIn(t, authtest.Config{})
			for _, args := range [][]string{{"watch"}, {"proxy", "--listen", "127.0.0.1:0"}, {"request", "/stream?events=1000&every=50ms"}} {
				r := b.start(args...)
				r.line("")
				if err := r.cmd.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
				if got := r.end(); !got.Signaled() || got.Signal() != s {
					t.Errorf("%s ended with %v", args[0], got)
				}
			}
		})
	}
}

// end waits for the end of a tool that was told to.
func (r *running) end() syscall.WaitStatus {
	for range r.lines { // Wait closes the pipe: all has to be read before
	}
	r.cmd.Wait()
	return r.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// TestF99_ACommandsSignalIsOurs, so that Ctrl-C ends a loop around exec, too.
func TestF99_ACommandsSignalIsOurs(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	for _, name := range []string{"INT", "TERM"} {
		r := b.start("exec", "--", "sh", "-c", "kill -"+name+" $$")
		if got := r.end(); !got.Signaled() {
			t.Errorf("SIG%s: ended with %v", name, got)
		}
	}
}

// TestF99_WhatWasIgnoredStaysIgnored: under nohup neither the tool nor the command that it runs dies of a hangup.
func TestF99_WhatWasIgnoredStaysIgnored(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	for _, args := range [][]string{
		{"exec", "--", "sh", "-c", "echo ready; read line; echo survived"},
		{"request", "/stream?events=3&every=300ms"},
	} {
		cmd := b.command(append([]string{"-c", `trap "" HUP INT; exec "$@"`, "sh", os.Args[0]}, args...)...)
		cmd.Path, cmd.Args[0] = "/bin/sh", "sh"
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		r := b.startCommand(cmd)
		r.line("")
		for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(50 * time.Millisecond) // for a signal that would be passed on
		io.WriteString(in, "\n")
		in.Close()
		if got := r.end(); got != 0 {
			t.Errorf("%s: ended with %v; %s", args[0], got, r.err)
		}
	}
}

// TestF99_AClosedOutputEndsIt: nobody has to press Ctrl-C after "| head".
func TestF99_AClosedOutputEndsIt(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	for _, args := range [][]string{{"watch"}, {"request", "/stream?events=100000&every=10ms"}} {
		cmd := b.command(args...)
		cmd.Stderr = new(strings.Builder)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		out.Close()
		cmd.Wait()
		if got := cmd.ProcessState.Sys().(syscall.WaitStatus); !got.Signaled() || got.Signal() != syscall.SIGPIPE {
			t.Errorf("%s: ended with %v; %v", args[0], cmd.ProcessState, cmd.Stderr)
		}
	}
	if n := s.Counters().Hanging; n != 0 {
		t.Errorf("%d requests hang", n)
	}
}

// TestF97_WhatWasNotWrittenIsNoSuccess, whatever the command.
func TestF97_WhatWasNotWrittenIsNoSuccess(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no device that is always full")
	}
	defer full.Close()
	b, s := loggedIn(t, authtest.Config{})
	for _, args := range [][]string{
		{"token"}, {"token", "--format", "exec-credential"}, {"status"}, {"status", "--json"}, {"request", "/me"},
		{"request", "-i", "/me"}, {"version"}, {"--version"}, {"help"}, {"help", "config"}, {"completion", "bash"}, {"watch"},
		{"proxy", "--listen", "127.0.0.1:0"}, {"testserver", "--listen", "127.0.0.1:0"}, {"login", "-d", credentials}, {"logout"},
	} {
		cmd := b.command(args...)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = full, &said
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(said.String(), "not written: no space left on device\n") {
			t.Errorf("%s: exit status %d, and said %s", args, code, said.String())
		}
	}
	b.ok("login", "--base", s.URL(), "-d", credentials)
	for _, args := range [][]string{{"request", "-o", "/dev/full", "/me"}, {"learn", "--curl", "-o", "/dev/full", "curl https://api.example.com/me"}} {
		b.fails(exitFailed, []string{"no space left on device"}, args...)
	}
}

// TestF96_InterruptedWhileItIsAnswered: Ctrl-C does not take a payment back.
func TestF96_InterruptedWhileItIsAnswered(t *testing.T) {
	url, paid := deafServer(t, true)
	b := newBox(t)
	b.ok("login", "--base", url, "-d", credentials)
	r := b.start("request", "-d", "{}", "/pay")
	<-paid
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if got := r.end(); !got.Signaled() || got.Signal() != syscall.SIGINT {
		t.Errorf("ended with %v", got)
	}
	if said := r.err.String(); !strings.Contains(said, "/pay was sent, and no response came\n") || !strings.Contains(said, "why: interrupted\n") {
		t.Errorf("said %s", said)
	}
}
