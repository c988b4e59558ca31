package oauth

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/challenge"
	"github.com/silentrefresh/silentrefresh/internal/origin"
)

var _ auth.RequestSigner = (*Exchanger)(nil)

// SignsRequests implements auth.RequestSigner: a session whose tokens are bound to a key signs (RFC 9449). Since it is
// asked about each new session, it is also where a process that has just started learns what the session in the Store has,
// which a login for more scopes adds to.
func (e *Exchanger) SignsRequests(s auth.Session) bool {
	x := extraOf(s)
	e.remember(x)
	return len(x.Key) > 0
}

// SignRequest implements auth.RequestSigner: it sets the DPoP proof, and the access token with the scheme DPoP (RFC 9449
// section 7.1).
func (e *Exchanger) SignRequest(req *http.Request, s auth.Session) error {
	key, err := e.keys.of(s)
	if err != nil || key == nil {
		return err
	}
	token := s.AccessToken.Reveal()
	c := e.clock.get(requestOrigin(req))
	if own := e.denied.take(req.Header.Get("DPoP")); own != "" {
		c.nonce = own
	}
	proof, err := key.prove(methodOf(req), req.URL, token, c, time.Now())
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "DPoP "+token)
	req.Header.Set("DPoP", proof)
	return nil
}

// ReadSigned implements auth.RequestSigner: it takes the nonce of the response (RFC 9449 section 8.2), and reports
// whether that is what the request lacked. Then it is for that request alone, at first.
func (e *Exchanger) ReadSigned(resp *http.Response, _ auth.Session) (again bool) {
	if resp.Request == nil || resp.Request.URL == nil {
		return false
	}
	if nonce := resp.Header.Get("DPoP-Nonce"); nonce != "" && resp.StatusCode == http.StatusUnauthorized {
		challenge.Each(resp.Header.Values("Www-Authenticate"), func(scheme, name, value string) {
			again = again || strings.EqualFold(scheme, "DPoP") && name == "error" && value == "use_dpop_nonce"
		})
	}
	now := time.Now()
	if !again {
		e.clock.learn(requestOrigin(resp.Request), resp.Header, now, time.Time{})
		return false
	}
	e.denied.put(resp.Request.Header.Get("DPoP"), resp.Header.Get("DPoP-Nonce"))
	e.clock.learn(requestOrigin(resp.Request), resp.Header, now, now.Add(reservation))
	return true
}

// denials are the nonces that came with denials, each by the proof that was denied: a request that is sent again has that
// proof still. The zero value is ready, and safe for concurrent use.
type denials struct {
	mu     sync.Mutex
	nonces map[string]string
}

func (d *denials) put(proof, nonce string) {
	if len(nonce) > maxNonce {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.nonces == nil || len(d.nonces) >= maxClocks { // of requests that could not be sent again
		d.nonces = map[string]string{}
	}
	d.nonces[proof] = nonce
}

// take returns the nonce for the request that has the proof, "" if it was not denied.
func (d *denials) take(proof string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	nonce := d.nonces[proof]
	delete(d.nonces, proof)
	return nonce
}

func methodOf(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return req.Method
}

func requestOrigin(req *http.Request) string {
	o, err := origin.Of(req.URL)
	if err != nil {
		return ""
	}
	return o.String()
}

// A keyCache has the keys of sessions, parsed. The zero value is ready, and safe for concurrent use.
type keyCache struct {
	mu   sync.Mutex
	keys map[string]*proofKey // by what the session keeps
}

// maxKeys bounds the memory: a process may have very many sessions.
const maxKeys = 4096

// of returns the key of s, nil if its tokens are bound to none.
func (c *keyCache) of(s auth.Session) (*proofKey, error) {
	private := s.Extra.Reveal()
	c.mu.Lock()
	key := c.keys[private]
	c.mu.Unlock()
	if key != nil {
		return key, nil
	}
	e := extraOf(s)
	if len(e.Key) == 0 {
		return nil, nil
	}
	key, err := readProofKey(e.Key)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= maxKeys {
		c.keys = map[string]*proofKey{}
	}
	c.keys[private] = key
	return key, nil
}
