package acceptance

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// signing is an auth server whose tokens are bound to a key, and an API that wants its latest nonce in each proof.
type signing struct {
	*fakes.Server
	nonce string
	known string
	sent  []string
}

func (s *signing) SignsRequests(auth.Session) bool { return true }

func (s *signing) SignRequest(req *http.Request, session auth.Session) error {
	req.Header.Set("Proof", session.AccessToken.Reveal()+" "+s.known)
	return nil
}

func (s *signing) ReadSigned(resp *http.Response, _ auth.Session) bool {
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("Nonce") == "" {
		return false
	}
	s.known = resp.Header.Get("Nonce")
	return true
}

func (s *signing) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		body = string(b)
	}
	s.sent = append(s.sent, body)
	if token, nonce, _ := strings.Cut(req.Header.Get("Proof"), " "); nonce != s.nonce || "Bearer "+token != req.Header.Get("Authorization") {
		resp := fakes.ResponseTo(req, http.StatusUnauthorized)
		resp.Header.Set("Nonce", s.nonce)
		return resp, nil
	}
	return fakes.ResponseTo(req, http.StatusOK), nil
}

// A request that lacks only the server's nonce is signed anew and sent once more, with its body, and without a refresh.
func TestSignedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &signing{Server: &fakes.Server{}, nonce: "n1"}
		c := clientOf(t, s.Server, func(cfg *silentrefresh.Config) { cfg.Exchanger, cfg.Base = s, s })
		for i := range 3 {
			resp, err := c.HTTPClient().Post("https://api.example.com/items", "text/plain", strings.NewReader("hello"))
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatal(resp, err)
			}
			s.nonce = fmt.Sprint("n", i+2) // the server rotates it
		}
		if _, refreshes, _ := s.Counts(); refreshes != 0 || strings.Join(s.sent, " ") != strings.Repeat("hello ", 5)+"hello" {
			t.Errorf("%d refreshes; sent %q", refreshes, s.sent)
		}
	})
}
