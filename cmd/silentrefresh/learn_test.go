package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/internal/har/hartest"
)

// A page is what a browser does with a server of the test kit: it knows how tokens travel there, and the recording
// shows it.
type page struct {
	t        *testing.T
	c        authtest.Config
	hc       *http.Client
	rec      *hartest.Recorder
	url      string
	auth     string
	token    string
	refresh  string
	nesting  string // the object that holds the tokens
	requests int
}

func newPage(t *testing.T, s *authtest.Server, c authtest.Config, nesting string) *page {
	jar, _ := cookiejar.New(nil)
	rec := &hartest.Recorder{}
	return &page{t: t, c: c, hc: &http.Client{Transport: &cookieTap{rec, jar}}, rec: rec, url: s.URL(), auth: s.AuthURL(), nesting: nesting}
}

// cookieTap adds the jar's cookies above the recorder, so that they are recorded.
type cookieTap struct {
	rec *hartest.Recorder
	jar http.CookieJar
}

// RoundTrip implements http.RoundTripper.
func (c *cookieTap) RoundTrip(req *http.Request) (*http.Response, error) {
	for _, cookie := range c.jar.Cookies(req.URL) {
		req.AddCookie(cookie)
	}
	resp, err := c.rec.RoundTrip(req)
	if err == nil {
		c.jar.SetCookies(req.URL, resp.Cookies())
	}
	return resp, err
}

// send sends a request as the page's script does, and takes the tokens of the response.
func (p *page) send(method, url string, body map[string]any, withToken bool) int {
	p.t.Helper()
	var reader *bytes.Reader = bytes.NewReader(nil)
	if body != nil {
		document, _ := json.Marshal(body)
		reader = bytes.NewReader(document)
	}
	req, err := http.NewRequest(method, url, reader)
	if err != nil {
		p.t.Fatal(err)
	}
	if body == nil {
		req.Body = nil
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	p.requests++
	req.Header.Set("X-Request-Id", fmt.Sprintf("6f1f4c30-58a5-4c35-a8a4-%012d", p.requests))
	req.Header.Set("User-Agent", "Mozilla/5.0")
	req.Header.Set("Origin", p.url)
	if withToken && p.c.TokenIn != authtest.InCookie {
		req.Header.Set(p.header())
	}
	for _, c := range p.hc.Transport.(*cookieTap).jar.Cookies(req.URL) {
		if c.Name == "csrf_token" && method != "GET" {
			req.Header.Set("X-CSRF-Token", c.Value)
		}
	}
	resp, err := p.hc.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	p.take(resp)
	return resp.StatusCode
}

func (p *page) header() (name, value string) {
	switch {
	case p.c.Header != "" && p.c.Scheme == "":
		return p.c.Header, p.token
	case p.c.Scheme != "":
		return "Authorization", p.c.Scheme + " " + p.token
	}
	return "Authorization", "Bearer " + p.token
}

func (p *page) take(resp *http.Response) {
	var document map[string]any
	json.NewDecoder(resp.Body).Decode(&document)
	if p.nesting != "" {
		document, _ = document[p.nesting].(map[string]any)
	}
	for _, name := range []string{"accessToken", "zugang"} {
		if token, ok := document[name].(string); ok {
			p.token = token
		}
	}
	for _, name := range []string{"refreshToken", "erneuerung"} {
		if token, ok := document[name].(string); ok {
			p.refresh = token
		}
	}
	if token := resp.Header.Get("X-Access-Token"); token != "" {
		p.token = token
	}
}

// visit logs in, uses the API until it rejects the token, refreshes, uses it again and logs out.
func (p *page) visit(revoke func()) []byte {
	p.t.Helper()
	must := func(status int) {
		p.t.Helper()
		if status > 299 {
			p.t.Fatalf("the page got %d", status)
		}
	}
	must(p.send("POST", p.auth+"/auth/login", map[string]any{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}, false))
	for range 2 {
		must(p.send("GET", p.url+"/me", nil, true))
		must(p.send("GET", p.url+"/echo", nil, true))
		if p.requests < 4 {
			if p.c.RefreshIn != authtest.InAccess {
				revoke()
				p.send("GET", p.url+"/me", nil, true)
			}
			var body map[string]any
			if p.refresh != "" {
				body = map[string]any{"refreshToken": p.refresh}
			}
			must(p.send("POST", p.auth+"/auth/refresh", body, p.c.RefreshIn == authtest.InAccess || p.c.TokenAtRefresh == authtest.Needed))
		}
	}
	var body map[string]any
	if p.refresh != "" {
		body = map[string]any{"refreshToken": p.refresh}
	}
	must(p.send("POST", p.auth+"/auth/logout", body, true))
	return hartest.File("WebInspector", p.rec.Entries())
}

// kinds are servers of the test kit, as different as it can play them.
var kinds = []struct {
	name    string
	config  authtest.Config
	nesting string
}{
	{name: "the usual"},
	{name: "opaque tokens", config: authtest.Config{Opaque: true}},
	{name: "refresh token in JSON", config: authtest.Config{RefreshIn: authtest.InJSON, Opaque: true}},
	{name: "access token in a cookie, with CSRF", config: authtest.Config{TokenIn: authtest.InCookie, CSRF: true}},
	{name: "access token in a header", config: authtest.Config{TokenIn: authtest.InHeader, Header: "X-Token", Opaque: true}},
	{name: "nothing but the access token", config: authtest.Config{RefreshIn: authtest.InAccess}},
	{name: "both tokens at the refresh", config: authtest.Config{RefreshIn: authtest.InJSON, TokenAtRefresh: authtest.Needed}},
	{name: "a scheme of its own", config: authtest.Config{Scheme: "JWT", CSRF: true}},
	{name: "403", config: authtest.Config{RejectStatus: 403}},
	{name: "auth apart", config: authtest.Config{AuthApart: true}},
	{name: "names of its own, nested", nesting: "daten", config: authtest.Config{RefreshIn: authtest.InJSON, Opaque: true, NoExpiresIn: true,
		Reshape: func(fields map[string]any) any {
			return map[string]any{"daten": map[string]any{"zugang": fields["accessToken"], "erneuerung": fields["refreshToken"],
				"bis": time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano)}, "user": fields["user"]}
		}}},
}

