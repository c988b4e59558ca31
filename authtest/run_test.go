package authtest_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// running starts Run and returns the fields of its ready line, and a function that stops it.
func running(t *testing.T, args ...string) (fields []string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := authtest.Run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), out)
		out.CloseWithError(err)
		ended <- err
	}()
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(line), func() error {
		cancel()
		return <-ended
	}
}

func TestRun(t *testing.T) {
	fields, stop := running(t, "-ttl", "5s", "-token-name", "jwt", "-user", "bob@example.com:pw")
	if fields[0] != "ready" || fields[2] != "email=ada@example.com" || strings.Join(fields[3:], " ") != `password="correct horse"` {
		t.Errorf("ready line: %q", fields)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	resp, err := client.Post(fields[1]+"/auth/login", "application/json", strings.NewReader(`{"email":"bob@example.com","password":"pw"}`))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !strings.Contains(string(body), `"jwt":`) || !strings.Contains(string(body), `"expiresIn":5`) {
		t.Errorf("login: %d %v", resp.StatusCode, err)
	}
	if resp, err := client.Get(fields[1] + "/_test/counters"); err != nil || resp.StatusCode != 200 {
		t.Errorf("counters: %v %v", resp, err)
	} else {
		resp.Body.Close()
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if _, err := client.Get(fields[1]); err == nil {
		t.Error("it responds after it was stopped")
	}
}

func TestRunTellsWhereTheAuthEndpointsAre(t *testing.T) {
	fields, stop := running(t, "-auth-apart")
	if last := fields[len(fields)-1]; !strings.HasPrefix(last, "auth=http://127.0.0.1:") || last == "auth="+fields[1] {
		t.Errorf("ready line: %q", fields)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		args, want string
	}{
		{"-ttl=-1s", "AccessTTL is negative"},
		{"-token-in=pocket", "json, header or cookie"},
		{"-unheard-of", "not defined: -unheard-of; -h lists the flags"},
		{"extra", `unexpected argument "extra"`},
		{"-user=bob", "email:password"},
		{"-listen=nowhere", "start the server"},
	} {
		var out strings.Builder
		err := authtest.Run(t.Context(), strings.Fields(test.args), &out)
		if err == nil || !strings.Contains(err.Error(), test.want) || out.Len() > 0 {
			t.Errorf("%s: %v, and wrote %q", test.args, err, out.String())
		}
	}
}

func TestRunHelps(t *testing.T) {
	var out strings.Builder
	if err := authtest.Run(t.Context(), []string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	for _, name := range []string{"listen", "ttl", "refresh-ttl", "grace", "csrf", "opaque", "rate", "delay", "skew", "token-in", "refresh-in"} {
		if !strings.Contains(out.String(), fmt.Sprintf("  -%s", name)) {
			t.Errorf("-%s is not among the flags", name)
		}
	}
	for _, words := range []string{"POST /auth/refresh ", "POST /_test/down?", "POST /_test/fault?", authtest.DefaultEmail, authtest.DefaultPassword} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("the help lacks %q", words)
		}
	}
}

func TestRunNeedsSomebodyToTell(t *testing.T) {
	in, out := io.Pipe()
	in.Close()
	if err := authtest.Run(t.Context(), []string{"-listen=127.0.0.1:0"}, out); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}
