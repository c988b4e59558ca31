package endpoint

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// express is an express-session with csurf: the CSRF token is one of the session, and the cookie rolls.
func express(*testing.T) *webapp {
	a := newWebapp("connect.sid", "/", 1800)
	forged := func(w http.ResponseWriter, r *http.Request) bool {
		s := a.of(w, r)
		if r.FormValue("_csrf") == s.csrf || r.Header.Get("X-CSRF-Token") == s.csrf {
			return false
		}
		fakes.Respond(403, "text/plain", "ForbiddenError: invalid csrf token")(w, r)
		return true
	}
	a.handle("GET /login", func(w http.ResponseWriter, r *http.Request) {
		page(w, 200, `<form><input type="hidden" name="_csrf" value="`+a.of(w, r).csrf+`"></form>`)
	})
	a.handle("POST /login", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case forged(w, r):
		case r.FormValue("password") != "pw":
			redirect(w, r, 302, "/login")
		default:
			a.logIn(w, r)
			redirect(w, r, 302, "/")
		}
	})
	a.handle("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) == "" {
			fakes.RespondJSON(401, `{"message":"log in"}`)(w, r)
			return
		}
		a.set(w, a.id(r)) // rolling
		fakes.RespondJSON(200, `{"user":"ada","token":"an API key of the user's"}`)(w, r)
	})
	a.handle("POST /app/things", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) != "" && !forged(w, r) {
			w.WriteHeader(201)
		}
	})
	a.handle("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		if !forged(w, r) {
			a.logOut(w, r)
			redirect(w, r, 302, "/")
		}
	})
	return a
}

// django is Django's own login view, over https: CSRF by cookie and field, and the Referer is looked at.
func django(*testing.T) *webapp {
	a := newWebapp("sessionid", "/", 1209600)
	token := 0
	rotate := func(w http.ResponseWriter) {
		token++
		http.SetCookie(w, &http.Cookie{Name: "csrftoken", Value: fmt.Sprintf("csrf%d", token), Path: "/", Secure: true, MaxAge: 31449600})
	}
	forged := func(w http.ResponseWriter, r *http.Request) bool {
		c, err := r.Cookie("csrftoken")
		shown := r.Header.Get("X-CSRFToken")
		if shown == "" {
			shown = r.FormValue("csrfmiddlewaretoken")
		}
		if err == nil && c.Value == shown && strings.HasPrefix(r.Referer(), "https://as.test/") {
			return false
		}
		page(w, 403, "Forbidden (403): CSRF verification failed. Request aborted.")
		return true
	}
	a.handle("GET /accounts/login/", func(w http.ResponseWriter, r *http.Request) {
		rotate(w)
		page(w, 200, fmt.Sprintf(`<form><input type="hidden" name="csrfmiddlewaretoken" value="masked%d"></form>`, token))
	})
	a.handle("POST /accounts/login/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case forged(w, r):
		case r.FormValue("password") != "pw":
			page(w, 200, "Please enter a correct username and password.")
		default:
			a.logIn(w, r)
			rotate(w)
			redirect(w, r, 302, "/accounts/profile/")
		}
	})
	a.handle("GET /accounts/profile/", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) == "" {
			redirect(w, r, 302, "/accounts/login/?next=/accounts/profile/")
			return
		}
		page(w, 200, "Hello ada")
	})
	a.handle("POST /app/things", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) != "" && !forged(w, r) {
			w.WriteHeader(201)
		}
	})
	a.handle("POST /accounts/logout/", func(w http.ResponseWriter, r *http.Request) {
		if !forged(w, r) {
			a.logOut(w, r)
			page(w, 200, "Logged out")
		}
	})
	return a
}

// servlet is a container's form login: only who was sent to it from a protected page may use it.
func servlet(*testing.T) *webapp {
	a := newWebapp("JSESSIONID", "/app", 0)
	const form = `<form method="post" action="j_security_check"><input name="j_username"><input name="j_password"></form>`
	a.handle("GET /app/home", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) == "" {
			a.of(w, r)
			page(w, 200, form)
			return
		}
		page(w, 200, "Hello ada")
	})
	a.handle("POST /app/j_security_check", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case a.id(r) == "":
			page(w, 408, "The time allowed for the login process has been exceeded.")
		case r.FormValue("j_password") != "pw":
			page(w, 200, "Login failed"+form)
		default:
			a.logIn(w, r)
			redirect(w, r, 302, "/app/home")
		}
	})
	a.handle("POST /app/things", func(w http.ResponseWriter, r *http.Request) {
		if a.user(r) != "" {
			w.WriteHeader(201)
		}
	})
	a.handle("GET /app/logout", func(w http.ResponseWriter, r *http.Request) {
		a.logOut(w, r)
		redirect(w, r, 302, "/app/home")
	})
	return a
}
