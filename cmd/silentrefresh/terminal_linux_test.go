package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// A console is a terminal with somebody who types, and sees what a person would.
type console struct {
	t    *testing.T
	pty  *os.File
	mu   sync.Mutex
	seen bytes.Buffer
}

// newConsole returns the console, and the end of it for a program.
func newConsole(t *testing.T) (*console, *os.File) {
	t.Helper()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no terminals here: ", err)
	}
	t.Cleanup(func() { pty.Close() })
	var unlock, number int32
	for request, p := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, pty.Fd(), request, uintptr(unsafe.Pointer(p))); errno != 0 {
			t.Skip("there are no terminals here: ", errno)
		}
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no terminals here: ", err)
	}
	t.Cleanup(func() { tty.Close() })
	c := &console{t: t, pty: pty}
	go c.read()
	return c, tty
}

func (c *console) read() {
	for b := make([]byte, 1024); ; {
		n, err := c.pty.Read(b)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.seen.Write(b[:n])
		c.mu.Unlock()
	}
}

func (c *console) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.String()
}

// types waits for a question and responses it.
func (c *console) types(question, response string) {
	c.t.Helper()
	for range 1000 {
		if strings.HasSuffix(c.text(), question) {
			time.Sleep(50 * time.Millisecond) // what is typed before the echo is off would be seen
			fmt.Fprint(c.pty, response)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.t.Fatalf("no %q but %q", question, c.text())
}

// TestLoginAsks on the terminal; the password is not seen there.
func TestLoginAsks(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	c, tty := newConsole(t)
	cmd := b.command("login", "--base", s.URL())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.types("  email: ", authtest.DefaultEmail+"\n")
	c.types("  password: ", authtest.DefaultPassword+"\n")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for range 100 {
		if strings.Contains(c.text(), "Next: ") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if text := c.text(); !strings.Contains(text, "Logged in to ") || strings.Contains(text, authtest.DefaultPassword) {
		t.Errorf("the terminal shows\n%s", text)
	}
}

// TestNothingIsTyped: Ctrl-D at a question ends the login, and its line.
func TestNothingIsTyped(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	c, tty := newConsole(t)
	cmd := b.command("login", "--base", s.URL())
	cmd.Stdin, cmd.Stdout = tty, tty
	var said strings.Builder
	cmd.Stderr = io.MultiWriter(tty, &said)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.types("  email: ", "\x04")
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitUsage || !strings.HasSuffix(said.String(), "  email: \nsilentrefresh: nothing was typed\n") {
		t.Errorf("%v, said %q", err, said.String())
	}
}

// TestInterruptedLogin gives the terminal back as it was.
func TestInterruptedLogin(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	c, tty := newConsole(t)
	cmd := b.command("login", "--base", s.URL())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.types("  email: ", "x\n")
	c.types("  password: ", "")
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := shellStatus(cmd.ProcessState); code != 128+2 {
		t.Errorf("exit status %d", code)
	}
	fmt.Fprint(c.pty, "seen again")
	for range 200 {
		if strings.Contains(c.text(), "seen again") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the terminal does not echo any more: %q", c.text())
}
