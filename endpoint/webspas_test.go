package endpoint

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// devise is Rails: the login resets the session, and the token of the page before is good no more.
func devise(*testing.T) *webapp {
	a := newWebapp("_app_session", "/", 0)
	forged := func(w http.ResponseWriter, r *http.Request) bool {
		s := a.of(w, r)
		if r.FormValue("authenticity_token") == s.csrf || r.Header.Get("X-CSRF-Token") == s.csrf {
			return false
		}
		page(w, 422, "ActionController::InvalidAuthenticityToken: Can't verify CSRF token authenticity.")
		return true
	}
	show := func(w http.ResponseWriter, r *http.Request) {
		page(w, 200, `<meta name="csrf-param" content="authenticity_token" /><meta name="csrf-token" content="`+a.of(w, r).csrf+`" />`)
	}
	a.handle("GET /users/sign_in", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) != "" {
			redirect(w, r, 302, "/")
			return
		}
		show(w, r)
	})
	a.handle("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) == "" {
			redirect(w, r, 302, "/users/sign_in")
			return
		}
		show(w, r)
	})
	a.handle("POST /users/sign_in", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case forged(w, r):
		case r.FormValue("user[email]") != "ada@x.test" || r.FormValue("user[password]") != "pw":
			page(w, 422, "Invalid Email or password.")
		default:
			a.logIn(w, r)
			redirect(w, r, 303, "/")
		}
	})
	a.handle("POST /app/things", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) != "" && !forged(w, r) {
			w.WriteHeader(201)
		}
	})
	a.handle("DELETE /users/sign_out", func(w http.ResponseWriter, r *http.Request) {
		if !forged(w, r) {
			a.logOut(w, r)
			redirect(w, r, 303, "/")
		}
	})
	return a
}

// sanctum is Laravel with a single page application: the token is a cookie, percent-encoded, and both cookies roll.
func sanctum(*testing.T) *webapp {
	a := newWebapp("laravel_session", "/", 7200)
	roll := func(w http.ResponseWriter, s *websession) {
		http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(s.csrf), Path: "/", MaxAge: 7200})
	}
	forged := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("X-XSRF-TOKEN") == a.of(w, r).csrf && r.Header.Get("Origin") == "https://spa.test" {
			return false
		}
		fakes.RespondJSON(419, `{"message":"CSRF token mismatch."}`)(w, r)
		return true
	}
	a.handle("GET /sanctum/csrf-cookie", func(w http.ResponseWriter, r *http.Request) {
		roll(w, a.of(w, r))
		w.WriteHeader(204)
	})
	a.handle("POST /login", func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 200)
		n, _ := r.Body.Read(b)
		switch {
		case forged(w, r):
		case string(b[:n]) != `{"email":"ada@x.test","password":"pw"}`:
			fakes.RespondJSON(422, `{"message":"These credentials do not match our records.","errors":{"email":["..."]}}`)(w, r)
		default:
			roll(w, a.logIn(w, r))
			w.WriteHeader(204)
		}
	})
	a.handle("GET /api/user", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) == "" {
			fakes.RespondJSON(401, `{"message":"Unauthenticated."}`)(w, r)
			return
		}
		a.set(w, a.id(r))
		roll(w, a.of(w, r))
		fakes.RespondJSON(200, `{"name":"ada"}`)(w, r)
	})
	a.handle("POST /app/things", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Set("Origin", "https://spa.test"); a.user(r) != "" && !forged(w, r) {
			w.WriteHeader(201)
		}
	})
	a.handle("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		if !forged(w, r) {
			a.logOut(w, r)
			w.WriteHeader(204)
		}
	})
	return a
}

// authjs is Auth.js with the credentials provider: the token is in a document, the session's end in another.
func authjs(*testing.T) *webapp {
	a := newWebapp("__Secure-authjs.session-token", "/", 2592000)
	forged := func(w http.ResponseWriter, r *http.Request) bool {
		c, err := r.Cookie("__Host-authjs.csrf-token")
		if err == nil && c.Value == r.FormValue("csrfToken")+"%7Chash" {
			return false
		}
		redirect(w, r, 302, "/api/auth/signin?csrf=true")
		return true
	}
	a.handle("GET /api/auth/csrf", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-authjs.csrf-token", Value: "c1%7Chash", Path: "/", Secure: true, HttpOnly: true})
		fakes.RespondJSON(200, `{"csrfToken":"c1"}`)(w, r)
	})
	a.handle("POST /api/auth/callback/credentials", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case forged(w, r):
		case r.FormValue("password") != "pw":
			redirect(w, r, 302, "/api/auth/signin?error=CredentialsSignin&code=credentials")
		default:
			a.logIn(w, r)
			redirect(w, r, 302, "/")
		}
	})
	a.handle("GET /api/auth/session", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) == "" {
			fakes.RespondJSON(200, "null")(w, r)
			return
		}
		a.logIn(w, r) // the next JWT
		fakes.RespondJSON(200, `{"user":{"name":"ada","image":null},"expires":"`+time.Now().Add(720*time.Hour).UTC().Format(time.RFC3339)+`"}`)(w, r)
	})
	a.handle("POST /app/things", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) != "" {
			w.WriteHeader(201)
		}
	})
	a.handle("POST /api/auth/signout", func(w http.ResponseWriter, r *http.Request) {
		if !forged(w, r) {
			a.logOut(w, r)
			redirect(w, r, 302, "/")
		}
	})
	return a
}

// directus is Directus in session mode: the cookie is a JWT, and a refresh gives the next one.
func directus(t *testing.T) *webapp {
	a := newWebapp("directus_session_token", "/", 86400)
	give := func(w http.ResponseWriter, r *http.Request) {
		delete(a.sessions, a.id(r))
		a.made++
		now := time.Now()
		id := fakes.JWT(t, "id", "7", "session", a.made, "iat", now.Unix(), "exp", now.Add(24*time.Hour).Unix())
		a.sessions[id] = &websession{user: "ada"}
		a.set(w, id)
		fakes.RespondJSON(200, `{"data":{"expires":86400000}}`)(w, r)
	}
	takes := func(want string, h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			b := make([]byte, 200)
			n, _ := r.Body.Read(b)
			if string(b[:n]) != want {
				fakes.RespondJSON(401, `{"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}`)(w, r)
				return
			}
			h(w, r)
		}
	}
	a.handle("POST /auth/login", takes(`{"email":"ada@x.test","mode":"session","password":"pw"}`, give))
	a.handle("POST /auth/refresh", takes(`{"mode":"session"}`, func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) == "" {
			fakes.RespondJSON(403, `{"errors":[{"message":"Token expired.","extensions":{"code":"TOKEN_EXPIRED"}}]}`)(w, r)
			return
		}
		give(w, r)
	}))
	a.handle("POST /app/things", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) != "" {
			w.WriteHeader(201)
		}
	})
	a.handle("POST /auth/logout", takes(`{"mode":"session"}`, func(w http.ResponseWriter, r *http.Request) {
		a.logOut(w, r)
		w.WriteHeader(204)
	}))
	return a
}
