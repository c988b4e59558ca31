package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/internal/har/hartest"
)

// A webApp is a server of the old kind: a form, a session in its memory, one cookie, and a token against forgery in
// each form. A session ends a second after its last use.
type webApp struct {
	mu       sync.Mutex
	sessions map[string]*webSession
	made     int
	ended    int
	sends    bool // people without a session to the login page
}

type webSession struct {
	account string
	token   string
	used    time.Time
}

// session finds the request's session, or begins one.
func (a *webApp) session(w http.ResponseWriter, r *http.Request) *webSession {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, err := r.Cookie("sid"); err == nil {
		if s := a.sessions[c.Value]; s != nil && time.Since(s.used) < time.Second {
			s.used = time.Now()
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: c.Value, Path: "/", HttpOnly: true, MaxAge: 1})
			return s
		}
	}
	return a.begin(w, "")
}

// begin begins a session under a new name. a.mu is locked.
func (a *webApp) begin(w http.ResponseWriter, account string) *webSession {
	a.made++
	s := &webSession{account: account, token: fmt.Sprintf("forgery%010dabcdefgh", a.made), used: time.Now()}
	name := fmt.Sprintf("session%010dabcdefgh", a.made)
	a.sessions[name] = s
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: name, Path: "/", HttpOnly: true, MaxAge: 1})
	return s
}

func (a *webApp) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		showPage(w, `<form method="post" action="/login"><input type="hidden" name="_token" value="%s">
			<input name="wer"><input type="password" name="wort"></form>`, a.session(w, r).token)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		s := a.session(w, r)
		if r.FormValue("_token") != s.token || r.FormValue("wer") != "ada" || r.FormValue("wort") != authtest.DefaultPassword {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Del("Set-Cookie")
		a.mu.Lock()
		a.begin(w, "ada")
		a.mu.Unlock()
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		showPage(w, `<form method="post" action="/logout"><input type="hidden" name="_token" value="%s"><button>Out</button></form>`, a.session(w, r).token)
	})
	mux.HandleFunc("GET /api/me", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if s := a.session(w, r); s.account == "" && a.sends {
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.Path), http.StatusFound)
		} else if s.account == "" {
			w.WriteHeader(http.StatusUnauthorized)
		} else {
			fmt.Fprintf(w, `{"account": %q}`, s.account)
		}
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		if s := a.session(w, r); s.account != "" && r.FormValue("_token") == s.token {
			a.mu.Lock()
			s.account, a.ended = "", a.ended+1
			a.mu.Unlock()
		}
		w.Header().Del("Set-Cookie")
		http.SetCookie(w, &http.Cookie{Name: "sid", Path: "/", MaxAge: -1})
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	})
	return mux
}

func showPage(w http.ResponseWriter, format string, args ...any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html>"+format, args...)
}

// visitForms is what a person does there.
func visitForms(t *testing.T, base string) []byte {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	rec := &hartest.Recorder{}
	hc := &http.Client{Transport: &cookieTap{rec, jar}}
	token := ""
	get := func(path string) {
		resp, err := hc.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if m := regexp.MustCompile(`value="([^"]+)"`).FindSubmatch(body); m != nil {
			token = string(m[1])
		}
	}
	post := func(path string, values url.Values) {
		values.Set("_token", token)
		resp, err := hc.PostForm(base+path, values)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	get("/api/me") // without a session
	get("/login")
	post("/login", url.Values{"wer": {"ada"}, "wort": {authtest.DefaultPassword}})
	get("/")
	get("/api/me")
	get("/api/me")
	post("/logout", url.Values{})
	return hartest.File("Firefox", rec.Entries())
}

// logouts is how many sessions were ended.
func (a *webApp) logouts() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ended
}

