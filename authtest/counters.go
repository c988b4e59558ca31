package authtest

import (
	"maps"
	"slices"
	"time"
)

// Counters count what reached the server. All but the first-named kinds count calls, whatever became of them.
type Counters struct {
	Logins    int `json:"logins"`    // sessions begun
	Refreshes int `json:"refreshes"` // tokens renewed, also those whose response was lost on the way
	Logouts   int `json:"logouts"`   // sessions ended by a logout

	LoginCalls          int `json:"loginCalls"`
	RefreshCalls        int `json:"refreshCalls"`
	LogoutCalls         int `json:"logoutCalls"`
	ConcurrentRefreshes int `json:"concurrentRefreshes"` // the most refresh calls that ran at one time
	Hanging             int `json:"hanging"`             // auth calls that hang now, by a fault

	RefreshRefused int `json:"refreshRefused"` // refreshes refused for their credential
	Reuses         int `json:"reuses"`         // spent refresh tokens presented again, outside the grace period
	GraceUses      int `json:"graceUses"`      // spent refresh tokens presented again, within it
	RateLimited    int `json:"rateLimited"`    // refreshes refused with 429
	CSRFRefused    int `json:"csrfRefused"`    // requests refused for a missing or wrong CSRF token

	API             int `json:"api"`             // API requests
	APIUnauthorized int `json:"apiUnauthorized"` // API requests rejected for their token, or for having none
	HandOuts        int `json:"handOuts"`        // API responses that handed out a new token
	RefreshAtAPI    int `json:"refreshAtAPI"`    // API requests that carried a refresh token, which they never should
}

// A Session is one login that is neither over nor run out.
type Session struct {
	ID        string    `json:"id"`
	Account   string    `json:"account"` // the email address
	Began     time.Time `json:"began"`
	Ends      time.Time `json:"ends"` // unless it is renewed before
	Refreshes int       `json:"refreshes"`
}

// Counters returns what was counted so far.
func (s *Server) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counters
}

// count changes the counters.
func (s *Server) count(f func(*Counters)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.counters)
}

// Secrets returns the passwords and all the tokens that the server remembers having given, for a test that searches
// its output for them. That a token has run out does not make it forgotten at once.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	secrets := slices.Collect(maps.Values(s.config.Load().Users))
	secrets = slices.AppendSeq(secrets, maps.Keys(s.access))
	return slices.AppendSeq(secrets, maps.Keys(s.refresh))
}

// Sessions returns the sessions that live, in the order of their logins.
func (s *Server) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var live []Session
	for _, number := range slices.Sorted(maps.Keys(s.families)) {
		if f := s.families[number]; f.ends.After(now) {
			live = append(live, Session{
				ID: f.id, Account: f.account, Began: f.began, Ends: f.ends, Refreshes: f.refreshes,
			})
		}
	}
	return live
}
