package discover

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

const learnIt = "Record it in the browser, and let silentrefresh learn from that"

// loginForm reports whether a page of the server has a form with a password: the one that was given, one that it
// links to as its login, or the usual one.
func (l *looker) loginForm(first *view) bool {
	if l.takeForm(first) {
		return true
	}
	var places []*url.URL
	if isHTML(first.media, first.body) {
		for _, link := range readPage(first.body, first.at).links {
			if origin.Same(link.to, l.start) && (signInLink(link.to.Path) || signInLink(link.text)) && len(places) < 2 {
				places = append(places, link.to)
			}
		}
	}
	places = append(places, l.at("/login"), l.at("/signin"))
	for _, u := range places {
		if v, err := l.get(u); err == nil && l.takeForm(v) {
			return true
		}
	}
	return false
}

func signInLink(text string) bool {
	text = strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(text))
	return strings.Contains(text, "login") || strings.Contains(text, "signin") || strings.Contains(text, "anmelden")
}

// takeForm takes a page's form with a password.
func (l *looker) takeForm(v *view) bool {
	if v.status >= http.StatusInternalServerError || !isHTML(v.media, v.body) {
		return false
	}
	for _, f := range readPage(v.body, v.at).forms {
		passwords := 0
		for _, i := range f.inputs {
			if i.kind == "password" {
				passwords++
			}
		}
		if passwords == 1 && (f.action == nil || !signUp.MatchString(f.action.Path)) {
			return l.readForm(v, f)
		}
	}
	return false
}

var typedKind = regexp.MustCompile(`^(text|email|tel|password|number)$`)

// readForm makes the settings of a login form.
func (l *looker) readForm(v *view, f form) bool {
	r := l.result
	fixed, ask, hidden := map[string]any{}, []string{}, []string{}
	for _, i := range f.inputs {
		switch {
		case i.kind == "hidden" && forgeryField(i):
			hidden = append(hidden, i.name)
		case i.kind == "hidden":
			fixed[i.name] = i.value
		case typedKind.MatchString(i.kind) && !slices.Contains(ask, i.name):
			ask = append(ask, i.name)
		}
	}
	r.Ask = ask
	if f.action == nil || f.method != http.MethodPost {
		r.found(Likely, l.from(v.at), "a page asks for %s, and a script sends it", strings.Join(ask, " and "))
		r.missing("the page's script sends the login, so a look at the page does not tell how. %s", learnIt)
		return true
	}
	if !origin.Same(f.action, l.start) {
		if err := l.name(f.action); err != nil {
			r.missing("the form would send credentials elsewhere: %v", err)
			return true
		}
		r.found(Certain, l.from(v.at), "the form names another origin, %s", f.action.Scheme+"://"+f.action.Host)
	}
	r.Settings.Login = endpoint.Call{URL: l.relative(f.action), Encoding: "form"}
	if len(fixed) > 0 {
		r.Settings.Login.Fields = fixed
	}
	r.found(Certain, l.from(v.at), "login: %s, asks for %s", describe(r.Settings.Login), strings.Join(ask, " and "))
	r.Settings.Login.AcceptedStatus = []int{http.StatusFound, http.StatusSeeOther}
	l.guessSession(v)
	l.tellRejection(v)
	for i, name := range hidden {
		if i > 0 {
			r.missing("the form has a second hidden field that is another one each time, %s", name)
			continue
		}
		r.Settings.CSRF = endpoint.CSRF{ResponseField: name, Field: name, URL: l.relative(v.at)}
		r.found(Likely, l.from(v.at), "the form's field %s repeats what the page had in it, against forgery", name)
	}
	r.missing("a form does not say which cookie is the session, nor how it ends. %s", learnIt)
	return true
}

// tellRejection says what a redirect from the page that was asked for to the login form may mean: that a session that has
// ended is rejected so, or that this page always leads there. Only a recording could tell.
func (l *looker) tellRejection(v *view) {
	if v.first == nil || strings.Trim(v.at.Path, "/") == "" {
		return
	}
	rule, err := json.Marshal([]auth.ResponseMatch{{Status: v.first.status, Location: v.at.Path}})
	if err == nil {
		l.result.missing(`%s redirects to the login form; if it does not when you are logged in, add "rejected_if": %s`, v.first.at.Path, rule)
	}
}

// guessSession takes the cookie that the page sets, and that scripts cannot read, for the session.
func (l *looker) guessSession(v *view) {
	for _, line := range v.header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err == nil && c.HttpOnly && !forgeryName.MatchString(c.Name) {
			l.result.Settings.AccessToken.Cookie = c.Name
			l.result.found(Guess, l.from(v.at), "the session is the cookie %s", c.Name)
			return
		}
	}
}

// forgeryField reports whether a hidden field is another one each time.
func forgeryField(i input) bool {
	return forgeryName.MatchString(i.name) || opaque(i.value) || strings.Contains(strings.ToLower(i.name), "token")
}

func (l *looker) relative(u *url.URL) string {
	bare := *u
	bare.RawQuery = withoutBack(u.RawQuery)
	if origin.Same(u, l.start) {
		return bare.RequestURI()
	}
	return bare.String()
}
