package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/filestore"
)

// roleVariable makes this program one of the processes of a show, which use the library where the tool cannot.
const roleVariable = "ORDEAL_ROLE"

// worker is a process in that role on l's session.
func (l *login) worker(role string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		l.st.fatal("%v", err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "ORDEAL_ARGS="+strings.Join(args, " "),
		"ORDEAL_BASE="+l.server.URL(), "ORDEAL_DIR="+filepath.Join(l.dir, "sessions"), filestore.EnvKey+"="+l.key)
	return cmd
}

// figure is a number that a worker printed.
func (r result) figure(name string) int {
	for _, line := range strings.Split(r.out, "\n") {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			n, _ := strconv.Atoi(text)
			return n
		}
	}
	return 0
}

// play is the main function of a worker.
func play(role string) (status int) {
	if role == "plain" {
		return exit(get(&http.Client{Transport: bearer(os.Getenv("ORDEAL_ARGS"))}))
	}
	cfg := silentrefresh.Config{BaseURL: os.Getenv("ORDEAL_BASE"), Timeout: 3 * time.Second}
	if role == "credentials" {
		cfg.Credentials = func(context.Context) (any, error) {
			return map[string]string{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}, nil
		}
	}
	store, err := filestore.Open(filestore.Config{Dir: os.Getenv("ORDEAL_DIR")})
	if err == nil {
		cfg.Store = store
		var c *silentrefresh.Client
		if c, err = silentrefresh.New(cfg); err == nil {
			err = errors.Join(part(c, role), c.Close())
		}
	}
	return exit(err)
}

func exit(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// bearer is a program without a session: a token, and that is all.
type bearer string

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(req)
}

func part(c *silentrefresh.Client, role string) error {
	switch role {
	case "renew":
		return c.Renew(context.Background())
	case "loop":
		span, err := time.ParseDuration(os.Getenv("ORDEAL_ARGS"))
		if err != nil {
			return err
		}
		return requests(c, span)
	default:
		return get(c.HTTPClient())
	}
}

// requests sends one after the other.
func requests(c *silentrefresh.Client, span time.Duration) error {
	var sent, failed int
	var last error
	hc := c.HTTPClient()
	for until := time.Now().Add(span); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		sent++
		if err := get(hc); err != nil {
			failed++
			last = err
		}
	}
	fmt.Printf("requests %d\nfailures %d\n", sent, failed)
	return last
}

func get(hc *http.Client) error {
	resp, err := hc.Get(os.Getenv("ORDEAL_BASE") + "/me")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/me returned %s", resp.Status)
	}
	return nil
}
