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
	RefreshBefore  duration             `json:"refresh_before"`
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

// Set implements pflag.Value. No flag can be negative.
func (d *duration) Set(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return errSpan
	}
	*d = duration(v)
	return nil
}

// String implements pflag.Value.
func (d *duration) String() string { return time.Duration(*d).String() }

// Type implements pflag.Value.
func (d *duration) Type() string { return "duration" }

var errNoBaseURL = errors.New(`"base_url" is missing`)

// readConfig reads a config file whole, as it is going to be kept.
func readConfig(file string) (json.RawMessage, error) {
	document, err := readGiven(file)
	if err != nil {
		return nil, usage("the config file was not read: "+plain(err), "give its path with --config, or the server's URL with --base")
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
		MaxWait: time.Duration(c.MaxWait), RefreshBefore: time.Duration(c.RefreshBefore), MaxAge: time.Duration(c.MaxAge),
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
