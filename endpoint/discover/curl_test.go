package discover_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/silentrefresh/silentrefresh/endpoint/discover"
)

// curls are command lines as browsers copy them.
var curls = []struct{ name, line, want, token string }{
	{"Chrome, bash", `curl 'https://api.example.com/v1/me?x=1' \
  -H 'accept: application/json' \
  -H 'authorization: Bearer A1-bbbbbbbbbbbbbbbbbbbb' \
  -b 'theme=dark; _ga=GA1.1.123456789.1795612345' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --data-raw $'{"title":"it\'s \u00e9"}' --compressed`,
		`{}`, "A1-bbbbbbbbbbbbbbbbbbbb"},
	{"Chrome, cmd", "curl --request POST ^\"https://api.example.com/v1/me^?x=1^%^20y^\" ^\r\n" +
		"  -H ^\"authorization: JWT A1-bbbbbbbbbbbbbbbbbbbb^\" ^\r\n" +
		"  --data-raw ^\"^{^\\^\"title^\\^\":1^}^\"",
		`{"attach": {"scheme": "JWT"}}`, "A1-bbbbbbbbbbbbbbbbbbbb"},
	{"Firefox, a session cookie and its forgery token", `curl "https://api.example.com/things" -X POST -H 'X-XSRF-TOKEN: eyJpdiI6abcd=' \
		-H "Cookie: XSRF-TOKEN=eyJpdiI6abcd%3D; laravel_session=eyJpdiI6bbbbbbbbbbbbbbbbb1%3D; lang=de" --data-raw ''`,
		`{"access_token": {"cookie": "laravel_session"}, "csrf": {"cookie": "XSRF-TOKEN", "header": "X-Xsrf-Token"}}`, "eyJpdiI6bbbbbbbbbbbbbbbbb1="},
	{"a header of its own, attached options", `curl -sSL -XGET -H'X-Auth-Token:A1-bbbbbbbbbbbbbbbbbbbb' --url=https://api.example.com/ -o /dev/null | jq .`,
		`{"attach": {"header": "X-Auth-Token"}}`, "A1-bbbbbbbbbbbbbbbbbbbb"},
	{"the login itself", `curl 'https://api.example.com/login' -H 'content-type: application/json' -H 'apikey: public' --data-raw '{"email":"ada@example.com","password":"analytical","client_id":"web"}'`,
		`{"ask": ["email", "password"], "login": {"url": "/login", "headers": {"Apikey": "public"}, "fields": {"client_id": "web"}}}`, ""},
	{"the refresh itself", `curl 'https://api.example.com/auth/refresh' -X POST -b 'refresh_token=R1-bbbbbbbbbbbbbbbbbbbb'`,
		`{"refresh": {"url": "/auth/refresh"}}`, ""},
	{"Basic", `curl -u ada:analytical https://api.example.com/`, `{}`, ""},
	{"a token like a word", `curl https://api.example.com/me -H 'Authorization: Token adalovelace'`, `{"attach": {"scheme": "Token"}}`, "adalovelace"},
	{"a scheme alone", `curl https://api.example.com/me -H 'Authorization: Bearer'`, `{}`, ""},
	{"no scheme, as curl allows", `curl localhost:8080/me -H 'Authorization: A1-bbbbbbbbbbbbbbbbbbbb'`, `{"base_url": "http://localhost:8080", "attach": {"bare": true}}`, "A1-bbbbbbbbbbbbbbbbbbbb"},
}

func TestCurl(t *testing.T) {
	for _, c := range curls {
		t.Run(c.name, func(t *testing.T) {
			r, err := discover.Curl(c.line)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"base_url": "https://api.example.com", "ask": nil,
				"login": map[string]any{"url": "-"}, "refresh": map[string]any{"url": "-"}, "logout": map[string]any{"url": "-"}}
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			wanted, _ := json.Marshal(want)
			var got any
			json.Unmarshal([]byte(settings(t, r)), &got)
			if again, _ := json.Marshal(got); string(again) != string(wanted) {
				t.Errorf("settings\n%s\nwant\n%s\nfound %v", again, wanted, r.Findings)
			}
			if token := r.Session.AccessToken.Reveal(); token != c.token {
				t.Errorf("token %q, want %q", token, c.token)
			}
			missing(t, r, "one request does not say")
		})
	}
}

func TestCurlMistakes(t *testing.T) {
	for line, want := range map[string]string{
		"":                                "no command line of curl",
		"wget s3cret":                     "no command line of curl",
		"curl":                            "no URL",
		"curl -H 's3cret":                 "not closed",
		`curl "s3cret`:                    "not closed",
		"curl 'ftp://s3cret/'":            "cannot carry",
		"curl 'http://[s3cret'":           "no URL",
		"curl x" + string(rune(0)) + "y/": "no URL",
		"Invoke-WebRequest -Uri s3cret":   "no command line of curl",
		strings.Repeat("curl s3cret ", discover.MaxCurl): "longer than",
	} {
		_, err := discover.Curl(line)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.40q: %v, want %q", line, err, want)
		}
	}
}
