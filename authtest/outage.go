package authtest

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/wall"
)

// An Outage is a way for the auth server to be away. The API is there all the while.
type Outage string

// The outages. A client knows of each that its credential was not looked at, but for Resetting.
const (
	// Unavailable returns 503, as the proxy in front of a server that is down does.
	Unavailable Outage = "unavailable"
	// Resetting resets each connection that brings an auth call.
	Resetting Outage = "resetting"
	// Refusing lets nobody connect. Connections that are open stay and serve API requests. Without
	// Config.AuthApart the API is at the same address, and takes no new connections either.
	Refusing Outage = "refusing"
)

// A gate is a mutex held across waiting: to wait for it is to let the clock of a testing/synctest bubble go on, which
// waiting for a sync.Mutex is not.
type gate chan struct{}

func newGate() gate    { return make(gate, 1) }
func (g gate) Lock()   { g <- struct{}{} }
func (g gate) Unlock() { <-g }

func (o Outage) known() bool { return o == Unavailable || o == Resetting || o == Refusing }

// Down takes the auth server away, until Up. A misspelt outage panics.
func (s *Server) Down(how Outage) { s.down(how, time.Time{}) }

// DownFor takes the auth server away for d of the server's time: a Sleep counts.
func (s *Server) DownFor(how Outage, d time.Duration) { s.down(how, wall.Now().Add(d)) }

func (s *Server) down(how Outage, until time.Time) {
	if !how.known() {
		panic("authtest: there is no outage " + strconv.Quote(string(how)))
	}
	s.outage.Lock()
	defer s.outage.Unlock()
	s.up()
	s.mu.Lock()
	s.how, s.until = how, until
	s.mu.Unlock()
	if how == Refusing {
		s.auth.refuse()
	}
	s.arm(until)
}

// arm has upIfDue called when the time is over. It needs s.outage.
func (s *Server) arm(until time.Time) {
	if !until.IsZero() {
		s.wake = time.AfterFunc(until.Sub(wall.Now()), s.upIfDue)
	}
}

// Up ends an outage.
func (s *Server) Up() {
	s.outage.Lock()
	defer s.outage.Unlock()
	s.up()
}

// up needs s.outage.
func (s *Server) up() {
	s.mu.Lock()
	refusing := s.how == Refusing
	s.how, s.until = "", time.Time{}
	s.mu.Unlock()
	if s.wake != nil {
		s.wake.Stop()
	}
	if refusing {
		s.auth.accept()
	}
}

// upIfDue ends an outage whose time is over by the wall clock. If it is not, it looks again when it should be.
func (s *Server) upIfDue() {
	s.outage.Lock()
	defer s.outage.Unlock()
	s.mu.Lock()
	until := s.until
	s.mu.Unlock()
	switch {
	case until.IsZero() || s.closed():
	case wall.Now().Before(until):
		s.wake.Stop()
		s.arm(until)
	default:
		s.up()
	}
}

// away responds to an auth call during an outage, and reports whether there is one.
func (s *Server) away(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	how := s.how
	s.mu.Unlock()
	switch how {
	case "":
		return false
	case Unavailable:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "<!doctype html><title>503</title><h1>Service Unavailable</h1>\n")
	default:
		reset(w)
	}
	return true
}
