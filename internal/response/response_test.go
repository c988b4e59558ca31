package response

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func read(contentType, body string) *Response {
	return New(200, http.Header{"Content-Type": {contentType}}, []byte(body), time.Now())
}

// TestF74_NoDocumentIsSearchedFurtherThanAnyServersGoes: what a search costs is bounded by what servers have, not by what
// fits into a body.
func TestF74_NoDocumentIsSearchedFurtherThanAnyServersGoes(t *testing.T) {
	wide := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"k` + strconv.Itoa(i) + `":{"deep":{}},`)
		}
		return `{` + b.String() + `"token":"t"}`
	}
	for _, tt := range []struct {
		name, body string
		objects    int
		found      bool
	}{
		{"usual", `{"data":{"token":"t"}}`, 2, true},
		{"wide", wide(maxFields - 1), maxObjects, true},
		{"wider", wide(maxFields + 1), 1, false},
		{"deep", strings.Repeat(`{"a":`, 100) + `{"token":"t"}` + strings.Repeat(`}`, 100), maxDepth + 1, false},
	} {
		r := read("application/json", tt.body)
		if n := len(r.Objects()); n != tt.objects {
			t.Errorf("%s: %d objects, want %d", tt.name, n, tt.objects)
		}
		_, _, found := r.Find(Nowhere, func(o *Object) (string, bool) {
			s, ok := o.Get("token").(string)
			return s, ok
		})
		if found != tt.found {
			t.Errorf("%s: found %t", tt.name, found)
		}
	}
}

func TestOfTwoSpellingsItIsAlwaysTheSame(t *testing.T) {
	for range 50 {
		o := read("application/json", `{"access_token":"b","accessToken":"a","Access-Token":"c","ACCESSTOKEN":"d"}`).Objects()[0]
		if got := o.Get("accesstoken"); got != "d" {
			t.Fatalf("got %v", got)
		}
	}
}

func TestDrops(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		want  bool
	}{
		{nil, false},
		{[]string{"a=; Max-Age=0"}, true},
		{[]string{"a="}, true},
		{[]string{"a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, true},
		{[]string{"a=x"}, false},
		{[]string{"b=; Max-Age=0"}, false},
		{[]string{"a=; Path=/old; Max-Age=0", "a=new; Path=/"}, false},
		{[]string{"a=new; Path=/", "a=; Path=/old; Max-Age=0"}, false},
	} {
		r := New(200, http.Header{"Set-Cookie": tt.lines}, nil, time.Now())
		if got := r.Drops("a"); got != tt.want {
			t.Errorf("%q: %t", tt.lines, got)
		}
	}
}

func TestF89_AMediaTypeIsShownOnlyIfItIsOne(t *testing.T) {
	for contentType, want := range map[string]string{
		"image/png": "image/png", "application/octet-stream": "application/octet-stream",
		"image/def50200a8f1": "image/...", "secret/secret": "something else", "application/" + strings.Repeat("x", 50): "application/...",
	} {
		if r := read(contentType, "\x00"); r.Err == nil || !strings.Contains(r.Err.Error(), strconv.Quote(want)) {
			t.Errorf("%s: %v", contentType, r.Err)
		}
	}
}

func FuzzNew(f *testing.F) {
	for _, body := range []string{`{"a":{"b":[{"c":null}]}}`, `a=b&c=d`, `<x>`, "\xef\xbb\xbf[]", `"text"`, `{"expires_in_ms":1}`} {
		f.Add("application/json", body, "a.0.b")
		f.Add("text/plain", body, "a")
	}
	f.Fuzz(func(t *testing.T, contentType, body, path string) {
		r := read(contentType, body)
		if r.Err != nil && r.Document != nil {
			t.Errorf("%q: a document and %v", body, r.Err)
		}
		if len(r.Objects()) > maxObjects {
			t.Errorf("%d objects", len(r.Objects()))
		}
		for _, o := range r.Objects() {
			o.Moment([]string{"expiresin"}, 0)
		}
		r.Lookup(path)
	})
}
