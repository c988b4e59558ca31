package page

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

const small = `<!doctype html><meta name="token" content="{{token}}"><style>/*page.css*/ p {}</style><script>/*page.js*/ x();</script>`

// TestPolicy: the page may run what it holds and nothing else.
func TestPolicy(t *testing.T) {
	w := httptest.NewRecorder()
	New(small).Serve(w, `"><script>`)
	body, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
	for _, element := range []string{"script", "style"} {
		found := regexp.MustCompile(`(?s)<` + element + `>(.*?)</` + element + `>`).FindStringSubmatch(body)
		if found == nil {
			t.Fatalf("no %s in %s", element, body)
		}
		sum := sha256.Sum256([]byte(found[1]))
		if want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("the policy %s lacks %s", policy, want)
		}
	}
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %s lacks %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(body, `content=""><script>`) || !strings.Contains(body, `content="&#34;&gt;&lt;script&gt;"`) {
		t.Errorf("the token is not escaped, or the policy is weak:\n%s\n%s", policy, body)
	}
	if h := w.Header(); h.Get("Cross-Origin-Opener-Policy") != "same-origin" || h.Get("Cache-Control") != "no-store" ||
		h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", h)
	}
}

// TestWhatPagesShareIsWhole: a mistake in a document is found when the program starts, and not by a person.
func TestWhatPagesShareIsWhole(t *testing.T) {
	if strings.Contains(script, "</script") || strings.Contains(style, "</style") || strings.Contains(script, "innerHTML") {
		t.Error("what pages share would break them")
	}
	defer func() {
		if recover() == nil {
			t.Error("a document without a style is taken")
		}
	}()
	New("<script></script>")
}
