// Package hartest makes recordings for tests.
package hartest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/har"
)

// A Recorder is an http.RoundTripper that records what passes through it, as a browser does. It is safe for
// concurrent use.
type Recorder struct {
	Base http.RoundTripper // nil: http.DefaultTransport

	mu      sync.Mutex
	entries []har.Entry
}

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	e := har.Entry{StartedDateTime: time.Now().UTC().Format(time.RFC3339Nano)}
	e.Request = har.Request{Method: req.Method, URL: req.URL.String(), HTTPVersion: "HTTP/1.1", Headers: pairs(req.Header)}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		e.Request.PostData = &har.PostData{MimeType: req.Header.Get("Content-Type"), Text: string(body)}
	}
	base := r.Base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	e.Response = har.Response{Status: resp.StatusCode, HTTPVersion: resp.Proto, Headers: pairs(resp.Header)}
	e.Response.Content = har.Content{Size: int64(len(body)), MimeType: resp.Header.Get("Content-Type"), Text: string(body)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
	return resp, err
}

func pairs(h http.Header) (all []har.Pair) {
	for name, values := range h {
		for _, v := range values {
			all = append(all, har.Pair{Name: name, Value: v})
		}
	}
	return all
}

// Entries are those recorded so far.
func (r *Recorder) Entries() []har.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]har.Entry(nil), r.entries...)
}

// File is the recording with these entries, as the program called creator writes it.
func File(creator string, entries []har.Entry) []byte {
	document, err := json.MarshalIndent(map[string]any{"log": map[string]any{
		"version": "1.2", "creator": map[string]any{"name": creator, "version": "1"}, "pages": []any{}, "entries": entries,
	}}, "", " ")
	if err != nil {
		panic(err)
	}
	return document
}

// Parse reads exchanges in a short form: lines that begin with ">" are the request, first its method and URL, then
// its headers, then after an empty one its body; those that begin with "<" are the response, first its status. Lines
// that begin with neither separate.
func Parse(text string) (entries []har.Entry) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var request, response []string
		for line := range strings.SplitSeq(block, "\n") {
			line = strings.TrimSpace(line)
			if rest, ok := strings.CutPrefix(line, ">"); ok {
				request = append(request, strings.TrimSpace(rest))
			} else if rest, ok := strings.CutPrefix(line, "<"); ok {
				response = append(response, strings.TrimSpace(rest))
			}
		}
		if len(request) == 0 || len(response) == 0 {
			continue
		}
		at = at.Add(time.Second)
		entries = append(entries, entry(at, request, response))
	}
	return entries
}

func entry(at time.Time, request, response []string) har.Entry {
	e := har.Entry{StartedDateTime: at.Format(time.RFC3339Nano)}
	method, url, _ := strings.Cut(request[0], " ")
	if strings.HasPrefix(url, "/") {
		url = "https://api.example.com" + url
	}
	headers, body := message(request[1:])
	e.Request = har.Request{Method: method, URL: url, HTTPVersion: "HTTP/1.1", Headers: headers}
	if body != "" {
		media := "application/json"
		if body[0] != '{' && body[0] != '[' {
			media = "application/x-www-form-urlencoded"
		}
		if given := named(headers, "Content-Type"); given != "" {
			media = given
		}
		e.Request.PostData = &har.PostData{MimeType: media, Text: body}
	}
	headers, body = message(response[1:])
	if _, err := fmt.Sscan(response[0], &e.Response.Status); err != nil {
		panic(err)
	}
	media := named(headers, "Content-Type")
	if media == "" && body != "" {
		media = "application/json"
		if body[0] == '<' {
			media = "text/html"
		}
		headers = append(headers, har.Pair{Name: "Content-Type", Value: media})
	}
	e.Response.Headers = headers
	e.Response.Content = har.Content{Size: int64(len(body)), MimeType: media, Text: body}
	return e
}

func message(lines []string) (headers []har.Pair, body string) {
	for i, line := range lines {
		if line == "" {
			return headers, strings.Join(lines[i+1:], "\n")
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			panic("neither a header nor an empty line before the body: " + line)
		}
		headers = append(headers, har.Pair{Name: name, Value: value})
	}
	return headers, ""
}

func named(headers []har.Pair, name string) string {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}
