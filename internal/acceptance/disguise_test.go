package acceptance

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/internal/fakes"
)

// However an API says that a token has ended, if the settings say so it is a rejection: the token is renewed, the request
// is sent once more, and the caller never sees the first response. A response that no setting names is the caller's.
func TestF86_RejectionsThatAreNo401(t *testing.T) {
	const page = `<form action="/login"><input type="password"></form>`
	for _, tt := range []struct {
		name     string
		status   int
		header   http.Header
		body     string
		rejected []auth.ResponseMatch
		statuses []int
		want     int // what the caller sees
	}{
		{"a redirect to the login page", 302, http.Header{"Location": {"/login?next=%2Fme"}}, "", []auth.ResponseMatch{{Status: 302, Location: "/login"}}, nil, 200},
		{"a redirect to another page", 302, http.Header{"Location": {"/elsewhere"}}, "", []auth.ResponseMatch{{Status: 302, Location: "/login"}}, nil, 302},
		{"the login page itself", 200, http.Header{"Content-Type": {"text/html"}}, page, []auth.ResponseMatch{{Status: 200, Body: `action="/login"`}}, nil, 200},
		{"a 500", 500, http.Header{"Content-Type": {"application/json"}}, `{"error":"jwt expired"}`, []auth.ResponseMatch{{Status: 500, Body: "jwt expired"}}, nil, 200},
		{"a 401 that asks for a password, written down", 401, http.Header{"Www-Authenticate": {`Basic realm="x"`}}, "", nil, []int{401}, 200},
		{"a 401 that asks for a password, of a proxy", 401, http.Header{"Www-Authenticate": {`Basic realm="x"`}}, "", nil, nil, 401},
	} {
		as := &fakes.Server{}
		base := fakes.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := as.RoundTrip(req)
			if err == nil && resp.StatusCode == 401 {
				resp = fakes.ResponseTo(req, tt.status)
				resp.Header = tt.header.Clone()
				resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(tt.body)), int64(len(tt.body))
			}
			return resp, err
		})
		c := clientOf(t, as, func(cfg *silentrefresh.Config) {
			cfg.Base, cfg.RejectedIf, cfg.RejectedStatus = base, tt.rejected, tt.statuses
		})
		as.Revoke()
		req, err := http.NewRequest("GET", "https://api.example.com/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Transport(nil).RoundTrip(req)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tt.want || tt.want == 200 && string(body) != "OK" {
			t.Errorf("%s: the caller sees %d %q, want %d", tt.name, resp.StatusCode, body, tt.want)
		}
		renewed := 0
		if tt.want == 200 {
			renewed = 1
		}
		if _, refreshes, _ := as.Counts(); refreshes != renewed || as.Count(&as.Sent) != 1+renewed {
			t.Errorf("%s: %d refreshes, %d requests", tt.name, refreshes, as.Count(&as.Sent))
		}
	}
}
