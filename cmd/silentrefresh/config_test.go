package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/authtest"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// TestConfigDocument: what the issue of the file format shows, and what "help config" shows, can be read.
func TestConfigDocument(t *testing.T) {
	_, rest, _ := strings.Cut(configHelp, "\n\n")
	shown, remarks, _ := strings.Cut(rest, "\n\n")
	c, err := parseConfig([]byte(shown))
	if err != nil {
		t.Fatalf("%v in\n%s", err, shown)
	}
	cfg, err := c.client()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := silentrefresh.New(cfg); err != nil {
		t.Error(err)
	}
	_, provider, _ := strings.Cut(remarks, `"oauth": `)
	if err := json.Unmarshal([]byte(provider), &oauth.Config{}); err != nil {
		t.Errorf("oauth: %v in %s", err, provider)
	}
	if cfg.Timeout != 30*time.Second || cfg.MaxWait != 10*time.Second || cfg.RefreshBefore != 0 || c.Ask[1] != "password" {
		t.Errorf("%+v", cfg)
	}
}

func TestConfigEndpoints(t *testing.T) {
	c, err := parseConfig([]byte(`{
		"base_url": "http://127.0.0.1:3001", "origins": ["http://127.0.0.1:3002"],
		"login":   {"method": "PUT", "url": "/in", "encoding": "form", "headers": {"X-Key": "k"}, "fields": {"a": 1}},
		"refresh": {"method": "GET", "url": "/re", "refresh_token_field": "rt", "access_token_header": "Authorization", "refused": [{"status": 422}]},
		"logout":  {"url": "-"},
		"csrf":    {"cookie": "c", "header": "X-C"},
		"access_token":  {"json": "data.token", "expires_json": "data.end"},
		"refresh_token": {"json": "data.rt"},
		"rejected_status": [403, 419], "memory_only": true, "hand_out_header": "X-New", "max_age": "10m"}`))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := c.client()
	if err != nil {
		t.Fatal(err)
	}
	e := cfg.Endpoint
	switch {
	case e.Login.Method != "PUT" || e.Login.URL != "/in" || e.Login.Encoding != "form" || e.Login.Headers["X-Key"] != "k",
		e.Refresh.RefreshTokenField != "rt" || e.Refresh.AccessTokenHeader != "Authorization" || e.Refresh.Refused[0].Status != 422,
		e.Logout.URL != "-", e.CSRF.Cookie != "c" || e.CSRF.Header != "X-C",
		e.AccessToken.JSON != "data.token" || e.AccessToken.ExpiresJSON != "data.end" || e.RefreshToken.JSON != "data.rt":
		t.Errorf("endpoint %+v", e)
	}
	if !cfg.MemoryOnly || len(cfg.RejectedStatus) != 2 || cfg.Origins[0] != "http://127.0.0.1:3002" || cfg.HandOutHeader != "X-New" || cfg.MaxAge != 10*time.Minute {
		t.Errorf("config %+v", cfg)
	}
}

// TestAttach: an empty scheme that is there means none; one that is not means the usual.
func TestAttach(t *testing.T) {
	for document, want := range map[string]auth.Attach{
		`{}`:                                    {},
		`{"header": "X-T"}`:                     {Header: "X-T"},
		`{"scheme": ""}`:                        {Bare: true},
		`{"header": "X-T", "scheme": ""}`:       {Header: "X-T", Bare: true},
		`{"scheme": "JWT"}`:                     {Scheme: "JWT"},
		`{"bare": true}`:                        {Bare: true},
		`{"scheme": "Bearer", "cookies": true}`: {Scheme: "Bearer", Cookies: true},
		`{"header": "Authorization", "bare": false}`: {Header: "Authorization"},
	} {
		c, err := parseConfig([]byte(`{"base_url": "http://127.0.0.1", "attach": ` + document + `}`))
		if err != nil {
			t.Errorf("%s: %v", document, err)
		} else if got := c.Attach.setting(); got != want {
			t.Errorf("%s gives %+v, want %+v", document, got, want)
		}
	}
}

