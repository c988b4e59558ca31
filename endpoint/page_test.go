package endpoint

import (
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/internal/response"
)

const loginPage = `<!DOCTYPE html><html><head>
<META NAME=csrf-param content="authenticity_token"><meta name="csrf-token" content="m&amp;1=" />
<!-- <meta name="commented" content="no"> <input name="commented" value="no"> -->
<script>var s = '<input name="scripted" value="no">';</script></head>
<body><form action="/login" method="post"><input type="hidden" value='h&#43;"1' name="_csrf">
<input name="empty" value=""><INPUT TYPE=HIDDEN NAME=bare VALUE=b1><input name="twice" value="1"><input name="twice" value="2">
<input name="open" value="never closed>`

func TestF105_HiddenFieldsAndMetaElements(t *testing.T) {
	for name, want := range map[string]string{"_csrf": `h+"1`, "bare": "b1", "twice": "1", "empty": "", "scripted": "", "commented": "", "nosuch": "", "open": ""} {
		if got, _ := fieldIn([]byte(loginPage), name); got != want {
			t.Errorf("field %s is %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"csrf-token": "m&1=", "csrf-param": "authenticity_token", "commented": "", "_csrf": ""} {
		if got, _ := metaIn([]byte(loginPage), name); got != want {
			t.Errorf("meta %s is %q, want %q", name, got, want)
		}
	}
	if got, ok := fieldIn([]byte(`<input name="x" value="`+strings.Repeat("v", response.MaxBody)+`">`), "x"); ok && len(got) > response.MaxBody {
		t.Errorf("%d bytes", len(got))
	}
}

// Whatever a page holds, it is read to its end, and a value that is found stands in the page.
func FuzzPage(f *testing.F) {
	f.Add([]byte(loginPage), "_csrf")
	f.Add([]byte("<input name=a value=\xff\x00><meta name=a content='"), "a")
	f.Add([]byte("<textarea><input name=a value=1></textarea><plaintext><input name=a value=2>"), "a")
	f.Fuzz(func(t *testing.T, page []byte, name string) {
		value, ok := fieldIn(page, name)
		if ok && len(value) > 3*len(page) {
			t.Errorf("%q of a page of %d bytes", value, len(page))
		}
		metaIn(page, name)
	})
}
