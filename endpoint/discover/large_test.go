package discover_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/endpoint/discover"
	"github.com/silentrefresh/silentrefresh/internal/har"
	"github.com/silentrefresh/silentrefresh/internal/har/hartest"
)

// TestManyRequests: a long recording, in which the session's cookie is another one each time and each request has a
// header of its own, takes seconds and not hours.
func TestManyRequests(t *testing.T) {
	entries := hartest.Parse(`
		> POST /login
		>
		> {"email": "ada@example.com", "password": "analytical"}
		< 200
		< Set-Cookie: sid=S0-aaaaaaaaaaaaaaaaaaaa; Path=/; HttpOnly`)
	n := har.MaxEntries / 10
	if testing.Short() {
		n /= 4
	}
	for i := range n {
		entries = append(entries, hartest.Parse(fmt.Sprintf(`
			> GET /api/things/%d
			> X-Anything: %d-abcdefghijklmnop
			> Cookie: sid=S%d-aaaaaaaaaaaaaaaaaaaa; other=O%d-aaaaaaaaaaaaaaaaaaaa
			< 200
			< Set-Cookie: sid=S%d-aaaaaaaaaaaaaaaaaaaa; Path=/; HttpOnly
			<
			< {"a": ["%s"]}`, i, i, i, i, i+1, strings.Repeat("x", 100)))...)
	}
	file := hartest.File("x", entries)
	begun := time.Now()
	r, err := discover.Recording(bytes.NewReader(file))
	if err != nil || r.Settings.AccessToken.Cookie != "sid" {
		t.Errorf("%v, %s, missing %q", err, settings(t, r), r.Missing)
	}
	t.Logf("%d requests took %v", n, time.Since(begun))
}
