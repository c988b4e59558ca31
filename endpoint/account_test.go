package endpoint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// What identifies an account, and what it is called, is where the settings say. Where a name identifies it by default and
// that changes, a refresh goes on; where it is another account's, it does not.
func TestF87_WhatNamesTheAccountIsASetting(t *testing.T) {
	token := func(pairs ...any) string { return fmt.Sprintf(`"token": %q`, fakes.JWT(t, pairs...)) }
	for _, tt := range []struct {
		name, settings, login, refresh string
		subject, account               string
		other                          bool // the refresh is taken for another account's
	}{
		{"the usual claim", ``, token("sub", "1", "email", "ada@x.test"), token("sub", "1"), "1", "ada@x.test", false},
		{"the usual claim, changed", ``, token("sub", "ada"), token("sub", "ada.l"), "ada", "ada@x.test", true},
		{"another claim", `{"claim": "uid"}`, token("sub", "ada", "uid", 7), token("sub", "ada.l", "uid", 7), "7", "ada@x.test", false},
		{"another claim, changed", `{"claim": "uid"}`, token("sub", "ada", "uid", 7), token("sub", "ada", "uid", 8), "7", "ada@x.test", true},
		{"nested", `{"claim": "user.id"}`, token("sub", "a", "user", map[string]any{"id": "7"}), token("sub", "b", "user", map[string]any{"id": "7"}), "7", "ada@x.test", false},
		{"with a dot in its name", `{"claim": "https://x.test/uid"}`, token("sub", "a", "https://x.test/uid", "7"), token("sub", "b", "https://x.test/uid", "8"), "7", "ada@x.test", true},
		{"none", `{"claim": "-"}`, token("sub", "a"), token("sub", "b"), "", "ada@x.test", false},
		{"in the response", `{"json": "person.nr"}`, `"token": "t1", "person": {"nr": 7}`, `"token": "t2", "person": {"nr": 7}`, "7", "ada@x.test", false},
		{"in the response, changed", `{"json": "person.nr"}`, `"token": "t1", "person": {"nr": 7}`, `"token": "t2", "person": {"nr": 8}`, "7", "ada@x.test", true},
		{"in the first response alone", `{"json": "person.nr"}`, token("sub", "a") + `, "person": {"nr": 7}`, token("sub", "b"), "7", "ada@x.test", false},
		{"called otherwise", `{"name": "person.nick"}`, `"token": "t1", "person": {"nick": "Ada"}, "email": "wrong@x.test"`, `"token": "t2"`, "", "Ada", false},
		{"called otherwise, in the token", `{"name": "nick"}`, token("sub", "1", "nick", "Ada", "email", "wrong@x.test"), token("sub", "1"), "1", "Ada", false},
	} {
		settings := `{}`
		if tt.settings != "" {
			settings = `{"account": ` + tt.settings + `}`
		}
		respond := fakes.InTurn(fakes.RespondJSON(200, "{"+tt.login+"}", "Set-Cookie", "refresh=r; HttpOnly"), fakes.RespondJSON(200, "{"+tt.refresh+"}"))
		call := callerOf(t, settingsOf(t, settings), respond)
		s, err := call.login(map[string]string{"email": "ada@x.test", "password": "pw"})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if s.Subject != tt.subject || s.Account != tt.account {
			t.Errorf("%s: subject %q, account %q; want %q, %q", tt.name, s.Subject, s.Account, tt.subject, tt.account)
		}
		_, err = call.refresh(s)
		if other := err != nil && strings.Contains(err.Error(), "another account"); other != tt.other || !other && err != nil {
			t.Errorf("%s: refresh: %v", tt.name, err)
		}
		if tt.other && !strings.Contains(failure(t, err).Hint, "account.claim") {
			t.Errorf("%s: hint %q", tt.name, failure(t, err).Hint)
		}
	}
}

func TestF87_ATokenThatIsBroughtIsReadAlike(t *testing.T) {
	e, err := settingsOf(t, `{"account": {"claim": "uid"}}`).Bind(fakes.URL(t, asOrigin), auth.Attach{})
	if err != nil {
		t.Fatal(err)
	}
	if got := e.ReadSubject(auth.NewSecret(fakes.JWT(t, "sub", "ada", "uid", 7))); got != "7" {
		t.Errorf("%q, want 7", got)
	}
	if got := e.ReadSubject(auth.NewSecret("opaque")); got != "" {
		t.Errorf("of an opaque token %q", got)
	}
}
