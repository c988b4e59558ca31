package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
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
		if s := a.session(w, r); s.account == "" {
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
	get("/login")
	post("/login", url.Values{"wer": {"ada"}, "wort": {authtest.DefaultPassword}})
	get("/")
	get("/api/me")
	get("/api/me")
	post("/logout", url.Values{})
	return hartest.File("Firefox", rec.Entries())
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
	b.ok("login", "-config", config, "-d", `{"wer": "ada", "wort": "`+authtest.DefaultPassword+`"}`)
	run := b.start("proxy", "-listen", "127.0.0.1:0")
	run.line("http://127.0.0.1:")
	time.Sleep(2500 * time.Millisecond) // nobody asks for anything meanwhile
	run.stop()
	b.ok("request", "/api/me")
	before := app.ended
	b.ok("logout")
	if app.ended != before+1 {
		t.Error("the server's session did not end")
	}
}