// TestConfigMistakes are named, and values, which may be secrets, are not repeated.
func TestConfigMistakes(t *testing.T) {
	for document, want := range map[string]string{
		`{"base_url": "http://127.0.0.1", "colour": "s3cret"}`:                                        `"colour"`,
		`{"base_url": "http://127.0.0.1", "login": {"uri": "s3cret"}}`:                                `"uri"`,
		`{"base_url": "http://127.0.0.1", "csrf": {"kookie": "s3cret"}}`:                              `"kookie"`,
		`{"base_url": "http://127.0.0.1", "attach": {"prefix": "s3cret"}}`:                            `"prefix"`,
		`{"base_url": "http://127.0.0.1", "oauth": {"issuer": "https://s3cret", "secret": "s3cret"}}`: `"secret"`,
		`{"base_url": "http://127.0.0.1", "oauth": {}}`:                                               "issuer",
		`{"base_url": "http://127.0.0.1", "timeout": "s3cret"}`:                                       "timeout: not a time span: write it as 90s, 15m or 8h",
		`{"base_url": "http://127.0.0.1", "timeout": 30}`:                                             "timeout: not a time span: write it as 90s, 15m or 8h",
		`{"base_url": "http://127.0.0.1", "login": {"url": ["s3cret"]}}`:                              `"login.url" is of the wrong type: array`,
		`{"base_url": "http://127.0.0.1"} s3cret`:                                                     "follows",
		`{"base_url": "http://127.0.0.1",` + "\n\n" + `"login": s3cret}`:                              "line 3",
		`{"base_url": "http://127.0.0.1"`:                                                             "too early",
		``:                                                                                            "too early",
		`{}`:                                                                                          `"base_url" is missing`,
		`[]`:                                                                                          "array",
	} {
		_, err := parseConfig([]byte(document))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", document, err, want)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error repeats a value: %v", document, err)
		}
	}
}

// TestConfigMistakesOfTheLibrary: what only the library notices is wrong usage, too.
func TestConfigMistakesOfTheLibrary(t *testing.T) {
	s := authtest.NewServer(t, authtest.Config{})
	b := newBox(t)
	file := b.config(s, map[string]any{"login": map[string]any{"method": "BREW"}, "rejected_status": []int{200}})
	b.fails(exitUsage, []string{"login.method", "rejected_status", "help config"}, "login", "--config", file, "-d", credentials)
	b.fails(exitUsage, []string{"was not read"}, "login", "--config", file+".nosuch")
	b.fails(exitUsage, []string{"both given"}, "login", "--config", b.config(s, nil), "--base", s.URL())
	b.fails(exitUsage, []string{"plain http would expose"}, "login", "--base", "http://api.example.com", "-d", "{}")
	b.fails(exitUsage, []string{"base_url"}, "login", "--base", "ftp://x", "-d", "{}")
}

// TestStoredSettingsAreWhole: a client secret, which prints as [redacted], is kept as it was given.
func TestStoredSettingsAreWhole(t *testing.T) {
	document := json.RawMessage(`{"base_url":"http://127.0.0.1","oauth":{"issuer":"http://127.0.0.1","client_id":"c","client_secret":"s3cret"}}`)
	p, err := newProfile("", document, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := profiles(t.TempDir())
	if err := dir.save("x.json", p); err != nil {
		t.Fatal(err)
	}
	all, err := dir.list()
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if got := all[0].config.OAuth.ClientSecret.Reveal(); got != "s3cret" || all[0].Session != "default" {
		t.Errorf("read %q, session %q", got, all[0].Session)
	}
}

func TestDamagedSettingsAreNamed(t *testing.T) {
	b, _ := loggedIn(t, authtest.Config{})
	dir := folder(b.dir).profiles()
	if err := dir.write("broken.json", []byte(`{"session": "x", "config": {"colour": 1}}`)); err != nil {
		t.Fatal(err)
	}
	b.ok("request", "/me") // it is another session's
	b.fails(exitFailed, []string{"broken.json", `"colour"`}, "--session", "x", "request", "/me")
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "0 s", 212 * time.Millisecond: "212 ms", 5 * time.Second: "5 s", 3200 * time.Millisecond: "3.2 s", 90 * time.Second: "90 s",
		15 * time.Minute: "15 min", 12 * time.Minute: "12 min", 8 * time.Hour: "8 h", 90*time.Minute + time.Hour: "2 h 30 min",
		7 * 24 * time.Hour: "7 days", 50 * time.Hour: "2 days 2 h",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// TestAllConfigMistakesAtOnce: whoever corrects one should not meet the next at the next try.
func TestAllConfigMistakesAtOnce(t *testing.T) {
	b := newBox(t)
	file := b.file("config.json", `{"base_url": "http://127.0.0.1", "colour": {"a": "s3cret", "b": 1}, "timeout": "soon",
		"login": {"uri": "s3cret", "url": ["s3cret"], "method": "BREW"}, "attach": {"prefix": {}}, "rejected_status": [200]}`)
	r := b.fails(exitUsage, []string{
		`unknown field "colour"`, `login.uri: unknown field "uri"`, `"login.url" is of the wrong type`, "login.method",
		`attach.prefix: unknown field "prefix"`, "timeout: ", "rejected_status", "help config",
	}, "login", "--config", file)
	if strings.Contains(r.err, "s3cret") {
		t.Errorf("a value is repeated:\n%s", r.err)
	}
	b.fails(exitUsage, []string{`"colour"`, `"base_url" is missing`}, "login", "--config", b.file("c.json", `{"colour": 1}`))
}
