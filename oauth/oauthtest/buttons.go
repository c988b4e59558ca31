package oauthtest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// Counters count what the provider has seen.
type Counters struct {
	Logins         int // logins that got tokens, those of clients for themselves included
	Refreshes      int // refresh tokens exchanged, also where the response was lost on the way
	RefreshRefused int // refreshes refused for their credential
	Reuses         int // spent refresh tokens presented again, outside the grace period
	GraceUses      int // spent refresh tokens presented again, within it

	API             int // API requests
	APIUnauthorized int // API requests rejected for their token, or for having none
}

// Counters returns what was counted so far.
func (p *Provider) Counters() Counters {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counters
}

// Calls counts the requests to at, whatever became of them. Any path of the provider's will do.
func (p *Provider) Calls(at Endpoint) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[at]
}

// ExpireAll makes every access token expire now.
func (p *Provider) ExpireAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for token, g := range p.access {
		if g.expires[token].After(now) {
			g.expires[token] = now
		}
	}
}

// RevokeAccess revokes every access token. Refresh tokens stay good.
func (p *Provider) RevokeAccess() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for token, g := range p.access {
		delete(g.expires, token)
	}
}

// RevokeGrants revokes all that logins gave, as an administrator or the user does: refresh tokens are refused as
// invalid_grant from now on, and access tokens too. Sessions of browsers live on.
func (p *Provider) RevokeGrants() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, grants := range []map[string]*grant{p.refresh, p.access} {
		for _, g := range grants {
			g.revoked = true
		}
	}
}

// EndSessions ends every session of a browser at the provider: who comes next is asked to log in. Tokens live on.
func (p *Provider) EndSessions() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.sessions)
}

// Forget forgets every client that was registered, as a server does that was set up anew.
func (p *Provider) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.clients)
}

// Down takes the provider away, until Up: everything but the API responds with 503.
func (p *Provider) Down() { p.setDown(true) }

// Up ends an outage.
func (p *Provider) Up() { p.setDown(false) }

func (p *Provider) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Session starts a session of a browser's for account, as if it had logged in, and returns its cookie.
func (p *Provider) Session(account string) *http.Cookie {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newSession(account)
}

// Secrets returns all the tokens that the provider has given out, and the client's secret, for a test that searches its
// output for them.
func (p *Provider) Secrets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	secrets := slices.AppendSeq(slices.Collect(maps.Keys(p.access)), maps.Keys(p.refresh))
	if p.config.Secret != "" {
		secrets = append(secrets, p.config.Secret)
	}
	return secrets
}
