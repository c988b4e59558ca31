package har_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/silentrefresh/silentrefresh/internal/har"
)

func all(*har.Entry) bool { return true }

// TestLongStringsAreCut, without an escape sequence in two, and whatever the reader's portions are.
func TestLongStringsAreCut(t *testing.T) {
	for shift := range 8 {
		long := strings.Repeat("x", shift) + strings.Repeat(`\u00e9\\\"`, har.MaxText/8)
		file := `{"log": {"entries": [{"request": {"method": "GET", "url": "u"}, "response": {"content": {"text": "` + long + `"}, "status": 200}}]}}`
		rec, err := har.Read(iotest.HalfReader(strings.NewReader(file)), all)
		if err != nil {
			t.Fatal(err)
		}
		e := rec.Entries[0]
		if n := len(e.Response.Content.Text); n > har.MaxText || n < har.MaxText/5 || e.Response.Status != 200 {
			t.Errorf("shift %d: %d bytes, status %d", shift, n, e.Response.Status)
		}
		var whole string
		if err := json.Unmarshal([]byte(`"`+long+`"`), &whole); err != nil || !strings.HasPrefix(whole, e.Response.Content.Text) {
			t.Errorf("shift %d: what is left is not the beginning", shift)
		}
	}
}

// endless is a recording that never ends.
type endless struct {
	entry string
	begun bool
	rest  string
}

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		e.rest = e.entry + ","
	}
	if !e.begun {
		e.begun, e.rest = true, `{"log": {"entries": [`+e.rest
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestTheRestOfALargeFileIsNotRead: the bounds are said.
func TestTheRestOfALargeFileIsNotRead(t *testing.T) {
	request := `{"request": {"method": "GET", "url": "https://a.example/"}, "response": {"status": 200, "content": {"text": "%s"}}}`
	many, err := har.Read(&endless{entry: fmt.Sprintf(request, "")}, all)
	if err != nil || len(many.Entries) != har.MaxEntries || !strings.Contains(fmt.Sprint(many.Cut), "20000") {
		t.Errorf("many: %v", err)
	}
	large, err := har.Read(&endless{entry: fmt.Sprintf(request, strings.Repeat("x", har.MaxText/2))}, all)
	if err != nil || len(large.Entries) > 2*har.MaxKept/har.MaxText+2 || large.Cut == nil {
		t.Errorf("large: %v, %d entries", err, len(large.Entries))
	}
	if _, err := har.Read(&endless{entry: strings.Repeat("[", har.MaxEntry)}, all); err == nil {
		t.Error("endless nesting was read")
	}
	fat := `{"request": {"headers": [` + strings.Repeat(`{"name": "a"},`, har.MaxEntry/10) + `{}]}}`
	if _, err := har.Read(io.MultiReader(&endless{entry: fat}), all); err == nil || !strings.Contains(err.Error(), "16 MiB") {
		t.Errorf("fat: %v", err)
	}
}
