package refusal

import (
	"encoding/json"
	"net/http"
	"os"
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
		got := Read(s.response(), s.call())
		fine := means(got.Meaning) == s.Means || s.Means == "keep" && got.Meaning == Doubtful
		if !fine {
			t.Errorf("%s: %d %s: %s (%d), want %s", s.Who, s.Status, s.Body, means(got.Meaning), got.Meaning, s.Means)
		}
	}
}
