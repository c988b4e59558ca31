package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/authtest"
)

// TestF100_LocalhostIsBothFamilies: else another user of this machine takes the other one, and gets the requests.
func TestF100_LocalhostIsBothFamilies(t *testing.T) {
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("there is no IPv6 here: ", err)
	}
	six.Close()
	b, _ := loggedIn(t, authtest.Config{})
	r := b.start("proxy", "--listen", "localhost:0")
	address, _, _ := strings.Cut(r.line("http://localhost:"), " ")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
		if resp, _ := get(t, "http://"+host+":"+port+"/me"); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", host, resp.Status)
		}
		if l, err := net.Listen("tcp", host+":"+port); err == nil {
			l.Close()
			t.Errorf("%s is free for others", host)
		}
	}
	r.stop()
	taken, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ = net.SplitHostPort(taken.Addr().String())
	b.fails(exitUsage, []string{"the proxy cannot listen there", "address already in use"}, "proxy", "--listen", "localhost:"+port)
}

func TestF100_BeyondLoopbackASecretIsRequired(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		b.fails(exitUsage, []string{"beyond loopback the proxy has to have a secret", "do:  set SILENTREFRESH_SECRET"}, "proxy", "--listen", address)
	}
	b.env["SILENTREFRESH_SECRET"] = "hush"
	r := b.start("proxy", "--listen", "0.0.0.0:0")
	address, _, _ := strings.Cut(r.line("http://"), " ")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	address = "http://127.0.0.1:" + port
	if resp, _ := get(t, address+"/me", secretHeader, "hush"); resp.StatusCode != http.StatusOK {
		t.Errorf("with the secret: %s", resp.Status)
	}
	// What a browser sends for a page of another site: no fetch metadata, and a password that it knows.
	for name, header := range map[string][]string{
		"an image": {"Accept", "image/avif,image/webp,*/*"}, "an image with the password": {"Authorization", "Basic YW55Omh1c2g="},
		"a stylesheet that refers": {"Referer", "http://evil.example.com/", secretHeader, "hush"},
	} {
		resp, _ := get(t, address+"/me", header...)
		if resp.StatusCode < 400 || resp.Header.Get("Www-Authenticate") != "" {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
}

// TestF100_ExecIsNotForOthers: another user of this machine does not know the secret that the command gets.
func TestF100_ExecIsNotForOthers(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	cmd := b.command("exec", "--", "sh", "-c", `echo "$SILENTREFRESH_URL $SILENTREFRESH_SECRET $SILENTREFRESH_ORIGIN"; read line`)
	in, err := cmd.StdinPipe() // which ends the command when it is closed
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r := b.startCommand(cmd)
	url, rest, _ := strings.Cut(r.line("http://"), " ")
	secret, origin, _ := strings.Cut(rest, " ")
	_, host, found := strings.Cut(url, "@")
	if !found || origin != "http://"+host || len(secret) < 20 || !strings.Contains(url, ":"+secret+"@") {
		t.Fatalf("the command got %s, %s, %s", url, secret, origin)
	}
	if resp, _ := get(t, origin+"/me"); resp.StatusCode != http.StatusUnauthorized || resp.Header.Get(errorHeader) != "secret_required" {
		t.Errorf("another user: %s", resp.Status)
	}
	if resp, _ := get(t, url+"/me"); resp.StatusCode != http.StatusOK {
		t.Errorf("the command: %s", resp.Status)
	}
	if resp, _ := get(t, origin+"/me", secretHeader, secret); resp.StatusCode != http.StatusOK {
		t.Errorf("a command that takes no password out of a URL: %s", resp.Status)
	}
}

// TestF100_AForeignRefererIsNoConsent: not all browsers send fetch metadata, to all addresses.
func TestF100_AForeignRefererIsNoConsent(t *testing.T) {
	g := newGuard(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8090}, "127.0.0.1:8090", "")
	for referer, ok := range map[string]bool{
		"": true, "http://127.0.0.1:8090/page": true, "http://evil.example.com/": false, "http://127.0.0.1:3000/": false,
		"https://127.0.0.1:8090/": false, "http://[": false, "about:blank": false,
	} {
		req := httptest.NewRequest("GET", "http://127.0.0.1:8090/", nil)
		req.Header.Set("Referer", referer)
		if referer == "" {
			req.Header.Del("Referer")
		}
		if refusal := g.refuses(req); (refusal == nil) != ok {
			t.Errorf("%q: %+v", referer, refusal)
		}
	}
}

// TestWaitedIsSaid: a response says how long its request waited for a newer token, and others do not.
func TestWaitedIsSaid(t *testing.T) {
	b, s := loggedIn(t, authtest.Config{})
	_, address := proxied(t, b)
	if resp, _ := get(t, address+"/me"); resp.Header.Get(waitedHeader) != "" {
		t.Errorf("with a good token: waited %s", resp.Header.Get(waitedHeader))
	}
	s.RevokeAccess()
	if resp, _ := get(t, address+"/me"); !strings.HasSuffix(resp.Header.Get(waitedHeader), "s") {
		t.Errorf("after a rejection: waited %q", resp.Header.Get(waitedHeader))
	}
	if resp, _ := get(t, address+"/me"); resp.Header.Get(waitedHeader) != "" {
		t.Errorf("and then: waited %s", resp.Header.Get(waitedHeader))
	}
}
