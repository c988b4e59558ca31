//go:build !windows

package main

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A proxy is the tool's, running.
type proxy struct {
	st   *stage
	cmd  *exec.Cmd
	url  string
	once sync.Once
	said *transcript
}

// transcript is what a process writes, for another goroutine to read.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// proxy starts one.
func (l *login) proxy() *proxy {
	p := &proxy{st: l.st, cmd: l.command("proxy", "--listen", "127.0.0.1:0"), said: &transcript{}}
	p.cmd.Stderr = p.said
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		l.st.fatal("%v", err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	p.url, _, _ = strings.Cut(line, " ")
	return p
}

// get sends a request through the proxy.
func (p *proxy) get(path string) (status int, text string) {
	resp, err := http.Get(p.url + path)
	if err != nil {
		p.st.fatal("%v", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.st.fatal("%v", err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// says waits until the proxy has said something.
func (p *proxy) says(words string) {
	for range 300 {
		if strings.Contains(p.said.String(), words) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.st.fail("the proxy did not say %q but: %s", words, p.said)
}

// end ends it as a service manager does.
func (p *proxy) end() {
	p.once.Do(func() {
		p.cmd.Process.Signal(syscall.SIGTERM)
		if err := p.cmd.Wait(); p.cmd.ProcessState.String() != "signal: terminated" {
			p.st.fail("the proxy's end: %v: %s", err, p.said)
		}
	})
}
