package authtest

import (
	_ "embed"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	htmlpage "github.com/silentrefresh/silentrefresh/internal/page"
	"github.com/silentrefresh/silentrefresh/internal/wall"
)

//go:embed page.html
var pageDocument string

// buttonPage is the page with the buttons.
var buttonPage = sync.OnceValue(func() *htmlpage.Page { return htmlpage.New(pageDocument) })

// servePage serves the page to a browser, and the list of buttons to others.
func servePage(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		buttonPage().Serve(w, "")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, buttonList)
}

// A state is what the page shows.
type state struct {
	Now       time.Time `json:"now"` // by this machine's clock, as all times here
	URL       string    `json:"url"`
	AuthURL   string    `json:"auth_url"`
	Account   string    `json:"account"`
	Password  string    `json:"password"`
	AccessTTL float64   `json:"access_ttl_seconds"`
	Outage    Outage    `json:"outage"` // "" while the auth server is there
	Until     time.Time `json:"until,omitzero"`
	Counters  Counters  `json:"counters"`
	Sessions  []Session `json:"sessions"`
	Requests  []entry   `json:"requests"`
}

func (s *Server) state() state {
	c := s.config.Load()
	account := slices.Sorted(maps.Keys(c.Users))[0]
	st := state{
		Now: wall.Now(), URL: s.URL(), AuthURL: s.AuthURL(), Account: account, Password: c.Users[account], AccessTTL: c.AccessTTL.Seconds(),
		Counters: s.Counters(), Sessions: append([]Session{}, s.Sessions()...), Requests: s.journal.all(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Outage, st.Until = s.how, s.until
	return st
}
