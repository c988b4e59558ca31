package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal/terminaltest"
	"golang.org/x/sys/unix"
)

// patience is how long a scene waits for what it waits for.
const patience = time.Minute

// A stage is where scenes are played, one after the other.
type stage struct {
	dir, tool string
	env       []string
	text      strings.Builder // what a person saw
	err       error           // the first that went wrong: nothing is played after it
}

// A scene is a command on a terminal of 80 columns.
type scene struct {
	stage  *stage
	pty    *os.File
	cmd    *exec.Cmd
	screen terminaltest.Emulator
	closed chan struct{} // when the command's end of the terminal is
	shown  int           // how much of what stands on the terminal was shown before
}

// scene begins one.
func (s *stage) scene(args ...string) *scene {
	c := &scene{stage: s, closed: make(chan struct{})}
	if s.err != nil {
		return c
	}
	pty, tty, err := terminalPair()
	if err != nil {
		s.err = err
		return c
	}
	defer tty.Close()
	c.pty, c.cmd = pty, exec.Command(s.tool, args...)
	c.cmd.Env, c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = s.env, tty, tty, tty
	s.err = c.cmd.Start()
	fmt.Fprintf(&s.text, "$ silentrefresh %s\n", strings.Join(args, " "))
	go c.read()
	return c
}

// terminalPair returns both ends of a terminal: a person's, and a program's.
func terminalPair() (pty, tty *os.File, err error) {
	if pty, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	fd := int(pty.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	err = cmp.Or(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	return pty, tty, err
}

func (c *scene) read() {
	defer close(c.closed)
	for b := make([]byte, 4096); ; {
		n, err := c.pty.Read(b)
		c.screen.Write(b[:n])
		if err != nil {
			return // the program is gone
		}
	}
}

// sees waits until words stand on the terminal.
func (c *scene) sees(words string) {
	for late := time.Now().Add(patience); c.stage.err == nil; time.Sleep(20 * time.Millisecond) {
		if strings.Contains(c.screen.String(), words) {
			return
		}
		if time.Now().After(late) {
			c.stage.err = fmt.Errorf("there is no %q but\n%s", words, c.screen.String())
		}
	}
}

// types waits for a question and answers it.
func (c *scene) types(question, answer string) {
	c.sees(question)
	time.Sleep(300 * time.Millisecond) // until the echo is off
	if c.stage.err == nil {
		_, c.stage.err = fmt.Fprintln(c.pty, answer)
	}
	time.Sleep(300 * time.Millisecond)
}

// shows adds to the recording what stands on the terminal now, and was not shown before, with a remark if there is one.
func (c *scene) shows(remark string) {
	stands := c.screen.String()
	fmt.Fprintf(&c.stage.text, "%s\n", strings.Trim(stands[min(c.shown, len(stands)):], "\n"))
	if remark != "" {
		fmt.Fprintf(&c.stage.text, "        ↑ %s\n", remark)
	}
	c.stage.text.WriteByte('\n')
	if events, _, ok := strings.Cut(stands, "\n\n"); ok {
		c.shown = len(events) // what is below is drawn anew
	}
}

// ends waits for the command's end.
func (c *scene) ends() { c.endsWith("") }

func (c *scene) endsWith(remark string) {
	if c.stage.err != nil {
		return
	}
	err := c.cmd.Wait()
	<-c.closed
	c.pty.Close()
	c.shows(remark)
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGINT {
		return
	}
	c.stage.err = err
}

// interrupted presses Ctrl-C.
func (c *scene) interrupted(remark string) {
	if c.stage.err == nil {
		c.stage.err = c.cmd.Process.Signal(os.Interrupt)
	}
	c.endsWith(remark)
}
