package refusal

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh/internal/response"
)

// A sample is a response as a server gives it to a refresh, and what it means: "over", "keep", "doubtful" or "unknown".
type sample struct {
	Who         string            `json:"who"`
	Means       string            `json:"means"`
	Status      int               `json:"status"`
	ContentType string            `json:"content_type"`
	Headers     map[string]string `json:"headers"`
	Sent        string            `json:"sent"` // "both": the access token went along with the credential
	Body        string            `json:"body"`
}

func samples(tb testing.TB) []sample {
	tb.Helper()
	document, err := os.ReadFile("testdata/responses.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []sample
	if err := json.Unmarshal(document, &all); err != nil {
		tb.Fatal(err)
	}
	return all
}

func (s sample) response() *response.Response {
	h := http.Header{"Content-Type": {s.ContentType}}
	for name, value := range s.Headers {
		h.Set(name, value)
	}
	return response.New(s.Status, h, []byte(s.Body), time.Now())
}

func (s sample) call() Call {
	return Call{Refresh: true, Other: true, AccessToken: s.Sent == "both"}
}

// read reads the response as an exchange does.
func (s sample) read() Reading {
	if r := s.response(); s.Status < 300 && !Complains(r) {
		return Definite(r, s.call())
	}
	return Read(s.response(), s.call())
}

func nothingHidden(string) bool { return false }

// means is a Meaning as samples have it.
func means(m Meaning) string {
	switch m {
	case Refused:
		return "over"
	case Doubtful:
		return "doubtful"
	case Unrecognized:
		return "unknown"
	default:
		return "keep"
	}
}

// TestF75_F76_WhatServersSay reads responses of servers that people use, of every kind.
func TestF75_F76_WhatServersSay(t *testing.T) {
	for _, s := range samples(t) {
		got := s.read()
		fine := means(got.Meaning) == s.Means || s.Means == "keep" && got.Meaning == Doubtful
		if !fine {
			t.Errorf("%s: %d %s: %s (%d), want %s", s.Who, s.Status, s.Body, means(got.Meaning), got.Meaning, s.Means)
		}
	}
}

// dead are texts that end a session where nothing stands against them.
var dead = []string{"Session not found", "Refresh token expired", "invalid_grant", "Invalid token", "Your session has been revoked"}

func TestF76_CodesThatNeverEndASession(t *testing.T) {
	codes := []string{"invalid_client", "INVALID_CLIENT", "invalidClient", "temporarily_unavailable", "server_error", "slow_down",
		"rate_limit_exceeded", "unsupported_grant_type", "invalid_scope", "service_unavailable"}
	for _, code := range codes {
		for _, text := range dead {
			for _, status := range []int{200, 400, 401, 403, 404, 422, 500} {
				for _, body := range []any{
					map[string]any{"error": code, "error_description": text},
					map[string]any{"code": code, "message": text},
					map[string]any{"error": map[string]any{"code": code, "message": text}},
					map[string]any{"errors": []any{map[string]any{"message": text, "extensions": map[string]any{"code": code}}}},
				} {
					document, _ := json.Marshal(body)
					s := sample{Status: status, ContentType: "application/json", Body: string(document)}
					if m := Read(s.response(), s.call()).Meaning; m == Refused || m == Doubtful || m == Unrecognized {
						t.Errorf("%d %s: %d", status, document, m)
					}
				}
			}
		}
	}
}

func TestF76_PagesAndFaultsNeverEndASession(t *testing.T) {
	for _, text := range dead {
		for status := 200; status < 600; status++ {
			page := sample{Status: status, ContentType: "text/html", Body: "<html><body>" + text + "</body></html>"}
			if m := Read(page.response(), page.call()).Meaning; m == Refused || m == Doubtful {
				t.Errorf("%d, a page: %d", status, m)
			}
			document := sample{Status: status, ContentType: "application/json", Body: `{"message":"` + text + `"}`}
			m := Read(document.response(), document.call()).Meaning
			if fault := status >= 500 || status == 429 || status == 425; (m == Refused) == fault {
				t.Errorf("%d %s: %d", status, text, m)
			}
		}
	}
}

func TestF75_WordsInEverySpelling(t *testing.T) {
	for _, words := range [][]string{{"refresh", "token", "expired"}, {"invalid", "refresh", "token"}, {"session", "not", "found"}, {"token", "revoked"}, {"bad", "session"}} {
		camel, pascal := words[0], ""
		for i, w := range words {
			title := strings.ToUpper(w[:1]) + w[1:]
			pascal += title
			if i > 0 {
				camel += title
			}
		}
		for _, code := range []string{strings.Join(words, "_"), strings.ToUpper(strings.Join(words, "_")), strings.Join(words, "-"), strings.Join(words, "."),
			strings.Join(words, ""), strings.ToUpper(strings.Join(words, "")), camel, pascal, pascal + "Exception", "auth/" + strings.Join(words, "-"),
			"ERR_" + strings.ToUpper(strings.Join(words, "_")), "urn:x:" + strings.Join(words, "_"), strings.Join(words, " "), pascal + "Error"} {
			s := sample{Status: 400, ContentType: "application/json", Body: `{"code":"` + code + `"}`}
			if got := Read(s.response(), s.call()); got.Meaning != Refused {
				t.Errorf("%s: %d", code, got.Meaning)
			}
		}
	}
}

// The vocabulary of other languages takes no English word for one of theirs.
func TestF75_EnglishStaysEnglish(t *testing.T) {
	for _, text := range []string{
		"the perimeter of a tokenized session", "invalidation of validated requests", "certificates of clients and valid users",
		"a terminal was terminated and finalized", "accession and accessories of the manual", "a kilogram of firmware",
	} {
		if got := strings.Join(wordsOf(text), " "); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func TestSaid(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"No, request 8c1e-44f0 at 12:30:01 is not for ada@x.test"}`: "No, request ... at ... is not for ...",
		`{"message":"a\u001b[31mred"}`:                                          "",
		`{"message":"` + strings.Repeat("word ", 100) + `"}`:                    strings.TrimSpace(strings.Repeat("word ", 24)),
		`{"error":"E_NO","message":"We are closed\non Sunday"}`:                 "We are closed on Sunday",
		`{"error":"E_NO"}`:              "E_NO",
		`{"status":"error","code":400}`: "",
		`{"message":"12345"}`:           "",
		`{"message":"` + strings.Repeat("x", 40) + ` is what you sent"}`:          "... is what you sent",
		`{"path":"/auth/refresh","timestamp":"2026-01-01T00:00:00Z","trace":"x"}`: "",
	} {
		s := sample{Status: 400, ContentType: "application/json", Body: body}
		if got := Read(s.response(), s.call()).Said(nothingHidden); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.Status, s.ContentType, s.Body, s.Headers["WWW-Authenticate"])
	}
	f.Fuzz(func(t *testing.T, status int, contentType, body, challenge string) {
		s := sample{Status: status, ContentType: contentType, Body: body, Headers: map[string]string{"WWW-Authenticate": challenge}}
		got := Read(s.response(), s.call())
		again := Read(s.response(), s.call())
		if got.Meaning != again.Meaning || got.Said(nothingHidden) != again.Said(nothingHidden) || got.Code(nothingHidden) != again.Code(nothingHidden) {
			t.Errorf("read twice, %d %q means two things", status, body)
		}
		if status >= 500 && got.Meaning == Refused {
			t.Errorf("%d %q ends a session", status, body)
		}
		Definite(s.response(), s.call())
	})
}

func BenchmarkRead(b *testing.B) {
	fill := func(piece string) string {
		return `{"errors":["` + strings.Repeat(strings.Repeat(piece, 1900/len(piece))+`","`, 30) + `"]}`
	}
	for name, body := range map[string]string{
		"usual": `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`,
		"words": fill("invalid token of session "), "letters": fill("tokensession"), "one word": fill("refreshtoken"), "joints": fill("a_B"), "nots": fill("not "),
	} {
		s := sample{Status: 400, ContentType: "application/json", Body: body}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Read(s.response(), s.call())
			}
		})
	}
}
