package authtest

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/internal/bubble"
)

// NewClient returns a silentrefresh.Client that is logged in at a new server, and the server. Both are closed when the
// test ends. It is NewServer and then Server.Client.
func NewClient(tb testing.TB, server Config, client silentrefresh.Config) (*silentrefresh.Client, *Server) {
	tb.Helper()
	s := NewServer(tb, server)
	return s.Client(tb, client), s
}

// Client returns a client that is logged in at s and closed when the test ends, before s if tb is that of s. config is as
// in a program; what it leaves out of BaseURL, Base and the URLs of the auth endpoints leads to s. The login is that of
// the first of Config.Users, in the order of their email addresses. A failure ends the test.
func (s *Server) Client(tb testing.TB, config silentrefresh.Config) *silentrefresh.Client {
	tb.Helper()
	client, err := silentrefresh.New(s.lead(config))
	if err != nil {
		tb.Fatal(err)
	}
	bubble.AtEnd(tb, func() {
		if err := client.Close(); err != nil {
			tb.Logf("authtest: close the client: %v", err)
		}
	})
	if err := client.Login(tb.Context(), s.credentials()); err != nil {
		tb.Fatalf("authtest: log the client in: %v", err)
	}
	return client
}

// credentials are those of the first account.
func (s *Server) credentials() map[string]string {
	users := s.config.Load().Users
	for _, email := range slices.Sorted(maps.Keys(users)) {
		return map[string]string{"email": email, "password": users[email]}
	}
	return nil
}

// lead completes config.
func (s *Server) lead(config silentrefresh.Config) silentrefresh.Config {
	config.BaseURL = cmp.Or(config.BaseURL, s.URL())
	if config.Base == nil {
		config.Base = s.Transport()
	}
	if e := &config.Endpoint; s.auth != s.api && config.Exchanger == nil {
		e.Login.URL = cmp.Or(e.Login.URL, s.AuthURL()+"/auth/login")
		e.Refresh.URL = cmp.Or(e.Refresh.URL, s.AuthURL()+"/auth/refresh")
		e.Logout.URL = cmp.Or(e.Logout.URL, s.AuthURL()+"/auth/logout")
	}
	return config
}