// TestLearnForms: a server with forms and one cookie is kept alive by what was learned from a visit, and logged out of.
func TestLearnForms(t *testing.T) {
	app := &webApp{sessions: map[string]*webSession{}}
	s := httptest.NewServer(app.handler())
	t.Cleanup(s.Close)
	recording := visitForms(t, s.URL)
	b := newBox(t)
	config := b.file("config.json", "")
	r := b.run("learn", "-o", config, b.file("x.har", string(recording)))
	t.Logf("%s\n%s", r.err, contents(t, config))
	if r.code != 0 {
		t.Fatal(r)
	}
	b.ok("login", "--config", config, "-d", `{"wer": "ada", "wort": "`+authtest.DefaultPassword+`"}`)
	run := b.start("proxy", "--listen", "127.0.0.1:0")
	run.line("http://127.0.0.1:")
	time.Sleep(2500 * time.Millisecond) // nobody asks for anything meanwhile
	run.stop()
	b.ok("request", "/api/me")
	before := app.logouts()
	b.ok("logout")
	if app.logouts() != before+1 {
		t.Error("the server's session did not end")
	}
}

// TestLearnLoginPage: where the server sends people without a session to its login page, that is how a session is learned
// to be over.
func TestLearnLoginPage(t *testing.T) {
	app := &webApp{sessions: map[string]*webSession{}, sends: true}
	s := httptest.NewServer(app.handler())
	t.Cleanup(s.Close)
	b := newBox(t)
	config := b.file("config.json", "")
	r := b.run("learn", "-o", config, b.file("x.har", string(visitForms(t, s.URL))))
	if r.code != 0 || !strings.Contains(r.err, "a redirect to /login") || !strings.Contains(r.err, "silentrefresh request /api/me") {
		t.Fatal(r)
	}
	b.ok("login", "--config", config, "-d", `{"wer": "ada", "wort": "`+authtest.DefaultPassword+`"}`)
	app.mu.Lock()
	clear(app.sessions)
	app.mu.Unlock()
	b.fails(exitLogin, []string{"the session is over", "silentrefresh login"}, "request", "/api/me")
}

// TestLearnTwoSteps: a password, and then a code together with what the first response gave.
func TestLearnTwoSteps(t *testing.T) {
	mux := http.NewServeMux()
	reads := func(r *http.Request) (fields map[string]string) {
		json.NewDecoder(r.Body).Decode(&fields)
		return fields
	}
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if f := reads(r); f["email"] != authtest.DefaultEmail || f["password"] != authtest.DefaultPassword {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		showJSON(w, `{"step": {"ticket": "ticket0123456789abcdef"}}`)
	})
	mux.HandleFunc("POST /login/code", func(w http.ResponseWriter, r *http.Request) {
		if f := reads(r); f["ticket"] != "ticket0123456789abcdef" || f["code"] != "123456" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		showJSON(w, `{"accessToken": "access0123456789abcdef", "expiresIn": 900}`)
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access0123456789abcdef" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		showJSON(w, `{}`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	p := &walk{t: t, rec: &hartest.Recorder{}, base: s.URL}
	p.post("/login", `{"email": "`+authtest.DefaultEmail+`", "password": "`+authtest.DefaultPassword+`"}`)
	p.post("/login/code", `{"ticket": "ticket0123456789abcdef", "code": "123456"}`)
	p.get("/me", "Bearer access0123456789abcdef")
	b := newBox(t)
	config := b.file("config.json", "")
	b.ok("learn", "-o", config, b.file("x.har", string(hartest.File("Chrome", p.rec.Entries()))))
	b.ok("login", "--config", config, "-d", strings.Replace(credentials, "}", `, "code": "123456"}`, 1))
	b.ok("request", "/me")
}

func showJSON(w http.ResponseWriter, document string) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, document)
}

// A walk is a few requests that are recorded.
type walk struct {
	t    *testing.T
	rec  *hartest.Recorder
	base string
}

func (p *walk) post(path, document string) {
	req, _ := http.NewRequest("POST", p.base+path, strings.NewReader(document))
	req.Header.Set("Content-Type", "application/json")
	p.send(req)
}

func (p *walk) get(path, authorization string) {
	req, _ := http.NewRequest("GET", p.base+path, nil)
	req.Header.Set("Authorization", authorization)
	p.send(req)
}

func (p *walk) send(req *http.Request) {
	resp, err := p.rec.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
}
