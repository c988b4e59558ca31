package discover_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/endpoint/discover"
	"github.com/silentrefresh/silentrefresh/internal/har"
	"github.com/silentrefresh/silentrefresh/internal/har/hartest"
)

// FuzzRecording: whatever a file holds, reading it ends, settings of it are settings, and no secret is among them.
func FuzzRecording(f *testing.F) {
	for _, s := range servers {
		f.Add(hartest.File("x", hartest.Parse(s.recorded)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := discover.Recording(bytes.NewReader(file))
		if err == nil {
			noSecrets(t, r, file)
		}
	})
}

// noSecrets fails where a long cookie value of the recording is among what was learned.
func noSecrets(t *testing.T, r discover.Result, file []byte) {
	t.Helper()
	said, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := har.Read(bytes.NewReader(file), func(*har.Entry) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range rec.Entries {
		for _, h := range e.Request.Headers {
			if !strings.EqualFold(h.Name, "cookie") {
				continue
			}
			for part := range strings.SplitSeq(h.Value, "; ") {
				if _, value, ok := strings.Cut(part, "="); ok && len(value) > 15 && json.Valid([]byte(`"`+value+`"`)) && bytes.Contains(said, []byte(value)) {
					t.Errorf("the cookie %q is in %s", value, said)
				}
			}
		}
	}
}

// FuzzCurl: whatever a command line holds, reading it ends.
func FuzzCurl(f *testing.F) {
	for _, c := range curls {
		f.Add(c.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := discover.Curl(line)
		if err != nil {
			return
		}
		said, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if token := r.Session.AccessToken.Reveal(); len(token) > 15 && bytes.Contains(said, []byte(token)) && !strings.Contains(r.BaseURL, token) {
			t.Errorf("the token is in %s", said)
		}
	})
}

// TestSecretsStayOut: neither tokens nor cookies nor what was typed get into a Result.
func TestSecretsStayOut(t *testing.T) {
	for _, s := range servers {
		said, err := json.Marshal(learned(t, s.recorded))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"analytical", "ada@example.com", `"ada"`, "A1-bbbb", "A2-bbbb", "R1-", "R2-", "eyJpdiI6", "anonymous0123", "loggedin0123", "C0ffee", "Meta0", "Form0", "Meta9"} {
			if bytes.Contains(said, []byte(secret)) {
				t.Errorf("%s: %s is in %s", s.name, secret, said)
			}
		}
	}
}
