// Package writeout fills in templates as curl's -w has them.
package writeout

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/suggest"
)

// A Transfer is what a template may tell of. Its zero value is a request that got no response.
type Transfer struct {
	Status      int // 0: there was no response
	Method      string
	URL         string // that responded, after redirects
	Proto       string // HTTP/1.1
	ContentType string
	Location    string // to which a redirect leads that was not followed
	File        string // into which the body was written
	Redirects   int    // that were followed
	Uploaded    int64
	Downloaded  int64 // of the body
	FirstByte   time.Duration
	Total       time.Duration
	ExitCode    int
	Error       string
}

// variables are those of curl that are known here.
var variables = map[string]func(*Transfer) string{
	"http_code":          func(t *Transfer) string { return fmt.Sprintf("%03d", t.Status) },
	"response_code":      func(t *Transfer) string { return fmt.Sprintf("%03d", t.Status) },
	"http_version":       func(t *Transfer) string { return strings.TrimSuffix(strings.TrimPrefix(t.Proto, "HTTP/"), ".0") },
	"method":             func(t *Transfer) string { return t.Method },
	"url_effective":      func(t *Transfer) string { return t.URL },
	"scheme":             func(t *Transfer) string { scheme, _, _ := strings.Cut(t.URL, ":"); return scheme },
	"content_type":       func(t *Transfer) string { return t.ContentType },
	"redirect_url":       func(t *Transfer) string { return t.Location },
	"num_redirects":      func(t *Transfer) string { return strconv.Itoa(t.Redirects) },
	"filename_effective": func(t *Transfer) string { return t.File },
	"size_upload":        func(t *Transfer) string { return strconv.FormatInt(t.Uploaded, 10) },
	"size_download":      func(t *Transfer) string { return strconv.FormatInt(t.Downloaded, 10) },
	"time_starttransfer": func(t *Transfer) string { return seconds(t.FirstByte) },
	"time_total":         func(t *Transfer) string { return seconds(t.Total) },
	"exitcode":           func(t *Transfer) string { return strconv.Itoa(t.ExitCode) },
	"errormsg":           func(t *Transfer) string { return t.Error },
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

// A Template is text with variables in it.
type Template []func(*Transfer) string

// Parse reads a template. An error names the variable that is not known, and the nearest that is.
func Parse(text string) (Template, error) {
	var t Template
	for text != "" {
		next, rest, err := piece(text)
		if err != nil {
			return nil, err
		}
		t, text = append(t, next), rest
	}
	return t, nil
}

// piece reads what text begins with: a variable, an escape, or text up to the next of them.
func piece(text string) (next func(*Transfer) string, rest string, err error) {
	literal := func(s string) func(*Transfer) string { return func(*Transfer) string { return s } }
	switch {
	case strings.HasPrefix(text, "%%"):
		return literal("%"), text[2:], nil
	case strings.HasPrefix(text, "%{"):
		name, rest, ended := strings.Cut(text[2:], "}")
		if !ended {
			return nil, "", fmt.Errorf("%%{%s lacks its }", name)
		}
		if v, ok := variables[name]; ok {
			return v, rest, nil
		}
		return nil, "", unknown(name)
	case text[0] == '\\' && len(text) > 1:
		if i := strings.IndexByte("nrt\\", text[1]); i >= 0 {
			return literal("\n\r\t\\"[i : i+1]), text[2:], nil
		}
		return literal(text[:2]), text[2:], nil
	}
	end := len(text)
	if i := strings.IndexAny(text[1:], `%\`); i >= 0 {
		end = i + 1
	}
	return literal(text[:end]), text[end:], nil
}

func unknown(name string) error {
	names := slices.Sorted(maps.Keys(variables))
	if nearest := suggest.Nearest(name, names...); nearest != "" {
		return fmt.Errorf("there is no variable %%{%s}; did you mean %%{%s}?", name, nearest)
	}
	return fmt.Errorf("there is no variable %%{%s}; there are %s", name, strings.Join(names, ", "))
}

// Write writes t with what is known of a transfer.
func (t Template) Write(w io.Writer, of *Transfer) error {
	var b strings.Builder
	for _, value := range t {
		b.WriteString(value(of))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
