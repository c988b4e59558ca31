package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A profile is what a session is used with: the settings that were given at its login. They are kept in a file of
// their own beside the session, because they are needed before it can be found. Settings may hold an API key or a
// client secret, so only the owner may read that file.
type profile struct {
	Session string          `json:"session"`
	Config  json.RawMessage `json:"config"`
	CACert  string          `json:"cacert,omitempty"`

	config *config // Config, parsed
	base   *url.URL
	kept   bool // there is a file of it
}

// newProfile reads the settings that are going to be kept as they stand.
func newProfile(session string, document json.RawMessage, cacert string) (*profile, error) {
	p := &profile{Session: cmp.Or(session, "default"), Config: document, CACert: cacert}
	return p, p.parse()
}

func (p *profile) parse() (err error) {
	if p.config, err = parseConfig(p.Config); err != nil {
		return err
	}
	if p.base, err = url.Parse(p.config.BaseURL); err != nil {
		return errors.New("base_url cannot be parsed; write it as https://api.example.com")
	}
	return nil
}

// origin is where the session is good, in the spelling that profiles are compared by.
func (p *profile) origin() string { return originOf(p.base) }

func originOf(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port := u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	return strings.ToLower(u.Scheme) + "://" + host + ":" + port
}

// label names p to people.
func (p *profile) label() string {
	if p.Session == "default" {
		return p.config.BaseURL
	}
	return p.config.BaseURL + " (session " + p.Session + ")"
}

// profiles is the folder that holds them.
type profiles string

// list returns all of them, by base URL and session.
func (dir profiles) list() ([]*profile, error) {
	entries, err := os.ReadDir(string(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []*profile
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".json" {
			continue
		}
		p, err := read(filepath.Join(string(dir), e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // logged out just now
		} else if err != nil {
			return nil, fmt.Errorf("the settings in %s cannot be read: %w", filepath.Join(string(dir), e.Name()), err)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *profile) int {
		return cmp.Or(strings.Compare(a.config.BaseURL, b.config.BaseURL), strings.Compare(a.Session, b.Session))
	})
	return all, nil
}

func read(file string) (*profile, error) {
	document, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := &profile{kept: true}
	if err := json.Unmarshal(document, p); err != nil {
		return nil, err
	}
	return p, p.parse()
}

// save writes p down under name: beside its place and then into it, so that nobody reads half of it. The session's
// lock is held, so what is beside from before was left by a process that was killed.
func (dir profiles) save(name string, p *profile) error {
	document, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	beside := name + ".tmp"
	if err := dir.write(beside, document); err != nil {
		return err
	}
	return os.Rename(filepath.Join(string(dir), beside), filepath.Join(string(dir), name))
}

// write writes a file that only the owner may read.
func (dir profiles) write(name string, document []byte) error {
	if err := os.MkdirAll(string(dir), 0o700); err != nil {
		return err
	}
	file := filepath.Join(string(dir), name)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(document)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(file)
	}
	return err
}

// probe finds out whether there is room for a session, before a login is spent on one that could not be kept.
func (dir profiles) probe() error {
	const name = "room.tmp" // one for all: what a killed process leaves is small, and written over
	defer dir.remove(name)
	return dir.write(name, make([]byte, 16<<10))
}

// remove forgets the profile under name.
func (dir profiles) remove(name string) error {
	if err := os.Remove(filepath.Join(string(dir), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
