package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/auth"
	"github.com/silentrefresh/silentrefresh/endpoint"
	"github.com/silentrefresh/silentrefresh/internal/privatefile"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// config is the config file. Its fields are those of silentrefresh.Config, silentrefresh.Endpoint and oauth.Config
// under the same names.
type config struct {
	BaseURL string   `json:"base_url"`
	Origins []string `json:"origins"`
	endpoint.Settings
	Attach         attach               `json:"attach"`
	RejectedStatus []int                `json:"rejected_status"`
	RejectedIf     []auth.ResponseMatch `json:"rejected_if"`
	HandOutHeader  string               `json:"hand_out_header"`
	MemoryOnly     bool                 `json:"memory_only"`
	Timeout        duration             `json:"timeout"`
	MaxWait        duration             `json:"max_wait"`
	Margin         duration             `json:"margin"`
	MaxAge         duration             `json:"max_age"`
	OAuth          *oauth.Config        `json:"oauth"`
	Ask            []string             `json:"ask"` // the fields that login asks for; nil: email and password

	Credentials *credentialSource `json:"credentials"` // for logins without a person; nil: there are none
}

// attach is silentrefresh.Attach, where an empty scheme that is spelled out means none.
type attach struct {
	Header  string  `json:"header"`
	Scheme  *string `json:"scheme"`
	Bare    bool    `json:"bare"`
	Cookies bool    `json:"cookies"`
}

func (a attach) setting() auth.Attach {
	s := auth.Attach{Header: a.Header, Bare: a.Bare, Cookies: a.Cookies}
	if a.Scheme != nil {
		s.Scheme = *a.Scheme
		s.Bare = s.Bare || s.Scheme == ""
	}
	return s
}

// duration is written as "90s" or "15m".
type duration time.Duration

var errSpan = errors.New("not a time span: write it as 90s, 15m or 8h")

// UnmarshalJSON reads what time.ParseDuration does, and "" as 0.
func (d *duration) UnmarshalJSON(value []byte) error {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return errSpan
	}
	v, err := time.ParseDuration(cmp.Or(text, "0"))
	if err != nil {
		return errSpan
	}
	*d = duration(v)
	return nil
}

// Set implements flag.Value. No flag can be negative.
func (d *duration) Set(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return errSpan
	}
	*d = duration(v)
	return nil
}

// String implements flag.Value.
func (d *duration) String() string { return time.Duration(*d).String() }

var errNoBaseURL = errors.New(`"base_url" is missing`)

// readConfig reads a config file whole, as it is going to be kept.
func readConfig(file string) (json.RawMessage, error) {
	document, err := readGiven(file)
	if err != nil {
		return nil, usage("the config file was not read: "+plain(err), "give its path with -config, or the server's URL with -base")
	}
	if _, err := parseConfig(document); err != nil {
		f := usage(fmt.Sprintf("the config file %s has mistakes", file), `correct it; "silentrefresh help config" shows every field`)
		f.why = err.Error()
		return nil, f
	}
	return document, nil
}

// readGiven reads a file that somebody named. It may be a pipe, as a shell makes one of <(...), but not without end.
func readGiven(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	document, err := io.ReadAll(io.LimitReader(f, privatefile.MaxSize+1))
	if err == nil && len(document) > privatefile.MaxSize {
		err = privatefile.ErrTooLarge
	}
	return document, err
}

// parseKnown reads what it knows of a config that another version has written.
func parseKnown(document []byte) (*config, error) {
	c := &config{}
	if err := json.Unmarshal(document, c); err != nil {
		return nil, err
	}
	return c, c.complete()
}

