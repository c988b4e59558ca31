package express_test

import (
	"context"
	"errors"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
)

func TestRotationAndReuse(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, wire := s.newClient(t, silentrefresh.Config{})
	login(t, c, ada)
	other, _ := s.newClient(t, silentrefresh.Config{})
	login(t, other, ada)
	stranger, _ := s.newClient(t, silentrefresh.Config{})
	login(t, stranger, grace)

	sent := map[string]bool{}
	for range 5 {
		if err := c.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, call := range wire.to("/auth/refresh") {
		if sent[call.cookie] {
			t.Error("a refresh token was sent twice")
		}
		sent[call.cookie] = true
	}
	if len(sent) != 5 {
		t.Errorf("%d different refresh tokens were sent, want 5", len(sent))
	}

	thief, _ := s.newClient(t, silentrefresh.Config{})
	wantOver(t, thief.Resume(t.Context(), brought(wire.to("/auth/refresh")[0].cookie)))
	wantOver(t, c.Renew(t.Context()))
	wantOver(t, other.Renew(t.Context())) // every session of that user
	if err := stranger.Renew(t.Context()); err != nil {
		t.Errorf("another user's session: %v", err)
	}

	login(t, c, ada)
	wantOK(t, c, s.URL+"/api/me")
}

func TestF24_RateLimitNeverLogsOut(t *testing.T) {
	t.Parallel()
	s := start(t, "REFRESH_LIMIT=1", "REFRESH_WINDOW=2")
	patient, wire := s.newClient(t, silentrefresh.Config{})
	hasty, _ := s.newClient(t, silentrefresh.Config{MaxWait: -1})
	login(t, patient, ada)
	login(t, hasty, ada)

	if err := hasty.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)         // our own limit is one in 500 ms
	err := hasty.Renew(t.Context()) // over the server's limit
	re, ok := errors.AsType[*auth.Error](err)
	if !ok || re.Status != http.StatusTooManyRequests || re.Until.IsZero() {
		t.Errorf("got %v, want an *auth.Error with 429 and a time", err)
	}
	if errors.Is(err, silentrefresh.ErrSessionOver) {
		t.Errorf("a rate limit ended the session: %v", err)
	}
	wantOK(t, hasty, s.URL+"/api/me") // the valid token serves on
	if st := hasty.Status(); st.State != silentrefresh.StateLoggedIn {
		t.Errorf("state %q, want logged in", st.State)
	}

	if err := hasty.Close(); err != nil { // it would use up the next window
		t.Fatal(err)
	}

	if err := patient.Renew(t.Context()); err != nil { // waits for the next window
		t.Errorf("the patient one: %v", err)
	}
	if n := wire.responded("/auth/refresh", http.StatusTooManyRequests); n != 1 {
		t.Errorf("429 was returned %d times, want once: Retry-After says when to come again", n)
	}
	wantOK(t, patient, s.URL+"/api/me")
}

// A server that keeps its sessions in memory has none after a restart.
func TestServerRestart(t *testing.T) {
	t.Parallel()
	node, _ := exec.LookPath("node")
	s := start(t, "REFRESH_TOKEN_SECRET=signs refresh tokens in these tests")
	down := make(chan struct{}, 100)
	c, _ := s.newClient(t, silentrefresh.Config{Observe: func(ev silentrefresh.Event) {
		if ev.Kind == silentrefresh.EventRetrying {
			down <- struct{}{}
		}
	}})
	login(t, c, ada)

	s.stop()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-down; cancel() }()
	if err := c.Renew(ctx); err == nil || errors.Is(err, silentrefresh.ErrSessionOver) {
		t.Errorf("a refresh while the server is away: %v, want an error that does not end the session", err)
	}
	if st := c.Status(); !st.State.Healthy() {
		t.Errorf("state %q while the server is away, want a healthy one", st.State)
	}

	s.restart(t, node)
	wantOK(t, c, s.URL+"/api/me") // the access token is good as long as its signature is
	wantOver(t, c.Renew(t.Context()))
	login(t, c, ada)
	wantOK(t, c, s.URL+"/api/me")
}
