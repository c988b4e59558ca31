package discover_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/endpoint/discover"
	"github.com/silentrefresh/silentrefresh/internal/har"
	"github.com/silentrefresh/silentrefresh/internal/har/hartest"
)

// missing fails unless the Result misses something with each of the words.
func missing(t *testing.T, r discover.Result, words ...string) {
	t.Helper()
	for _, w := range words {
		if !slices.ContainsFunc(r.Missing, func(m string) bool { return strings.Contains(m, w) }) {
			t.Errorf("want %q missing, got %q", w, r.Missing)
		}
	}
}

// recorded is the recording of the server of that name, changed.
func recorded(t *testing.T, name string, change func([]har.Entry) []har.Entry) discover.Result {
	t.Helper()
	i := slices.IndexFunc(servers, func(s struct{ name, recorded, want string }) bool { return s.name == name })
	r, err := discover.Recording(bytes.NewReader(hartest.File("WebInspector", change(hartest.Parse(servers[i].recorded)))))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSanitisedExport: what Chrome leaves out by default is noticed, and how to export it is said; what can be known
// nevertheless is.
func TestSanitisedExport(t *testing.T) {
	drop := func(all []har.Entry) []har.Entry {
		secret := func(p har.Pair) bool {
			return slices.Contains([]string{"cookie", "set-cookie", "authorization"}, strings.ToLower(p.Name))
		}
		for i := range all {
			all[i].Request.Headers = slices.DeleteFunc(all[i].Request.Headers, secret)
			all[i].Response.Headers = slices.DeleteFunc(all[i].Response.Headers, secret)
		}
		return all
	}
	r := recorded(t, "the usual", drop)
	missing(t, r, "Allow to generate HAR with sensitive data", "Save All As HAR")
	if r.Settings.Refresh.URL != "/auth/refresh" || r.Settings.Logout.URL != "/auth/logout" {
		t.Errorf("%s", settings(t, r))
	}
	if r.Settings.Login.URL != "/auth/login" || !slices.Equal(r.Ask, []string{"email", "password"}) {
		t.Errorf("login %v, asks %q", r.Settings.Login, r.Ask)
	}
	redact := func(all []har.Entry) []har.Entry {
		for i := range all {
			for _, headers := range [][]har.Pair{all[i].Request.Headers, all[i].Response.Headers} {
				for j := range headers {
					if name := strings.ToLower(headers[j].Name); name == "authorization" || name == "cookie" || name == "set-cookie" {
						headers[j].Value = "[REDACTED]"
					}
				}
			}
		}
		return all
	}
	missing(t, recorded(t, "the usual", redact), "sensitive data")
}

// TestBodiesLeftOut: a browser that has forgotten bodies is to be told to keep them.
func TestBodiesLeftOut(t *testing.T) {
	r := recorded(t, "Django simplejwt", func(all []har.Entry) []har.Entry {
		for i := range all {
			all[i].Response.Content.Text = ""
		}
		return all
	})
	missing(t, r, "bodies of responses are missing", "Preserve log")
}

// TestBeginsAfterTheLogin: the rest is found all the same.
func TestBeginsAfterTheLogin(t *testing.T) {
	later := func(all []har.Entry) []har.Entry { return all[1:] }
	r := recorded(t, "the usual", later)
	missing(t, r, "no login in it")
	if r.Settings.Login.URL != "-" || r.Settings.Refresh.URL != "/auth/refresh" || r.Settings.Logout.URL != "/auth/logout" || r.BaseURL != "https://api.example.com" {
		t.Errorf("%+v", r.Settings)
	}
	r = recorded(t, "Django simplejwt", later)
	if s := r.Settings; s.Refresh.RefreshTokenField != "refresh" || s.Logout.RefreshTokenField != "refresh" {
		t.Errorf("%s", settings(t, r))
	}
}

// TestNoRefreshInIt: it is said how to get one.
func TestNoRefreshInIt(t *testing.T) {
	r := recorded(t, "the usual", func(all []har.Entry) []har.Entry { return all[:2] })
	missing(t, r, "no refresh in it", "no logout in it")
	if r.Settings.Refresh.URL != "-" || r.Settings.Login.URL != "/auth/login" {
		t.Errorf("%+v", r.Settings)
	}
}

// TestTwoSteps: a login in two steps has a first call.
func TestTwoSteps(t *testing.T) {
	r := learned(t, `
		> POST /login
		>
		> {"email": "ada@example.com", "password": "analytical"}
		< 200
		<
		< {"mfaToken": "M1-bbbbbbbbbbbbbbbbbbbb"}

		> POST /login/code
		>
		> {"mfaToken": "M1-bbbbbbbbbbbbbbbbbbbb", "code": "123456"}
		< 200
		<
		< {"accessToken": "A1-bbbbbbbbbbbbbbbbbbbb"}

		> GET /me
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {}`)
	want := `{"ask":["email","password","code"],"base_url":"https://api.example.com","login":{"fields":{"mfaToken":"{mfaToken}"},` +
		`"first":{"fields":{"email":"{email}","password":"{password}"},"method":"POST","take":{"mfaToken":{"json":"mfaToken"}},"url":"/login"},` +
		`"url":"/login/code"},"logout":{"url":"-"},"refresh":{"url":"-"}}`
	if got := settings(t, r); got != want {
		t.Errorf("settings\n%s\nwant\n%s\nmissing %q", got, want, r.Missing)
	}
}

// TestProviderLogin: a code that a page exchanges for tokens belongs to an identity provider.
func TestProviderLogin(t *testing.T) {
	r := learned(t, `
		> POST https://id.example.com/oauth/token
		>
		> grant_type=authorization_code&client_id=spa&code=C1-bbbbbbbbbbbbbbbbbbbb&code_verifier=V1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {"access_token": "A1-bbbbbbbbbbbbbbbbbbbb", "id_token": "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0.sig"}

		> GET /me
		> Authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb
		< 200
		<
		< {}`)
	if r.OAuth == nil || r.OAuth.ClientID != "spa" || r.OAuth.Issuer != "https://id.example.com" {
		t.Errorf("%+v", r.OAuth)
	}
	missing(t, r, `"oauth"`)
	if s := settings(t, r); strings.Contains(s, "C1-") || strings.Contains(s, "V1-") {
		t.Errorf("the code got out: %s", s)
	}
}

// TestDamagedFiles: what can be read counts, and what cannot is said without repeating it.
func TestDamagedFiles(t *testing.T) {
	whole := hartest.File("x", hartest.Parse(servers[0].recorded))
	r, err := discover.Recording(bytes.NewReader(whole[:len(whole)*9/10]))
	if err != nil || r.Settings.Refresh.URL != "/auth/refresh" {
		t.Errorf("cut off: %v, %+v", err, r.Settings)
	}
	missing(t, r, "not read to its end")
	for text, want := range map[string]string{
		"":                            "ends too early",
		"s3cret garbage":              "not JSON",
		`{"log": {"entries": []}}`:    "no request",
		`{"log": {}}`:                 "not a recording",
		`{"log": []}`:                 "not a recording",
		`[]`:                          "not a recording",
		`{"s3cret": 1}`:               "not a recording",
		`{"log": {"entries": [{"req`:  "ends too early",
		"\x1f\x8b\x08 s3cret":         "not JSON",
		"<html>s3cret":                "not JSON",
		`{"log": {"entries": [3, 4]}`: "",
	} {
		_, err := discover.Recording(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if r, err := discover.Recording(strings.NewReader("\xef\xbb\xbf" + string(whole))); err != nil || len(r.Missing) > 0 {
		t.Errorf("with a byte order mark: %v %q", err, r.Missing)
	}
}

// TestBrowserRecordings: those of a real browser, kept here. Package internal/browser records them anew.
func TestBrowserRecordings(t *testing.T) {
	for name, want := range map[string]string{
		"express":    `"refresh":{"url":"/auth/refresh"},"rejected_status":[401,403]}`,
		"kit":        `"refresh":{"url":"/auth/refresh"}}`,
		"kit-field":  `"refresh":{"refresh_token_field":"refreshToken","url":"/auth/refresh"}}`,
		"kit-cookie": `"csrf":{"cookie":"csrf_token"`,
		"nest":       `"refresh":{"url":"/auth/refresh"}}`,
		"expresssession": `"refresh":{"method":"GET","refused":[{"location":"/login","status":302}],"touch":true,"url":"/me"},` +
			`"rejected_if":[{"status":302,"location":"/login"}]}`,
	} {
		f, err := os.Open("testdata/" + name + ".har")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := discover.Recording(f)
		if err != nil {
			t.Fatal(err)
		}
		asks := `"ask":["email","password"]`
		if name == "expresssession" {
			asks = `"ask":["username","password"]`
		}
		if got := settings(t, r); !strings.Contains(got, want) || !strings.Contains(got, asks) {
			t.Errorf("%s: %s\nwant %s\nmissing %q", name, got, want, r.Missing)
		}
		if len(r.Missing) > 0 {
			t.Errorf("%s: missing %q", name, r.Missing)
		}
	}
}
