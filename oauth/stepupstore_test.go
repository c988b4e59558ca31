package oauth_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/silentrefresh/silentrefresh/oauth/oauthtest"
)

// TestStepUpAfterRestart: another process, whose only knowledge is the Store, asks for what the session has and for what
// is missing, as the same client; a refresh keeps all of it, and a further step adds to it.
func TestStepUpAfterRestart(t *testing.T) {
	for name, refreshed := range map[string]bool{"at once": false, "after a refresh": true} {
		t.Run(name, func(t *testing.T) {
			op := start(t, oauthtest.Config{Plain: true, Registers: true, NeedScope: "read"})
			dir := t.TempDir()
			var s steps
			for i, scope := range []string{"read", "write", "admin"} {
				op.Change(func(p *oauthtest.Config) { p.NeedScope = scope })
				e, cl := s.process(t, op, storedIn(t, dir))
				if i == 0 {
					if err := cl.Login(t.Context(), nil); err != nil {
						t.Fatal(err)
					}
				}
				if refreshed {
					if err := cl.Renew(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if got := get(t, e.StepUp(cl, nil), op.URL()+"/me"); got != http.StatusOK {
					t.Errorf("%s: status %d", scope, got)
				}
			}
			if got := s.all(); !slices.Equal(got, []string{"read", "read write", "read write admin"}) {
				t.Errorf("asked for %q", got)
			}
			if n := op.Calls("/register"); n != 1 {
				t.Errorf("%d registrations", n)
			}
		})
	}
}

// TestStepUpDeclinedBeforeARestart: what a person did not grant is not asked for at each start.
func TestStepUpDeclinedBeforeARestart(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true, NeedScope: "read"})
	dir := t.TempDir()
	var s steps
	for i := range 3 {
		e, cl := s.process(t, op, storedIn(t, dir))
		if i == 0 {
			if err := cl.Login(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			op.Change(func(p *oauthtest.Config) { p.NeedScope, p.Deny = "admin", "admin" })
		}
		if got := get(t, e.StepUp(cl, nil), op.URL()+"/me"); got != http.StatusForbidden {
			t.Errorf("status %d", got)
		}
		if err := cl.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.all(); !slices.Equal(got, []string{"read", "read admin"}) {
		t.Errorf("asked for %q", got)
	}
}

// TestStepUpOfOthers: processes that share a Store share what a person has granted to one of them, and what not.
func TestStepUpOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		deny   string
		status int
	}{"granted": {"", http.StatusOK}, "declined": {"write", http.StatusForbidden}} {
		t.Run(name, func(t *testing.T) {
			op := start(t, oauthtest.Config{Plain: true, Registers: true, NeedScope: "read", Deny: test.deny})
			dir := t.TempDir()
			var s steps
			var all []http.RoundTripper
			for i := range 3 {
				e, cl := s.process(t, op, storedIn(t, dir))
				if i == 0 {
					if err := cl.Login(t.Context(), nil); err != nil {
						t.Fatal(err)
					}
				}
				all = append(all, e.StepUp(cl, nil))
				if got := get(t, all[i], op.URL()+"/me"); got != http.StatusOK {
					t.Fatalf("status %d", got)
				}
			}
			op.Change(func(p *oauthtest.Config) { p.NeedScope = "write" })
			for i, rt := range all {
				if got := get(t, rt, op.URL()+"/me"); got != test.status {
					t.Errorf("process %d: status %d", i, got)
				}
			}
			if got := s.all(); !slices.Equal(got, []string{"read", "read write"}) {
				t.Errorf("asked for %q", got)
			}
		})
	}
}

// TestStepUpOfAForgottenClient: a registration from the Store that the server no longer knows is made anew.
func TestStepUpOfAForgottenClient(t *testing.T) {
	op := start(t, oauthtest.Config{Plain: true, Registers: true, RequirePush: true, NeedScope: "read"})
	dir := t.TempDir()
	if err := newClient(t, op, throughResource(op), storedIn(t, dir)).Login(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	op.Forget()
	op.Change(func(p *oauthtest.Config) { p.NeedScope = "write" })
	e := exchanger(t, throughResource(op))
	if got := get(t, e.StepUp(clientOf(t, op, e, storedIn(t, dir)), nil), op.URL()+"/me"); got != http.StatusOK || op.Calls("/register") != 2 {
		t.Errorf("status %d after %d registrations", got, op.Calls("/register"))
	}
}
