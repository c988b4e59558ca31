package upload

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBodyIsAsLongAsItSays, also where a file grows meanwhile, and as often as it is sent.
func TestBodyIsAsLongAsItSays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := Form([]string{"a=@" + file, "b=text"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("content, and more"), 0o600); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, "http://example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Attach(req); err != nil {
		t.Fatal(err)
	}
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []io.ReadCloser{req.Body, again} {
		text, err := io.ReadAll(body)
		if err != nil || int64(len(text)) != req.ContentLength || strings.Contains(string(text), "more") {
			t.Errorf("%v: %d bytes of %d:\n%s", err, len(text), req.ContentLength, text)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	os.Remove(file)
	if _, err := req.GetBody(); err == nil {
		t.Error("a file that is gone is no error")
	}
}

// FuzzForm: whatever a field is called and holds, the form has it, and nothing else.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"a=b", "a=b;type=text/plain", "a=<-", "a=@-;filename=x", `q"\=1`, "a=1;2;type=x;y=z", "a\r\nb=c", "=;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "=@") || strings.Contains(text, "=<") {
			return // files
		}
		b, err := Form([]string{text, "last=1"}, strings.NewReader(""))
		if err != nil {
			return
		}
		r, err := b.open()
		if err != nil {
			t.Fatal(err)
		}
		document, err := io.ReadAll(r)
		if err != nil || int64(len(document)) != b.Len() {
			t.Fatalf("%d bytes of %d, %v", len(document), b.Len(), err)
		}
		_, params, err := mime.ParseMediaType(b.Type)
		if err != nil {
			t.Fatal(err)
		}
		parts := multipart.NewReader(bytes.NewReader(document), params["boundary"])
		for range 2 {
			if _, err := parts.NextRawPart(); err != nil {
				t.Fatalf("%q: %v in\n%s", text, err, document)
			}
		}
		if _, err := parts.NextRawPart(); err != io.EOF {
			t.Errorf("%q makes more than a field", text)
		}
	})
}

func TestOptionsOfFields(t *testing.T) {
	for value, want := range map[string][3]string{
		"x":                              {"x", "", ""},
		"x;y":                            {"x;y", "", ""},
		"x;type=text/plain":              {"x", "text/plain", ""},
		"x;type=text/html;charset=utf-8": {"x", "text/html;charset=utf-8", ""},
		`x;filename="a.b";type=c/d`:      {"x", "c/d", "a.b"},
		"x;type=c/d;filename=a":          {"x", "c/d", "a"},
	} {
		if rest, mediaType, as := options(value); [3]string{rest, mediaType, as} != want {
			t.Errorf("%s: %q %q %q", value, rest, mediaType, as)
		}
	}
}