// parseConfig reads a config. What it does not know is a mistake, and is named.
func parseConfig(document []byte) (*config, error) {
	c := &config{}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, configMistakes(document, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return c, c.complete()
}

// complete fails if something is missing, or excludes something else.
func (c *config) complete() error {
	if c.BaseURL == "" {
		return errNoBaseURL
	}
	if c.OAuth != nil {
		if _, err := oauth.New(*c.OAuth); err != nil {
			return err
		}
	}
	return c.Credentials.check(c.OAuth != nil)
}

// renewsItself reports whether a refresh presents the access token and nothing else, so that it comes too late once that
// has ended, and nothing begins the next session.
func (c *config) renewsItself() bool {
	r := c.Refresh
	alone := (r.AccessTokenField != "" || r.AccessTokenHeader != "") && r.RefreshTokenField == "" && r.RefreshTokenHeader == ""
	return c.OAuth == nil && c.Credentials == nil && (alone || r.Touch)
}

// client is the library's Config for c, without what belongs to this run of the program.
func (c *config) client() (silentrefresh.Config, error) {
	cfg := silentrefresh.Config{
		BaseURL: c.BaseURL, Origins: c.Origins, Attach: c.Attach.setting(), RejectedStatus: c.RejectedStatus, RejectedIf: c.RejectedIf,
		HandOutHeader: c.HandOutHeader, MemoryOnly: c.MemoryOnly, Timeout: time.Duration(c.Timeout),
		MaxWait: time.Duration(c.MaxWait), RefreshBefore: time.Duration(c.Margin), MaxAge: time.Duration(c.MaxAge),
		Endpoint: c.Settings,
	}
	if c.OAuth == nil {
		return cfg, nil
	}
	provider, err := oauth.New(*c.OAuth)
	if err != nil {
		return cfg, err
	}
	cfg.Exchanger = provider
	return cfg, nil
}

const configHelp = `The config file is JSON, for instance this, where nothing but base_url is needed:

{ "base_url": "https://api.example.com",
  "origins": [],
  "login":   {"method": "POST", "url": "/auth/login",   "encoding": "json", "headers": {}},
  "refresh": {"method": "POST", "url": "/auth/refresh", "encoding": "json", "headers": {}},
  "logout":  {"method": "POST", "url": "/auth/logout",  "encoding": "json", "headers": {}},
  "csrf":          {"cookie": "", "api_cookie": "", "header": "", "response_header": "", "response_json": "",
                    "response_field": "", "response_meta": "", "field": "", "url": ""},
  "access_token":  {"json": "", "header": "", "cookie": "", "expires_json": "", "expires_unit": "", "lifetime": ""},
  "refresh_token": {"json": "", "header": ""},
  "session":       {"idle_timeout": "", "absolute_timeout": ""},
  "issuer": "",
  "attach":        {"header": "Authorization", "scheme": "Bearer", "bare": false, "cookies": false},
  "rejected_status": [401],
  "hand_out_header": "",
  "memory_only": false,
  "timeout": "30s", "max_wait": "10s", "margin": "", "max_age": "",
  "ask": ["email", "password"] }

What is left out or empty means the usual thing.
  origins               more origins that get the token
  issuer                what the token's iss claim has to be
  attach                with bare, or with the scheme "", the token is sent without a scheme
  rejected_if           other API responses that reject the token: [{"status": 302, "location": "/login"}], or a "body"
  hand_out_header       a header of responses that hands out a newer token
  memory_only           never write the access token down, even encrypted
  ask                   what login asks for on the terminal; in JSON a dotted name is a nested field

Login, refresh and logout take the same fields:
  url                   a path, a whole URL, or "-" where the server has no such endpoint
  method, encoding      GET, POST, PUT, PATCH or DELETE; json or form
  headers, fields       fixed headers, and fixed fields of the body (for GET, of the query); "fields": {} sends {}
  refresh_token_field   the field that carries the refresh token where it is not a cookie; refresh_token_header likewise
  access_token_field    the field that carries the old access token, where the server wants it; access_token_header
                        likewise ("Authorization" carries it with its scheme)
  accepted_status       the statuses of success, redirects among them (a form login's 302); none: 2xx
  refused               rules by which a response refuses the credential for good, in words that are not understood
                        by themselves: {"status": 400, "location": "/login", "code": "DEAD", "body": "part of it"}, of
                        which what is set has to be there, or a list of such
  touch                 true for a refresh that keeps the session alive by being made: {"method": "GET", "url": "/me"}
  first                 a call that is made before, a GET unless it says otherwise, with "take": {"name": {"json": "path"}}.
                        The value, taken from one of json, header, cookie, field (of a form) and meta, goes where "{name}"
                        stands in url, headers and fields; {access_token}, {refresh_token} and {csrf_token} do, too

access_token.json, expires_json and refresh_token.json are dotted paths such as data.token. access_token.cookie is
the cookie that is the access token, or names the session. Time spans are written 90s, 30m, 8h or 14d:
  access_token.lifetime     how long a token lives, where responses do not say
  session.idle_timeout      how long the session lives after its last use, by any request
  session.absolute_timeout  how long it lives after the login, whatever is done

csrf.url is fetched for the token, which is in a cookie, a response_header, at response_json, in a response_field of a
form or in the response_meta element of a page. It is shown in csrf.header, and in csrf.field of the body.

Where a session cannot be renewed, "credentials" begins the next one without a person. A command prints the password on
a line, or a JSON object; no shell reads it. With "keep" instead, those of the login are kept, encrypted as the session is.
What the server has refused once is not presented again:
  "credentials": {"command": ["pass", "show", "example"], "fields": {"email": "ada@example.com"}, "keep": false}

With an OAuth server, "oauth" stands in place of login, refresh and logout. It names an issuer, or the resource (the URL of
the API, which says where to log in), or the endpoints; without a client_id the program is registered. Its flow is
browser, device, silent, client_credentials, jwt_bearer or token_exchange:
  "oauth": {"issuer": "", "client_id": "", "client_secret": "", "flow": "browser", "scopes": [], "redirect_uri": ""}
`
