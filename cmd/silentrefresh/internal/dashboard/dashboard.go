// Package dashboard is the proxy's page: how the session stands, what has happened to it, how many requests there are,
// and a button that logs out.
package dashboard

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/timeline"
	"github.com/silentrefresh/silentrefresh/internal/page"
)

// Path is where the page is. What is below it is not the server's.
const Path = "/_silentrefresh/"

// TokenHeader carries what the page was given, so that nothing but the page can use what it uses.
const TokenHeader = "Silentrefresh-Token"

//go:embed dashboard.html
var document string

// A State is what the page shows.
type State struct {
	silentrefresh.Status
	timeline.Picture
	Now      time.Time `json:"now"`
	BaseURL  string    `json:"base_url"`
	Standing string    `json:"standing"`      // the state in words
	Why      string    `json:"why,omitempty"` // why all is not well
	Do       string    `json:"do,omitempty"`  // what to type then
	Requests Counts    `json:"requests"`
}

// A Session is what the page shows and ends. Both functions may be called concurrently.
type Session struct {
	State  func() State
	Logout func(ctx context.Context) error
}

// A Dashboard serves the page of one session to people of this machine.
type Dashboard struct {
	session Session
	page    *page.Page
	token   string
	mux     *http.ServeMux
	origin  *http.CrossOriginProtection
}

// New makes the page of a session.
func New(s Session) *Dashboard {
	d := &Dashboard{session: s, page: page.New(document), token: rand.Text(), mux: http.NewServeMux(), origin: http.NewCrossOriginProtection()}
	d.mux.HandleFunc("GET "+Path+"{$}", d.show)
	d.mux.HandleFunc("GET "+Path+"state", d.known(d.state))
	d.mux.HandleFunc("POST "+Path+"logout", d.known(d.logout))
	return d
}

// Mine reports whether a request is the page's.
func Mine(req *http.Request) bool {
	return strings.HasPrefix(req.URL.Path, Path) || req.URL.Path+"/" == Path
}

// ServeHTTP implements http.Handler.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !local(req) {
		refuse(w, http.StatusForbidden, "this page is for the machine that the proxy runs on")
		return
	}
	if err := d.origin.Check(req); err != nil {
		refuse(w, http.StatusForbidden, "other pages may not use this one")
		return
	}
	d.mux.ServeHTTP(w, req)
}

// local reports whether a request comes from this machine, and was not passed on by a proxy of it.
func local(req *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if _, ok := req.Header[name]; ok {
			return false
		}
	}
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// show serves the page to a person. What comes through the proxy is of the same origin, and its scripts must not read
// the token: they cannot ask as a person's navigation does (Fetch Metadata Request Headers, section 2.1).
func (d *Dashboard) show(w http.ResponseWriter, req *http.Request) {
	if to := req.Header.Get("Sec-Fetch-Dest"); to != "" && to != "document" {
		refuse(w, http.StatusForbidden, "this page is for people")
		return
	}
	d.page.Serve(w, d.token)
}

// known lets in who has the page's token.
func (d *Dashboard) known(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if subtle.ConstantTimeCompare([]byte(req.Header.Get(TokenHeader)), []byte(d.token)) != 1 {
			refuse(w, http.StatusForbidden, "the page is of another proxy; load it again")
			return
		}
		h(w, req)
	}
}

func (d *Dashboard) state(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, d.session.State())
}

func (d *Dashboard) logout(w http.ResponseWriter, req *http.Request) {
	if err := d.session.Logout(req.Context()); err != nil {
		refuse(w, http.StatusBadGateway, err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func refuse(w http.ResponseWriter, status int, message string) {
	write(w, status, map[string]string{"error": http.StatusText(status), "message": message})
}

func write(w http.ResponseWriter, status int, v any) {
	document, err := json.Marshal(v)
	if err != nil {
		panic(err) // what is shown can always be marshalled
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(document, '\n'))
}
