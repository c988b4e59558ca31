package discover_test

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/endpoint/discover"
	"github.com/silentrefresh/silentrefresh/internal/har"
	"github.com/silentrefresh/silentrefresh/internal/har/hartest"
)

// variants write one recording as different programs do.
var variants = map[string]func([]har.Entry) []har.Entry{
	"HTTP/2 names": func(all []har.Entry) []har.Entry {
		for i := range all {
			lower(all[i].Request.Headers)
			lower(all[i].Response.Headers)
			all[i].Request.Headers = append(all[i].Request.Headers, har.Pair{Name: ":authority", Value: "x"}, har.Pair{Name: ":path", Value: "/"})
		}
		return all
	},
	"cookies apart": func(all []har.Entry) []har.Entry {
		for i := range all {
			apart(&all[i])
		}
		return all
	},
	"Set-Cookie joined by line breaks": func(all []har.Entry) []har.Entry {
		for i := range all {
			r := &all[i].Response
			var lines []string
			r.Headers = slices.DeleteFunc(r.Headers, func(p har.Pair) bool {
				if strings.EqualFold(p.Name, "Set-Cookie") {
					lines = append(lines, p.Value)
					return true
				}
				return false
			})
			if len(lines) > 0 {
				r.Headers = append(r.Headers, har.Pair{Name: "set-cookie", Value: strings.Join(lines, "\n")})
			}
		}
		return all
	},
	"base64": func(all []har.Entry) []har.Entry {
		for i := range all {
			c := &all[i].Response.Content
			c.Text, c.Encoding = base64.StdEncoding.EncodeToString([]byte(c.Text)), "base64"
		}
		return all
	},
	"out of order": func(all []har.Entry) []har.Entry {
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all
	},
	"with preflights and pictures": func(all []har.Entry) (more []har.Entry) {
		for _, e := range all {
			preflight := har.Entry{StartedDateTime: e.StartedDateTime, Request: har.Request{Method: "OPTIONS", URL: e.Request.URL}, Response: har.Response{Status: 204}}
			picture := har.Entry{StartedDateTime: e.StartedDateTime, Request: har.Request{Method: "GET", URL: "https://api.example.com/logo.png"},
				Response: har.Response{Status: 200, Content: har.Content{MimeType: "image/png", Text: "AAAA", Encoding: "base64"}}}
			other := har.Entry{StartedDateTime: e.StartedDateTime, Request: har.Request{Method: "POST", URL: "https://stats.example.net/collect?v=1",
				Headers: []har.Pair{{Name: "Authorization", Value: "Bearer pk_live_0123456789abcdef"}}}, Response: har.Response{Status: 200}}
			failed := har.Entry{StartedDateTime: e.StartedDateTime, Request: har.Request{Method: "GET", URL: e.Request.URL}}
			more = append(more, preflight, e, picture, other, failed)
		}
		return more
	},
	"form parameters alone": func(all []har.Entry) []har.Entry {
		for i := range all {
			p := all[i].Request.PostData
			if p == nil || !strings.Contains(p.MimeType, "urlencoded") {
				continue
			}
			for part := range strings.SplitSeq(p.Text, "&") {
				name, value, _ := strings.Cut(part, "=")
				p.Params = append(p.Params, har.Pair{Name: name, Value: value})
			}
			p.Text = ""
		}
		return all
	},
	"a wrong password first": func(all []har.Entry) (more []har.Entry) {
		for _, e := range all {
			if p := e.Request.PostData; p != nil && strings.Contains(p.Text, "analytical") {
				wrong := e
				wrong.Request.PostData = &har.PostData{MimeType: p.MimeType, Text: strings.ReplaceAll(p.Text, "analytical", "mistyped")}
				wrong.Response = har.Response{Status: 401, Content: har.Content{MimeType: "application/json", Text: `{"error": "wrong password"}`}}
				more = append(more, wrong)
			}
			more = append(more, e)
		}
		return more
	},
}

func lower(headers []har.Pair) {
	for i := range headers {
		headers[i].Name = strings.ToLower(headers[i].Name)
	}
}

// apart moves cookies from headers to where HAR has them.
func apart(e *har.Entry) {
	e.Request.Headers = slices.DeleteFunc(e.Request.Headers, func(p har.Pair) bool {
		if !strings.EqualFold(p.Name, "Cookie") {
			return false
		}
		for part := range strings.SplitSeq(p.Value, "; ") {
			name, value, _ := strings.Cut(part, "=")
			e.Request.Cookies = append(e.Request.Cookies, har.Cookie{Name: name, Value: value})
		}
		return true
	})
	e.Response.Headers = slices.DeleteFunc(e.Response.Headers, func(p har.Pair) bool {
		c, err := http.ParseSetCookie(p.Value)
		if !strings.EqualFold(p.Name, "Set-Cookie") || err != nil {
			return false
		}
		expires := ""
		if c.MaxAge < 0 {
			expires = "1970-01-01T00:00:00.000Z"
		}
		e.Response.Cookies = append(e.Response.Cookies, har.Cookie{Name: c.Name, Value: c.Value, Path: c.Path, HTTPOnly: c.HttpOnly, Expires: expires})
		return true
	})
}

// TestVariants: whatever program wrote it, a recording says the same.
func TestVariants(t *testing.T) {
	for _, s := range servers {
		want := settings(t, learned(t, s.recorded))
		for name, change := range variants {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				entries := change(hartest.Parse(s.recorded))
				r, err := discover.Recording(bytes.NewReader(hartest.File(name, entries)))
				if err != nil {
					t.Fatal(err)
				}
				if got := settings(t, r); got != want {
					t.Errorf("settings\n%s\nwant\n%s\nmissing %q", got, want, r.Missing)
				}
			})
		}
	}
}