// TestLearnKeepsLoggedIn: what was learned from a recording logs in, survives several expiries and logs out, with no
// hand on it.
func TestLearnKeepsLoggedIn(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			s := authtest.NewServer(t, k.config)
			recording := newPage(t, s, k.config, k.nesting).visit(s.RevokeAccess)
			expire := s.ExpireAll
			if k.config.RefreshIn == authtest.InAccess { // nothing but a valid token renews it, so there has to be time
				const life = 8 * time.Second
				s.Change(func(c *authtest.Config) { c.AccessTTL = life })
				expire = func() { time.Sleep(life * 11 / 10) }
			}
			keepsLoggedIn(t, newBox(t), recording, expire)
			if n := s.Counters(); n.Reuses != 0 || n.Refreshes < 3 || n.RefreshRefused != 0 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// keepsLoggedIn learns from a recording and uses what was learned, until tokens expire and after that.
func keepsLoggedIn(t *testing.T, b *box, recording []byte, expire func()) {
	t.Helper()
	file := b.file("recording.har", string(recording))
	config := b.file("config.json", "")
	r := b.run("learn", "-o", config, file)
	t.Logf("learned\n%s\n%s", r.err, contents(t, config))
	if r.code != 0 {
		t.Fatal(r)
	}
	for _, secret := range []string{"analytical", authtest.DefaultPassword} {
		if strings.Contains(r.err+contents(t, config), secret) {
			t.Error("a password of the recording got out")
		}
	}
	if said := b.ok("login", "--config", config, "-d", credentials); strings.Contains(said, "renewed only while it is valid") {
		r := b.start("proxy", "--listen", "127.0.0.1:0")
		address, _, _ := strings.Cut(r.line("http://127.0.0.1:"), " ")
		for range 2 {
			servesSoon(t, address)
			expire()
		}
		r.stop()
	} else {
		for range 2 {
			b.ok("request", "/me")
			expire()
		}
	}
	b.ok("request", "/me")
	b.ok("logout")
}

func contents(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestLearnCurl: the session of a copied command is thrown away unless one is named, and then it is used; one that was
// a refresh keeps itself alive.
func TestLearnCurl(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	p := newPage(t, s, authtest.Config{}, "")
	p.send("POST", s.URL()+"/auth/login", map[string]any{"email": authtest.DefaultEmail, "password": authtest.DefaultPassword}, false)
	copied := "curl '" + s.URL() + "/me' \\\n  -H 'Authorization: Bearer " + p.token + "' --compressed\n"
	r := b.runWith(copied, "learn", "--curl")
	if r.code != 0 || !strings.Contains(r.err, "thrown away") || !strings.Contains(r.out, `"base_url": "`+s.URL()+`"`) || strings.Contains(r.out+r.err, p.token) {
		t.Errorf("%+v", r)
	}
	b.fails(exitLogin, nil, "request", "/me")
	b.ok("learn", "--session", "mine", "--curl", copied)
	b.ok("request", "--session", "mine", "/me")

	copied = "curl -X POST '" + s.URL() + "/auth/refresh' -b 'refresh_token=" + refreshToken(t, s) + "'"
	if r := b.runWith(copied, "learn", "--curl", "--session", "other"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	s.Change(func(c *authtest.Config) { c.AccessTTL = 200 * time.Millisecond })
	for range 3 {
		b.ok("request", "--session", "other", "/me")
		time.Sleep(250 * time.Millisecond)
	}
	b.fails(exitUsage, []string{"neither a cookie nor a token"}, "learn", "--curl", "--session", "x", "curl "+s.URL())
	b.fails(exitUsage, []string{"no command line of curl"}, "learn", "--curl", "wget "+s.URL())
}

// TestLearnMistakes: what cannot be read is said, without what is in it.
func TestLearnMistakes(t *testing.T) {
	b := newBox(t)
	b.fails(exitUsage, []string{"takes one recording"}, "learn")
	b.fails(exitUsage, []string{"was not read"}, "learn", filepath.Join(b.dir, "nosuch.har"))
	r := b.fails(exitUsage, []string{"not JSON", "HAR"}, "learn", b.file("x.har", "s3cret"))
	if strings.Contains(r.err, "s3cret") {
		t.Error(r.err)
	}
	empty := hartest.File("x", hartest.Parse("> GET /\n< 200"))
	b.fails(exitFailed, []string{"no configuration follows", "sensitive data"}, "learn", b.file("x.har", string(empty)))
	if r := b.runWith(string(empty), "learn", "-"); r.code != exitFailed {
		t.Errorf("%+v", r)
	}
}
