package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// TestKubernetesGetsTheIDToken: with id_token_as_bearer, what a cluster gets from the credential plugin is the ID token, and
// its own end.
func TestKubernetesGetsTheIDToken(t *testing.T) {
	s := provider(t)
	b := newBox(t)
	file := b.file("config.json", `{"base_url": "`+s.URL+`", "oauth": {"issuer": "`+s.URL+`", "client_id": "tool", "flow": "device",
		"scopes": ["openid"], "id_token_as_bearer": true}}`)
	b.ok("login", "--config", file)
	b.env["KUBERNETES_EXEC_INFO"] = `{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","spec":{"interactive":false}}`
	var got struct {
		APIVersion, Kind string
		Status           struct {
			Token      string
			Expiration time.Time `json:"expirationTimestamp"`
		}
	}
	if err := json.Unmarshal([]byte(b.ok("token", "--format", "exec-credential")), &got); err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Sub string
		Exp int64
	}
	parts := strings.Split(got.Status.Token, ".")
	if len(parts) != 3 {
		t.Fatalf("%+v", got)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		t.Fatal(err)
	}
	if got.APIVersion != "client.authentication.k8s.io/v1beta1" || got.Kind != "ExecCredential" || claims.Sub != "ada" ||
		got.Status.Expiration.Sub(time.Unix(claims.Exp, 0)).Abs() > 2*time.Second {
		t.Errorf("%+v, the ID token is %+v", got, claims)
	}
}

// TestProxyWithBoundTokens: a client without any OAuth of its own uses an API that wants pushed requests, and a proof with
// a nonce in each request (RFC 9449).
func TestProxyWithBoundTokens(t *testing.T) {
	op := oauthtest.NewProvider(t, oauthtest.Config{Plain: true, Registers: true, RequirePush: true, RequireDPoP: true, Nonce: "first"})
	b := newBox(t)
	b.env["BROWSER"], b.env["PATH"], b.env["DISPLAY"], b.env["WAYLAND_DISPLAY"] = "", "", "", ""
	login := b.command("login", op.URL()+"/me")
	told, err := login.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := login.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(told); lines.Scan(); {
		if page := strings.TrimSpace(lines.Text()); strings.HasPrefix(page, op.URL()+"/authorize?") {
			if err := op.Browse("ada")(page); err != nil {
				t.Error(err)
			}
		}
	}
	if err := login.Wait(); err != nil {
		t.Fatal(err)
	}
	_, address := proxied(t, b)
	for _, nonce := range []string{"first", "second"} {
		op.Change(func(c *oauthtest.Config) { c.Nonce = nonce })
		if resp, body := get(t, address+"/me"); resp.StatusCode != http.StatusOK || strings.TrimSpace(body) != `{"sub":"ada"}` {
			t.Errorf("nonce %s: %d %s", nonce, resp.StatusCode, body)
		}
	}
	if n := op.Counters().Refreshes; n != 0 {
		t.Errorf("%d refreshes", n)
	}
}
