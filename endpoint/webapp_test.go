package endpoint

import (
	"fmt"
	"net/http"
)

// A webapp is what the web applications of the tests have in common: sessions on the server, named by a cookie.
type webapp struct {
	cookie   string // its name
	path     string // and Path
	maxAge   int    // and Max-Age, in seconds; 0: none
	sessions map[string]*websession
	made     int
	mux      *http.ServeMux
}

type websession struct{ user, csrf string }

func newWebapp(cookie, path string, maxAge int) *webapp {
	return &webapp{cookie: cookie, path: path, maxAge: maxAge, sessions: map[string]*websession{}, mux: http.NewServeMux()}
}

// id names the session of a request, "" if it has none.
func (a *webapp) id(r *http.Request) string {
	c, err := r.Cookie(a.cookie)
	if err != nil || a.sessions[c.Value] == nil {
		return ""
	}
	return c.Value
}

// of is the session of a request, a new one if it has none.
func (a *webapp) of(w http.ResponseWriter, r *http.Request) *websession {
	if id := a.id(r); id != "" {
		return a.sessions[id]
	}
	return a.begin(w)
}

func (a *webapp) begin(w http.ResponseWriter) *websession {
	a.made++
	id := fmt.Sprintf("s%%3A%d.sig", a.made)
	s := &websession{csrf: fmt.Sprintf("csrf-%d+/=", a.made)}
	a.sessions[id] = s
	a.set(w, id)
	return s
}

func (a *webapp) set(w http.ResponseWriter, id string) {
	http.SetCookie(w, &http.Cookie{Name: a.cookie, Value: id, Path: a.path, HttpOnly: true, Secure: true, MaxAge: a.maxAge})
}

// logIn makes the session of r one of ada's, under another name: a session that is kept could be fixed by others.
func (a *webapp) logIn(w http.ResponseWriter, r *http.Request) *websession {
	delete(a.sessions, a.id(r))
	s := a.begin(w)
	s.user = "ada"
	return s
}

func (a *webapp) logOut(w http.ResponseWriter, r *http.Request) {
	delete(a.sessions, a.id(r))
	http.SetCookie(w, &http.Cookie{Name: a.cookie, Path: a.path, MaxAge: -1, Secure: true})
}

// user is who is logged in, "" for nobody.
func (a *webapp) user(r *http.Request) string {
	if s := a.sessions[a.id(r)]; s != nil {
		return s.user
	}
	return ""
}

func (a *webapp) loggedIn() (n int) {
	for _, s := range a.sessions {
		if s.user != "" {
			n++
		}
	}
	return n
}

func (a *webapp) handle(pattern string, h http.HandlerFunc) { a.mux.HandleFunc(pattern, h) }

func page(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html><html><body>%s</body></html>", body)
}

func redirect(w http.ResponseWriter, r *http.Request, status int, to string) {
	http.Redirect(w, r, to, status)
}
