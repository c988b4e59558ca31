package provider_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// What a child process is told: the issuer, and the folder with the session.
const (
	childEnv    = "SILENTREFRESH_TEST_CHILD_ISSUER"
	childDirEnv = "SILENTREFRESH_TEST_CHILD_DIR"
	rounds      = 20
)

// TestF34_TwoProcessesRotate: two processes renew one session as fast as they can, against a provider that ends
// the login when a refresh token is presented twice.
func TestF34_TwoProcessesRotate(t *testing.T) {
	p := need(t)
	dir := t.TempDir()
	cl := newClient(t, p.browserLogin(newPerson("trent")), func(c *silentrefresh.Config) { c.Store = openStore(t, dir) })
	if err := cl.Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := cl.Close(); err != nil {
		t.Fatal(err)
	}
	var wait, release []func() error
	for range 2 {
		ready, goOn := startChild(t, p.Issuer, dir)
		if err := ready(); err != nil {
			t.Fatal(err)
		}
		release, wait = append(release, goOn), append(wait, ready)
	}
	for _, goOn := range release {
		if err := goOn(); err != nil {
			t.Fatal(err)
		}
	}
	for _, done := range wait {
		if err := done(); err != nil {
			t.Error(err)
		}
	}
	c := p.counts(t, "trent")
	if c.Reuses != 0 || c.Refreshes < rounds {
		t.Errorf("%+v after %d renewals in each of two processes", c, rounds)
	}
}

func openStore(t *testing.T, dir string) silentrefresh.Store {
	t.Helper()
	store, err := filestore.Open(filestore.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// startChild starts this test again as a child. The first function waits for its next line of output, the second
// lets it go on.
func startChild(t *testing.T, issuer, dir string) (line, goOn func() error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+issuer, childDirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	line = func() error {
		if !lines.Scan() || lines.Text() != "ok" {
			return fmt.Errorf("the child said %q", lines.Text())
		}
		return nil
	}
	return line, func() error { _, err := fmt.Fprintln(in); return err }
}

// child is the child process: it says ok, waits, renews, and says ok again.
func child() int {
	if err := renewOften(os.Getenv(childEnv), os.Getenv(childDirEnv)); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ok")
	return 0
}

func renewOften(issuer, dir string) error {
	store, err := filestore.Open(filestore.Config{Dir: dir})
	if err != nil {
		return err
	}
	idp, err := oauth.New((&provider{Issuer: issuer}).browserLogin(newPerson("nobody")))
	if err != nil {
		return err
	}
	cl, err := silentrefresh.New(silentrefresh.Config{BaseURL: issuer, Exchanger: idp, Store: store})
	if err != nil {
		return err
	}
	defer cl.Close()
	fmt.Println("ok")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	for range rounds {
		if err := cl.Renew(context.Background()); err != nil {
			return err
		}
		if got, err := whoAmI(cl, issuer); err != nil || got != "trent@example.com" {
			return fmt.Errorf("logged in as %q: %w", got, err)
		}
	}
	return cl.Close()
}
