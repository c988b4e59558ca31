package main

import (
	"net/http"
	"time"
)

// A contender is one way to put a token on requests.
type contender struct {
	name  string
	about string // its configuration here: the best reasonable one
	// renews: it gets new tokens. Without it a contender only marks a limit.
	renews bool
	// sees401: it does something about a token that the API refuses, and replays: the caller never sees it.
	sees401, replays bool
	fit              func(setup) (fitted, error)
}

// A setup is what a contender is fitted to.
type setup struct {
	network
	source *source
	lead   time.Duration // renew that long before the end; 0: the contender's own idea
	// send is what happens to a request below the contender. It follows redirects for those that sit above a
	// http.Client in an application, and is base.RoundTrip otherwise.
	redirects bool
	// beside is another session of the same program, whose pools and settings may be shared; nil for the first.
	beside *fitted
	number int // of this session among those
}

// A fitted contender is ready for requests.
type fitted struct {
	http.RoundTripper
	// held are the values that an application has in its hands, and may print by accident.
	held []any
	// shared is what further sessions may use of this one.
	shared any
	close  func()
}

const (
	nameLimit   = "no auth"
	nameMinimal = "minimal"
	nameOurs    = "silentrefresh"
)

func contenders() []contender {
	return []contender{noAuth, minimal, oauth2Transport, cloudAuth, azcorePolicy, smithyCache, clientGo,
		mutexOnly, mutexRecheck, silently}
}

func which(list []contender, keep func(contender) bool) []contender {
	var kept []contender
	for _, c := range list {
		if keep(c) {
			kept = append(kept, c)
		}
	}
	return kept
}

// fitTo logs in at s and fits c to it.
func fitTo(c contender, s *server, n network, lead time.Duration) (fitted, error) {
	s.open = c.name == nameLimit
	first, credential := s.login()
	return c.fit(setup{network: n, source: newSource(n, first, credential), lead: lead})
}

// below returns how a contender that sits above a http.Client in applications sends a request: through one if
// redirects are what is looked at, and directly otherwise, so that a http.Client is in nobody's figures.
func (s setup) below() func(*http.Request) (*http.Response, error) {
	if !s.redirects {
		return s.base.RoundTrip
	}
	return (&http.Client{Transport: s.base}).Do
}

// roundTripper makes a function a http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func nothing() {}
